"""One axis of a receptive field: which input pixels each unit of a row sees."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

Status = Literal["exact", "at most", "whole"]
Span = tuple[int, int]
_CAUTION: tuple[Status, ...] = ("exact", "at most", "whole")


def most_cautious(statuses: Iterable[Status]) -> Status:
    """The status of something made of several: no better than the worst of its parts."""
    return max(statuses, key=_CAUTION.index)


def hull(spans: Iterable[Span]) -> Span:
    """The smallest span around several; a span without pixels, (p, p), counts for nothing."""
    seen = [span for span in spans if span[0] < span[1]]
    return (min(a for a, _ in seen), max(b for _, b in seen)) if seen else (0, 0)


@dataclass(frozen=True)
class Axis:
    """One axis of a field: which input pixels unit i of this axis sees.

    `start`, `size` and `stride` are the textbook numbers, which hold as long as no border is near.
    `spans` is the same unit by unit, borders, paddings and gaps accounted for: what padded zeros
    hide is left out of it.
    """

    start: float  # first input pixel seen by unit 0; negative when that is padding
    size: int  # pixels seen by a unit, borders ignored
    stride: float  # pixels from one unit to the next
    spans: tuple[Span, ...] = field(repr=False)  # half-open, inside the image, one per unit
    status: Status = "exact"

    @classmethod
    def pixels(cls, length: int) -> Axis:
        """The axis of the image itself: every pixel sees itself."""
        return cls(0.0, 1, 1.0, tuple((i, i + 1) for i in range(length)))

    @classmethod
    def whole(cls, length: int, units: int = 1) -> Axis:
        """The axis of units that may see all `length` pixels."""
        return cls(0.0, length, 0.0, ((0, length),) * units, "whole")

    def __len__(self) -> int:
        return len(self.spans)

    def span(self, index: int) -> Span:
        """Half-open [first, last) of unit `index` by the textbook numbers, not clipped."""
        first = self.start + index * self.stride
        return math.floor(first + 1e-6), math.ceil(first + self.size - 1e-6)

    def through(
        self,
        taps: Sequence[Sequence[int]],
        step: Fraction | int,
        fold: Callable[[int], int] | None = None,
    ) -> Axis:
        """The axis behind an operation whose unit i reads units `taps[i]` of this one.

        Taps outside this axis read padding. `step` is how far the taps move from one unit to the
        next; `fold` says which unit stands in for a tap outside (reflecting or repeating borders, a
        roll). Where the taps do not move evenly (upsampling), size is that of a window wide enough
        for every unit, and the status says "at most".
        """
        spans = []
        folded = False
        for row in taps:
            reads = [fold(tap) for tap in row] if fold else row
            folded = folded or list(reads) != list(row)
            spans.append(hull(self.spans[tap] for tap in reads if 0 <= tap < len(self)))
        ends = {(min(row) - step * i, max(row) - step * i) for i, row in enumerate(taps) if row}
        low, high = min(end[0] for end in ends), max(end[1] for end in ends)
        even = len(ends) == 1 and all(taps) and not folded
        return Axis(
            start=self.start + float(low) * self.stride,
            size=math.ceil(self.size + float(high - low) * self.stride - 1e-6),
            stride=self.stride * float(step),
            spans=tuple(spans),
            status=most_cautious([self.status, "exact" if even else "at most"]),
        )

    def union(self, other: Axis) -> Axis:
        """The axis of units that see both what is seen here and in `other`: a sum, a product."""
        if len(self) != len(other):
            raise ValueError(f"axes of {len(self)} and {len(other)} units do not line up")
        if self.status == "whole" or other.status == "whole":
            return self if self.status == "whole" else other
        # Seen from this axis's steps, the other's units drift when its stride differs; the ends
        # drift furthest.
        drifts = [(other.stride - self.stride) * i for i in (0, len(self) - 1)]
        start = min(self.start, *(other.start + drift for drift in drifts))
        end = max(self.start + self.size, *(other.start + other.size + drift for drift in drifts))
        even: Status = "exact" if other.stride == self.stride else "at most"
        return replace(
            self,
            start=start,
            size=math.ceil(end - start - 1e-6),
            spans=tuple(hull(pair) for pair in zip(self.spans, other.spans, strict=True)),
            status=most_cautious([self.status, other.status, even]),
        )

    def at_most(self) -> Axis:
        """The same axis, for units of which some may see less."""
        return replace(self, status=most_cautious([self.status, "at most"]))
