"""Attacked: a photo that a small change makes something else for a network."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log2
from typing import Any

from pellucid.chart import BLUE, GREY, Axis, Line
from pellucid.misled import Misled
from pellucid.panels import Panel

MOST_TICKS = 6  # of the chart


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
class Attacked(Misled):
    """A photo changed so that a network takes it for something else.

    Attributes:
        values: (3 or 1, height, width), 0 to 1, in steps of 1/255: the network's input as attacked.
        away: whether the class is lowered, not raised.
        tries: all sizes tried, in their order.
        unit: of the sizes, in words.
    """

    away: bool
    tries: tuple[Try, ...]
    unit: str

    def panels(self) -> list[Panel]:
        """With a chart of what each size does, where several were tried."""
        tries = sorted((one for one in self.tries if one.size > 0), key=lambda one: one.size)
        return super().panels() + ([self._climb(tries)] if len(tries) > 1 else [])

    def data(self) -> dict[str, Any]:
        """With all tries."""
        return super().data() | {
            "away": self.away,
            "unit": self.unit,
            "tries": [vars(one) for one in sorted(self.tries, key=lambda one: one.size)],
        }

    def _begin(self) -> str:
        return "the photo"

    def _climb(self, tries: list[Try]) -> Panel:
        places = [(log2(one.size), one.probability) for one in tries]
        lines = [Line(places, f"p of {self.about}", BLUE, dots=True)]
        won = [one.size for one in tries if one.won]
        if won:
            least = log2(min(won))
            lines.append(Line([(least, 0), (least, 1)], f"enough: {min(won):.3g}", GREY, dash=3))
        low, high = places[0][0], places[-1][0]
        doublings = range(ceil(low - 1e-9), floor(high + 1e-9) + 1)
        every = max(1, -(-len(doublings) // MOST_TICKS))
        ticks = [(float(n), f"{2.0**n:.3g}") for n in doublings[::every]]
        return self._chart("how much it takes", lines, Axis(low, high, ticks, self.unit))
