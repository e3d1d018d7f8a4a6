"""Attacked: a photo, a small change, and what a network makes of the two together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor, log2, log10
from typing import Any, Literal

from jaxtyping import Float
from torch import Tensor

from pellucid.chart import BLUE, GREY, Axis, Line, chart
from pellucid.panels import Opinion, Panel, place_of, row
from pellucid.results import Result

Draw = Literal["panels", "result"]
LEVELS = 255  # steps from black to white in a file of 8 bits


@dataclass(frozen=True)
class Try:
    """One size that was tried.

    Attributes:
        size: of the change, as the attack counts it.
        probability: of the class that it is about.
        won: whether the network gave in.
    """

    size: float
    probability: float
    won: bool


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Attacked(Result):
    """A photo changed so that a network takes it for something else.

    Attributes:
        values: (3 or 1, height, width), 0 to 1, in steps of 1/255: the network's input as attacked.
        clean: (3 or 1, height, width), 0 to 1: the network's input as it was.
        before, after: what the network says of the two.
        about: the class that is raised or lowered.
        away: whether it is lowered.
        tries: all sizes tried, in their order.
        unit: of the sizes, in words.
        draw: how it shows itself: photo, difference and result; or the result alone, pixel for
            pixel.
    """

    values: Float[Tensor, "channels height width"]
    clean: Float[Tensor, "channels height width"]
    before: Opinion
    after: Opinion
    about: str
    away: bool
    tries: tuple[Try, ...]
    unit: str
    draw: Draw = "panels"

    @property
    def change(self) -> Float[Tensor, "channels height width"]:
        """What was added, -1 to 1."""
        return self.values - self.clean

    @property
    def factor(self) -> int:
        """How many times the change is enlarged to be seen: 1, 2, 5, 10, 20, 50, …"""
        most = float(self.change.abs().max())
        room = 0.5 / max(most, 1e-4)  # to black or white, from the grey that means no change
        scale = int(10 ** floor(log10(max(room, 1.0))))
        return scale * next(times for times in (5, 2, 1) if times * scale <= max(room, 1.0))

    def alone(self) -> Attacked:
        """The same, drawn as the attacked picture alone, pixel for pixel."""
        settings = self.recipe.settings | ({"draw": "result"} if self.recipe.settings else {})
        return replace(self, draw="result", recipe=replace(self.recipe, settings=settings))

    def image(self) -> Float[Tensor, "3 height width"]:
        """As `draw` says."""
        if self.draw == "result":
            return self.values.expand(3, -1, -1)
        grey = (0.5 + self.factor * self.change).clamp(0, 1)
        panels = [
            Panel("the photo", self.clean.expand(3, -1, -1), self.before),
            Panel(
                f"the change, {self.factor} times as strong",
                grey.expand(3, -1, -1),
                lines=self._sizes(),
                sign="+",
            ),
            Panel("the result", self.values.expand(3, -1, -1), self.after, sign="="),
        ]
        if len(self.tries) > 1:
            panels.append(Panel("how much it takes", self._chart(), exact=True))
        return row(panels)

    def data(self) -> dict[str, Any]:
        """With what is said before and after, and all tries."""
        return super().data() | {
            "class": self.about,
            "away": self.away,
            "before": self.before.data(),
            "after": self.after.data(),
            "unit": self.unit,
            "tries": [vars(one) for one in sorted(self.tries, key=lambda one: one.size)],
        }

    def _sizes(self) -> list[str]:
        levels = self.change.abs() * LEVELS
        spread = float(levels.square().mean().sqrt())
        return [
            f"at most {float(levels.max()):.3g} of 255 levels,",
            f"{spread:.3g} in the root mean square;",
            f"length {float(self.change.norm()):.3g} (pixels 0 to 1)",
        ]

    def _chart(self) -> Float[Tensor, "3 height width"]:
        tries = sorted((one for one in self.tries if one.size > 0), key=lambda one: one.size)
        places = [(log2(one.size), one.probability) for one in tries]
        lines = [Line(places, f"p of {self.about}", BLUE, dots=True)]
        won = [one.size for one in tries if one.won]
        if won:
            least = log2(min(won))
            lines.append(Line([(least, 0), (least, 1)], f"from {min(won):.3g} on", GREY, dash=3))
        # Ticks at every second doubling: of sizes that go over three decades.
        low, high = places[0][0], places[-1][0]
        marks: Sequence[float] = [low + k * (high - low) / 4 for k in range(5)]
        across = Axis(low, high, [(mark, f"{2**mark:.2g}") for mark in marks], self.unit)
        up = Axis(0, 1, [(share, f"{share:.0%}") for share in (0.0, 0.5, 1.0)])
        height, width = place_of(self.clean)
        return chart("", lines, across, up, (height, width))
