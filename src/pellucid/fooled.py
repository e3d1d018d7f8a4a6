"""Fooled: static that a network is sure about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.chart import BLUE, GREY, Axis, Line
from pellucid.misled import Misled
from pellucid.panels import Panel, percent

MOST_POINTS = 200  # of the curve as it is drawn


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Fooled(Misled):
    """Static changed so that a network is sure to see a class.

    Attributes:
        values: (3 or 1, height, width), 0 to 1, in steps of 1/255: the network's input.
        curve: (steps + 1,), the probability of the class before each step, and in the end.
        confidence: that was asked for.
    """

    curve: Float[Tensor, "steps"]
    confidence: float

    def panels(self) -> list[Panel]:
        """With a chart of the way."""
        last = len(self.curve) - 1
        every = max(1, last // MOST_POINTS)
        numbers = sorted({*range(0, last, every), last})
        points = [(float(number), float(self.curve[number])) for number in numbers]
        asked = [(0.0, self.confidence), (float(last), self.confidence)]
        lines = [
            Line(points, f"p of {self.about}", BLUE),
            Line(asked, f"asked for: {percent(self.confidence)}", GREY, dash=3),
        ]
        across = Axis(0, last, [(0.0, "0"), (float(last), str(last))], "step")
        return [*super().panels(), self._chart("the climb", lines, across)]

    def data(self) -> dict[str, Any]:
        """With the curve."""
        return super().data() | {
            "confidence": self.confidence,
            "curve": torch.as_tensor(self.curve).tolist(),
        }

    def _begin(self) -> str:
        return "static"
