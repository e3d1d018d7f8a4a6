"""Curve: how the answer falls or rises while the pixels of a photo are changed in some order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any


@dataclass(frozen=True)
class Curve:
    """The answer, piece by piece.

    Attributes:
        shares: of the pixels changed so far, 0 to 1.
        values: of the target.
    """

    shares: tuple[float, ...]
    values: tuple[float, ...]

    @property
    def area(self) -> float:
        """Under the curve, by trapezia: the mean height."""
        pieces = zip(pairwise(self.shares), pairwise(self.values), strict=True)
        return sum((right - left) * (a + b) / 2 for (left, right), (a, b) in pieces)

    def data(self) -> dict[str, Any]:
        """As plain JSON data."""
        return {"area": self.area, "shares": list(self.shares), "values": list(self.values)}


@dataclass(frozen=True)
class Pair:
    """Two curves of one order of the pixels: deleted in it, and inserted."""

    deletion: Curve
    insertion: Curve

    def data(self) -> dict[str, Any]:
        """As plain JSON data."""
        return {"deletion": self.deletion.data(), "insertion": self.insertion.data()}


@dataclass(frozen=True)
class Bases:
    """What is reached without any map.

    Attributes:
        random: pixels in random order, mean of several; what a worthless map would reach.
        centre: pixels by their distance from the centre; what one would reach without looking.
        scatter: of the random orders, the greatest area minus the smallest: of the deletion and of
            the insertion.
    """

    random: Pair
    centre: Pair
    scatter: tuple[float, float]

    @classmethod
    def of(cls, orders: Sequence[Pair], centre: Pair) -> Bases:
        """Of several random orders."""
        kinds = [each.deletion for each in orders], [each.insertion for each in orders]
        fall, rise = map(_mean, kinds)
        first, second = ([curve.area for curve in each] for each in kinds)
        return cls(Pair(fall, rise), centre, (max(first) - min(first), max(second) - min(second)))

    def data(self) -> dict[str, Any]:
        """As plain JSON data."""
        scatter = dict(zip(("deletion", "insertion"), self.scatter, strict=True))
        return {"random": self.random.data() | {"scatter": scatter}, "centre": self.centre.data()}


def _mean(curves: Sequence[Curve]) -> Curve:
    heights = zip(*(curve.values for curve in curves), strict=True)
    return Curve(curves[0].shares, tuple(sum(each) / len(curves) for each in heights))
