"""Rows: the losses of a training, by style and term."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from pellucid.make.painting.losses import Terms

DIGITS = 5


class Rows:
    """Collects the losses of steps, and gives their means.

    Attributes:
        sums: of each style how many pictures, and the sum of each term; plain data.
        text: the last step's, in words.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.sums: list[list[float]] = []
        self.text = ""
        self.clear()

    def clear(self) -> None:
        """Begins anew."""
        self.sums = [[0.0] * (1 + len(Terms._fields)) for _ in self.names]

    def add(self, terms: Terms, which: Int[Tensor, "batch"]) -> None:
        """Those of one step: of each picture the terms, and the number of its style."""
        values = torch.stack([*terms]).detach().cpu().double()
        for style, column in zip(which.tolist(), values.T.tolist(), strict=True):
            kept = self.sums[style]
            self.sums[style] = [a + b for a, b in zip(kept, [1.0, *column], strict=True)]
        now = zip(Terms._fields, values.mean(1).tolist(), strict=True)
        self.text = ", ".join(f"{name} {value:.2f}" for name, value in now)

    def taken(self) -> dict[str, Any]:
        """By style and term the mean since the last time."""
        found = {}
        for name, (count, *sums) in zip(self.names, self.sums, strict=True):
            if count:
                means = [round(value / count, DIGITS) for value in sums]
                found[name] = dict(zip(Terms._fields, means, strict=True))
        self.clear()
        return found
