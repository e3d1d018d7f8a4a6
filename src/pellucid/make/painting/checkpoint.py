"""Checkpoint: a training half-way, as a file that is whole or not there."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.make.painting.painter import Painter
from pellucid.make.painting.rows import Rows
from pellucid.writing import write_whole

KEY = "pellucid stylist, half-way"
MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass
class Progressed:
    """Where a training is.

    Attributes:
        painter: as it is being trained.
        adam: its optimiser.
        rows: the losses since the last row of the history.
        done: steps.
        history: losses of each style by term, mean over the steps since the row before, with the
            step: what a curve is drawn of.
    """

    painter: Painter
    adam: torch.optim.Adam
    rows: Rows
    done: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)

    def tensors(self) -> dict[str, Tensor]:
        """Weights and Adam's moments by name."""
        found = {}
        for name, weight in self.painter.named_parameters():
            found[f"weights.{name}"] = weight.detach().cpu().contiguous()
            for moment in MOMENTS:
                kept = self.adam.state[weight].get(moment, torch.zeros_like(weight))
                found[f"{moment}.{name}"] = kept.detach().cpu().contiguous()
        return found

    def put(self, file: Path, about: dict[str, Any]) -> None:
        """Writes it down: whole or not at all, also when killed.

        Args:
            about: what the training depends on, as plain data.
        """
        told = {
            "about": about, "done": self.done, "history": self.history, "sums": self.rows.sums,
        }  # fmt: skip
        write_whole(file, save(self.tensors(), {KEY: json.dumps(told, sort_keys=True)}))

    def get(self, file: Path, about: dict[str, Any]) -> None:
        """Goes on where the file is.

        Raises:
            PellucidError: damaged, or of a training that depended on something else.
        """
        try:
            with safe_open(file, "pt") as opened:
                told = json.loads((opened.metadata() or {}).get(KEY, "null"))
                kept = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
            was, done, history = told["about"], int(told["done"]), list(told["history"])
            sums = list(told["sums"])
            fits = {name: value.shape for name, value in self.tensors().items()}
            same = was == about
            whole = {name: value.shape for name, value in kept.items()} == fits
        except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
            raise PellucidError(f"{file} cannot be gone on with ({error}): {_ANEW}") from None
        if not same:
            changed = sorted(
                name for name in was.keys() | about.keys() if was.get(name) != about.get(name)
            )
            raise PellucidError(
                f"{file} is a training with another {' and another '.join(changed)}: {_ANEW}"
            )
        if not whole:
            raise PellucidError(f"{file} cannot be gone on with, its tensors do not fit: {_ANEW}")
        with torch.no_grad():
            for name, weight in self.painter.named_parameters():
                weight.copy_(kept[f"weights.{name}"])
                self.adam.state[weight] = {"step": torch.tensor(float(done))} | {
                    moment: torch.zeros_like(weight).copy_(kept[f"{moment}.{name}"])
                    for moment in MOMENTS
                }
        self.done, self.history, self.rows.sums = done, history, sums


_ANEW = "--force begins anew (force=True in Python)"
