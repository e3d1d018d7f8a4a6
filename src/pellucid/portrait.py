"""Portrait: a picture that a network drew, with the climb that made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid import tiles
from pellucid.chart import BLUE, GREY, ORANGE, Axis, Line, chart
from pellucid.results import SHOWN, Picture

MOST_POINTS = 200  # of the curve as it is drawn
CHART = 220, 300  # height and width, px


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Portrait(Picture):
    """A picture that a network drew.

    Attributes:
        values: (3 or 1, height, width), 0 to 1.
        curve: (steps,), the objective before each step, on what the recipe shows of the picture
            then; on the finished picture it is the fact "value".
        fresh: (views,), the objective on the finished picture under transforms that it has not met.
        weight: (height, width), how much each pixel was worked on: the sum of its gradient's size.
        rival: name and value of the real photo that raises the objective most; None: there is none.
    """

    curve: Float[Tensor, "steps"]
    fresh: Float[Tensor, "views"]
    weight: Float[Tensor, "height width"]
    rival: tuple[str, float] | None = None

    def picture(self) -> Picture:
        """The picture alone, with the same recipe."""
        return Picture(values=self.values, caption=self.caption, recipe=self.recipe)

    def image(self) -> Float[Tensor, "3 height width"]:
        """The picture, and beside it the climb, as high as real photos come."""
        drawn = tiles.enlarged(self.values.detach().cpu().float().expand(3, -1, -1), SHOWN)
        beside = self._chart()
        height = max(drawn.shape[1], beside.shape[1])
        parts = [
            F.pad(part, (0, 0, 0, height - part.shape[1]), value=tiles.PAPER)
            for part in (drawn, torch.full((3, 1, tiles.GAP * 2), tiles.PAPER), beside)
        ]
        return torch.cat(parts, 2)

    def data(self) -> dict[str, Any]:
        """With the curve and what it is compared to."""
        rival = None if self.rival is None else {"photo": self.rival[0], "value": self.rival[1]}
        return super().data() | {
            "curve": self.curve.tolist(),
            "fresh": self.fresh.tolist(),
            "best photo": rival,
        }

    def _chart(self) -> Float[Tensor, "3 height width"]:
        steps, end = len(self.curve), float(self.facts["value"])
        every = max(1, steps // MOST_POINTS)
        points = [(float(n), float(self.curve[n])) for n in range(0, steps, every)]
        points.append((float(steps), end))
        lines = [Line(points, f"the picture, finished {end:.3g}", BLUE)]
        fresh = float(self.fresh.mean())
        lines.append(Line(_level(steps, fresh), f"seen afresh {fresh:.3g}", ORANGE, dash=6))
        if self.rival is not None:
            name, value = self.rival
            lines.append(
                Line(_level(steps, value), f"best photo {value:.3g}: {name}", GREY, dash=3)
            )
        heights = [height for line in lines for _, height in line.points]
        ticks = [(0.0, "0"), (float(steps), str(steps))]
        return chart(
            "The climb", lines, Axis(0, steps, ticks, "steps"),
            Axis.around(min(heights), max(heights)), CHART,
        )  # fmt: skip


def _level(steps: int, value: float) -> list[tuple[float, float]]:
    return [(0.0, value), (float(steps), value)]
