"""Spans: which rectangle of a map each mask can reach, for all masks at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Slide:
    """A window that slides along one axis, as in a convolution or a pooling.

    Attributes:
        kernel, stride, dilation: in places.
        pad: places added before the first one; cut off where negative.
        length: places that come out.
    """

    kernel: int
    stride: int = 1
    pad: int = 0
    dilation: int = 1
    length: int = 0

    @property
    def extent(self) -> int:
        """Places from the first to the last that one window reads, both counted."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def plain(self) -> bool:
        """Whether each output reads the one place that it stands on."""
        return (self.kernel, self.stride, self.pad) == (1, 1, 0)

    def reached(self, first: Numbers, end: Numbers) -> tuple[Numbers, Numbers]:
        """The outputs that read any of the places from `first` up to, without, `end`."""
        low = -((self.extent - 1 - first - self.pad) // self.stride)
        high = (end - 1 + self.pad) // self.stride + 1
        low, high = np.clip(low, 0, self.length), np.clip(high, 0, self.length)
        return low, np.where(end > first, np.maximum(high, low), low)

    def read(self, first: Any, count: int) -> tuple[Any, int]:
        """The place where `count` outputs from `first` begin to read, and how many they read."""
        return first * self.stride - self.pad, (count - 1) * self.stride + self.extent

    @property
    def beyond(self) -> int:
        """End of what the last output reads, in places of the input."""
        return (self.length - 1) * self.stride - self.pad + self.extent


class Spans:
    """One rectangle of a map for each mask: what may differ from the clean map lies inside.

    Args:
        edges: (4, masks): top, bottom, left and right, the ends not counted; where a mask changes
            nothing, bottom is top or right is left.
        size: height and width of the map.
    """

    def __init__(self, edges: Numbers, size: tuple[int, int]) -> None:
        self.edges = edges
        self.size = size

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Spans)
            and self.size == other.size
            and np.array_equal(self.edges, other.edges)
        )

    def __hash__(self) -> int:
        return hash((self.size, self.edges.tobytes()))

    @property
    def extents(self) -> Numbers:
        """(2, masks): heights and widths, at least one place each."""
        found: Numbers = np.maximum(self.edges[1::2] - self.edges[::2], 1)
        return found

    def slid(self, rows: Slide, columns: Slide) -> Spans:
        """What a sliding window makes of them."""
        top, bottom = rows.reached(self.edges[0], self.edges[1])
        left, right = columns.reached(self.edges[2], self.edges[3])
        return Spans(np.stack([top, bottom, left, right]), (rows.length, columns.length))

    def joined(self, *others: Spans) -> Spans:
        """The smallest rectangles around these and others on maps of the same size."""
        edges = [self.edges, *(other.edges for other in others)]
        full = [np.all(e[1::2] > e[::2], 0) for e in edges]
        far = np.int64(1 << 40)
        low = np.min([np.where(f, e[::2], far) for e, f in zip(edges, full, strict=True)], 0)
        high = np.max([np.where(f, e[1::2], 0) for e, f in zip(edges, full, strict=True)], 0)
        low = np.where(high > low, low, 0)
        return Spans(np.stack([low[0], high[0], low[1], high[1]]), self.size)


@dataclass(frozen=True)
class Rectangles:
    """The rectangles of one batch of masks on one map, all of the same size and inside the map.

    Attributes:
        top, left: (masks,), of each.
        height, width: of all.
    """

    top: Numbers
    left: Numbers
    height: int
    width: int

    @classmethod
    def around(cls, spans: Spans, masks: Numbers, height: int, width: int) -> Rectangles:
        """Around the spans of some masks, moved inward where they would hang out."""
        top = np.minimum(spans.edges[0, masks], spans.size[0] - height)
        left = np.minimum(spans.edges[2, masks], spans.size[1] - width)
        return cls(top, left, height, width)
