"""Misled: a picture, a small change, and what a network makes of the two together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor, log10
from typing import Any, Literal, TypeVar

from jaxtyping import Float
from torch import Tensor

from pellucid.chart import Axis, Line, chart
from pellucid.panels import Opinion, Panel, place_of, row
from pellucid.results import Result

Draw = Literal["panels", "result"]
LEVELS = 255  # steps from black to white in a file of 8 bits
CLIP = 0.002  # share of the change that may saturate when enlarged
TITLE = 20  # px that a chart leaves for its title
M = TypeVar("M", bound="Misled")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Misled(Result):
    """A picture changed so that a network takes it for something else.

    Attributes:
        values: (3 or 1, height, width), 0 to 1, in steps of 1/255: the network's input, changed.
        clean: (3 or 1, height, width), 0 to 1: the network's input as it was.
        before, after: what the network says of the two.
        about: the class that it is about.
        draw: how it shows itself: as it was, the change and the result; or the result alone, pixel
            for pixel.
    """

    values: Float[Tensor, "channels height width"]
    clean: Float[Tensor, "channels height width"]
    before: Opinion
    after: Opinion
    about: str
    draw: Draw = "panels"

    @property
    def change(self) -> Float[Tensor, "channels height width"]:
        """What was added, -1 to 1."""
        return self.values - self.clean

    @property
    def factor(self) -> int:
        """How many times the change is enlarged to be seen: 1, 2, 5, 10, 20, 50, …"""
        sizes = self.change.abs().flatten()
        most = float(sizes.kthvalue(max(1, round((1 - CLIP) * len(sizes)))).values)
        # To black or white, from the grey that means no change.
        room = max(1.0, 0.5 / max(most, 1e-4))
        scale = int(10 ** floor(log10(room)))
        return scale * next(times for times in (5, 2, 1) if times * scale <= room)

    def alone(self: M) -> M:
        """The same, drawn as the changed picture alone, pixel for pixel."""
        settings = self.recipe.settings | ({"draw": "result"} if self.recipe.settings else {})
        return replace(self, draw="result", recipe=replace(self.recipe, settings=settings))

    def image(self) -> Float[Tensor, "3 height width"]:
        """As `draw` says."""
        if self.draw == "result":
            return self.values.expand(3, -1, -1)
        return row(self.panels())

    def panels(self) -> list[Panel]:
        """What is shown side by side."""
        grey = (0.5 + self.factor * self.change).clamp(0, 1)
        times = "as it is" if self.factor == 1 else f"{self.factor} times as strong"
        return [
            Panel(self._begin(), self.clean, self.before),
            Panel(f"the change, {times}", grey, lines=self._sizes(), sign="+"),
            Panel("the result", self.values, self.after, sign="="),
        ]

    def data(self) -> dict[str, Any]:
        """With what is said before and after."""
        return super().data() | {
            "class": self.about,
            "before": self.before.data(),
            "after": self.after.data(),
        }

    def _begin(self) -> str:
        raise NotImplementedError

    def _sizes(self) -> list[str]:
        levels = self.change.abs() * LEVELS
        spread = float(levels.square().mean().sqrt())
        return [
            f"at most {float(levels.max()):.3g} of 255 levels,",
            f"{spread:.3g} in the root mean square;",
            f"length {float(self.change.norm()):.3g} (pixels 0 to 1)",
            "(all after rounding to 8 bits)",
        ]

    def _chart(self, title: str, lines: list[Line], across: Axis) -> Panel:
        """Probabilities, in the place of a picture."""
        up = Axis(0, 1, [(share, f"{share:.0%}") for share in (0.0, 0.5, 1.0)])
        height, width = place_of(self.clean)
        # Its title stands above it like those of the pictures.
        drawn = chart("", lines, across, up, (height + TITLE, width))[:, TITLE:]
        return Panel(title, drawn, exact=True)
