"""Chart: a few lines in a frame, small and readable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, hypot, log10

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.ink import inked, lettered, text_width
from pellucid.tiles import FAINT, INK, LETTER, PAPER, dotted, fitted

Colour = tuple[float, float, float]
# Told apart by people who see fewer colours, too (Okabe & Ito), and in grey by their dashes.
BLUE, ORANGE, GREY = (0.0, 0.447, 0.698), (0.835, 0.369, 0.0), (0.45, 0.45, 0.48)
LEFT, RIGHT, TOP, BOTTOM = 34, 10, 6, 34  # px around the plot, legend not counted
ROW = LETTER + 5  # px, a line of text


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        points: across and up, in the units of the axes.
        name: for the legend.
        dash: px of each dash and each gap; 0, a whole line.
        filled: whether the area down to zero is tinted.
        dots: whether each point is marked.
    """

    points: Sequence[tuple[float, float]]
    name: str
    colour: Colour
    dash: float = 0.0
    filled: bool = False
    dots: bool = False


@dataclass(frozen=True)
class Axis:
    """What a chart's side says.

    Attributes:
        low, high: its ends.
        ticks: places and what is written there.
        name: below it or above it.
    """

    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    name: str = ""

    @classmethod
    def around(cls, low: float, high: float) -> Axis:
        """One with a few round ticks that holds both numbers."""
        span = (high - low) or 1.0
        unit = 10.0 ** floor(log10(span))
        step = next(unit * part for part in (0.2, 0.25, 0.5, 1, 2) if span <= 5 * unit * part)
        # A hair of rounding makes no tick more.
        first, last = floor(low / step + 1e-9), max(ceil(high / step - 1e-9), 0)
        last = max(last, first + 1)
        ticks = [(number * step, f"{number * step:.3g}") for number in range(first, last + 1)]
        return cls(first * step, last * step, ticks)


def chart(
    title: str, lines: Sequence[Line], across: Axis, up: Axis, size: tuple[int, int]
) -> Float[Tensor, "3 height width"]:
    """Lines in a frame with ticks, a title and a legend on top, of a height and width in px."""
    height, width = size
    page = torch.full((3, height, width), PAPER)
    page = lettered(page, fitted(title, width - 4, 13), 0, 2, 13, INK)
    top = 20 + ROW * len(lines) + TOP
    box = (LEFT, top, width - RIGHT, height - BOTTOM)
    for number, line in enumerate(lines):
        page = _legend(page, line, 20 + ROW * number)
    page = _grid(page, box, across, up)

    def place(point: tuple[float, float]) -> tuple[float, float]:
        x = (point[0] - across.low) / (across.high - across.low)
        y = (min(max(point[1], up.low), up.high) - up.low) / (up.high - up.low)
        return box[0] + x * (box[2] - box[0]), box[3] - y * (box[3] - box[1])

    for line in lines:
        if line.filled:
            ends = [(line.points[-1][0], 0.0), (line.points[0][0], 0.0)]
            page = inked(page, [place(p) for p in [*line.points, *ends]], line.colour, 0, 0.13)
    for line in reversed(lines):  # the first on top
        page = _drawn(page, [place(p) for p in line.points], line)
    return page


def _legend(page: Tensor, line: Line, top: int) -> Tensor:
    middle = top + LETTER / 2 + 2
    page = _drawn(page, [(2.0, middle), (22.0, middle)], line)
    name = fitted(line.name, page.shape[2] - 30)
    return lettered(page, name, top, 28, LETTER, INK)


def _grid(page: Tensor, box: tuple[int, int, int, int], across: Axis, up: Axis) -> Tensor:
    left, top, right, bottom = box
    for value, text in up.ticks:
        y = round(bottom - (value - up.low) / (up.high - up.low) * (bottom - top))
        page[:, y, left:right] = 0.62 if not value else 0.88
        page = lettered(page, text, y, left - 5, LETTER, FAINT, anchor="rm")
    page[:, top : bottom + 1, left] = 0.62
    page[:, bottom, left:right] = 0.62
    texts: list[tuple[float, float]] = []  # where they stand, so that none runs into another
    ends = list(across.ticks[:1]) + list(across.ticks[:0:-1])
    for value, text in ends[:2] + ends[:1:-1]:  # both ends before what is between them
        x = round(left + (value - across.low) / (across.high - across.low) * (right - left))
        page[:, bottom : bottom + 4, x] = 0.62
        shown = dotted(text, (right - left) / 3)
        half = text_width(shown, LETTER) / 2
        middle = min(max(float(x), half), page.shape[2] - half)
        if all(middle - half > end + 4 or middle + half < start - 4 for start, end in texts):
            page = lettered(page, shown, bottom + 5, middle, LETTER, FAINT, anchor="ma")
            texts.append((middle - half, middle + half))
    middle = (left + right) / 2
    name = fitted(across.name, page.shape[2] - 8)
    return lettered(page, name, bottom + 5 + ROW - 2, middle, LETTER, FAINT, anchor="ma")


def _drawn(page: Tensor, points: list[tuple[float, float]], line: Line) -> Tensor:
    for part in _dashes(points, line.dash) if line.dash else [points]:
        page = inked(page, part, line.colour, 1.8)
    for point in points if line.dots else []:
        page = inked(page, [point, point], line.colour, 5)
    return page


def _dashes(points: list[tuple[float, float]], dash: float) -> list[list[tuple[float, float]]]:
    """Every other piece of the line, all of one length."""
    pieces: list[list[tuple[float, float]]] = []
    gone = 0.0
    for a, b in pairwise(points):
        length = hypot(b[0] - a[0], b[1] - a[1])
        if not length:
            continue
        for number in range(int(gone // dash), ceil((gone + length) / dash)):
            if number % 2:
                continue
            ends = (max(number * dash, gone), min((number + 1) * dash, gone + length))
            shares = [(end - gone) / length for end in ends]
            pieces.append([(a[0] + s * (b[0] - a[0]), a[1] + s * (b[1] - a[1])) for s in shares])
        gone += length
    return pieces
