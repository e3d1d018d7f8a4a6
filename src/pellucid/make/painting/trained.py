"""Trained: a painter with the names of its styles and its card, as one file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from pellucid.errors import PellucidError, existing
from pellucid.fingerprint import Fingerprint
from pellucid.make.painting.painter import Painter
from pellucid.writing import write_whole

FORMAT = 1
KEY = "pellucid stylist"
MOST = {"styles": 1000, "width": 512, "blocks": 64}  # that a file may ask memory for


@dataclass(frozen=True, eq=False)
class Trained:
    """A painter that knows its styles.

    Attributes:
        painter: in evaluation, frozen, in single precision.
        names: of the styles, in its order.
        card: how it was made: losses, network, settings, versions; plain data.
        source: its file.
    """

    painter: Painter
    names: tuple[str, ...]
    card: dict[str, Any]
    source: str = ""

    def __repr__(self) -> str:
        return f"<Trained {', '.join(self.names)}>"

    @property
    def weights_hash(self) -> str:
        """SHA-256 of names, shapes and values of all weights, 16 hexadecimal digits."""
        return str(Fingerprint(self.painter))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes weights in half precision, names and card into one safetensors file."""
        tensors = {
            name: value.detach().cpu().half().contiguous()
            for name, value in self.painter.state_dict().items()
        }
        about = {
            "format": FORMAT, "styles": list(self.names), "width": self.painter.width,
            "blocks": len(self.painter.blocks), "card": self.card,
        }  # fmt: skip
        write_whole(Path(path), save(tensors, {KEY: json.dumps(about, sort_keys=True)}))


def load(path: str | os.PathLike[str]) -> Trained:
    """Reads a stylist's file: tensors and text, no code.

    Raises:
        PellucidError: no such file, damaged, or not a stylist's.
    """
    file = existing("stylist", Path(path))
    try:
        with safe_open(file, "pt") as opened:
            about = _about((opened.metadata() or {}).get(KEY, ""), file)
            tensors = {name: opened.get_tensor(name).float() for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise PellucidError(f"{file} is not a whole safetensors file ({error})") from None
    names = tuple(about["styles"])
    with torch.device("meta"):
        painter = Painter(len(names), about["width"], about["blocks"])
    _check(painter, tensors, file)
    painter.load_state_dict(tensors, assign=True)
    painter = painter.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    return Trained(painter, names, about["card"], os.fspath(path))


def _about(text: str, file: Path) -> dict[str, Any]:
    try:
        about = json.loads(text) if text else None
    except (ValueError, RecursionError):
        about = None
    if not isinstance(about, dict) or not isinstance(about.get("format"), int):
        raise PellucidError(
            f"{file} is not a stylist's file: `pellucid stylist train` writes those"
        )
    if about["format"] > FORMAT:
        raise PellucidError(f"{file} is of a later version of pellucid")
    given = about.get("styles")
    names = given if isinstance(given, list) else []
    counts = {
        "styles": len(names),
        "width": about.get("width"), "blocks": about.get("blocks"),
    }  # fmt: skip
    least = {"styles": 1, "width": 1, "blocks": 0}
    wrong = [
        name
        for name, count in counts.items()
        if type(count) is not int or not least[name] <= count <= MOST[name]
    ]
    if not wrong and not all(isinstance(name, str) for name in names):
        wrong = ["styles"]
    if not isinstance(about.get("card"), dict):
        wrong.append("card")
    if wrong:
        raise PellucidError(f"{file} is damaged: see its {', '.join(wrong)}")
    return about


def _check(painter: Painter, tensors: dict[str, Tensor], file: Path) -> None:
    wanted = {name: value.shape for name, value in painter.state_dict().items()}
    found = {name: value.shape for name, value in tensors.items()}
    if wanted != found:
        odd = sorted(
            name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
        )
        raise PellucidError(
            f"{file} is damaged: {len(odd)} of its tensors do not fit, such as {odd[0]}"
        )
    if not all(bool(value.isfinite().all()) for value in tensors.values()):
        raise PellucidError(f"{file} is damaged: it has weights that are not numbers")
