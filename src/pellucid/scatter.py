"""Scatter: points in their colours on paper, groups with their names, a legend beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin, sqrt

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from pellucid.chart import BLUE, GREY, ORANGE, Colour
from pellucid.ink import inked, lettered, text_width
from pellucid.tiles import FAINT, INK, PAPER, fitted

# Told apart on light and dark paper, the first also by people who see fewer colours (Okabe & Ito).
COLOURS: tuple[Colour, ...] = (
    BLUE, ORANGE, (0.0, 0.62, 0.45), (0.80, 0.47, 0.65), (0.90, 0.62, 0.0), (0.34, 0.71, 0.91),
    (0.53, 0.36, 0.74), (0.85, 0.24, 0.31), (0.64, 0.48, 0.33), (0.55, 0.67, 0.16),
    (0.42, 0.47, 0.66), (0.13, 0.58, 0.60),
)  # fmt: skip
NONE = GREY  # of points without a label
PLOT, LEGEND, RIM, HEAD = 900, 190, 14, 30  # px
FINE = 3  # times finer than the picture, then averaged
LETTER, ROW = 12, 18


@dataclass(frozen=True)
class Groups:
    """Points by their names.

    Attributes:
        names: the largest group first.
        number: (points,), the group of each; -1, none.
        colours: of each group.
        sizes: of each group.
        centres: (groups, 2), a point of each, in its middle.
    """

    names: tuple[str, ...]
    number: Int[Tensor, "points"]
    colours: tuple[Colour, ...]
    sizes: tuple[int, ...]
    centres: Float[Tensor, "groups 2"]

    @classmethod
    def of(cls, points: Float[Tensor, "points 2"], labels: Sequence[str]) -> Groups:
        """Equal labels are a group. Where colours are used again, far from each other."""
        counts = Counter(label for label in labels if label)
        names = sorted(counts, key=lambda name: (-counts[name], name))
        known = {name: number for number, name in enumerate(names)}
        number = torch.tensor([known.get(label, -1) for label in labels], dtype=torch.long)
        centres = [_middle(points[number == group]) for group in range(len(names))]
        stacked = torch.stack(centres) if centres else torch.empty(0, 2)
        sizes = tuple(counts[name] for name in names)
        return cls(tuple(names), number, _coloured(stacked), sizes, stacked)

    def of_points(self) -> Float[Tensor, "points 3"]:
        """The colour of each point."""
        return torch.tensor([*self.colours, NONE])[self.number]


def _middle(points: Float[Tensor, "points 2"]) -> Float[Tensor, "2"]:
    """The point nearest to the median: never in the gap between two halves of a group."""
    median = points.median(0).values
    return points[(points - median).square().sum(1).argmin()]


def _coloured(centres: Float[Tensor, "groups 2"]) -> tuple[Colour, ...]:
    count = len(COLOURS)
    chosen = torch.arange(len(centres))
    for group in range(count, len(centres)):
        far = (centres[:group] - centres[group]).norm(dim=1)
        nearest = [float(far[chosen[:group] == colour].min()) for colour in range(count)]
        chosen[group] = max(range(count), key=nearest.__getitem__)
    return tuple(COLOURS[int(colour)] for colour in chosen)


def scatter(
    points: Float[Tensor, "points 2"],
    groups: Groups,
    title: str,
    more: Sequence[str] = (),
    marks: Sequence[tuple[tuple[float, float], str]] = (),
) -> Float[Tensor, "3 height width"]:
    """The points, one scale for both axes, under a title; of groups as many names as have room.

    Args:
        more: lines below the title.
        marks: places that get a ring and a name.
    """
    places = placed(points)
    dots = _dots(places, groups.of_points(), _width(len(points)))
    if len(groups.names) > 1:
        dots = _named(dots, placed(points, groups.centres), groups)
    for place, name in marks:
        dots = _marked(dots, placed(points, torch.tensor([place]))[0].tolist(), name)
    head = torch.full((3, HEAD + ROW * len(more), PLOT + LEGEND), PAPER)
    head = lettered(head, fitted(title, head.shape[2] - 16, 16), 7, 8, 16, INK)
    for number, line in enumerate(more):
        text = fitted(line, head.shape[2] - 16, LETTER)
        head = lettered(head, text, HEAD + ROW * number, 8, LETTER, FAINT)
    return torch.cat([head, torch.cat([dots, _legend(groups)], 2)], 1)


def placed(
    points: Float[Tensor, "points 2"], others: Float[Tensor, "others 2"] | None = None
) -> Float[Tensor, "_ 2"]:
    """Across and down in px; of `others` in the frame of the points. What is far up is on top."""
    low, high = points.amin(0), points.amax(0)
    span = float((high - low).max()) or 1.0
    asked = points if others is None else others
    scaled = (asked - (low + high) / 2) / span * (PLOT - 2 * RIM)
    return scaled * torch.tensor([1.0, -1.0]) + PLOT / 2


def _width(count: int) -> float:
    """px of a dot: smaller where there are many."""
    return max(2.5, min(9.0, 320 / sqrt(count)))


def _dots(
    places: Float[Tensor, "points 2"], colours: Float[Tensor, "points 3"], width: float
) -> Float[Tensor, "3 height width"]:
    side, radius = PLOT * FINE, round(width * FINE / 2)
    middle = (places * FINE).round().long()
    # On top is whoever a fixed shuffle puts there: else one group would cover another.
    order = torch.randperm(len(places), generator=torch.Generator().manual_seed(0))
    owner = torch.full((side * side,), -1)
    for down in range(-radius, radius + 1):
        for right in range(-radius, radius + 1):
            if right**2 + down**2 > (radius + 0.3) ** 2:
                continue
            x, y = (middle + torch.tensor([right, down])).clamp(0, side - 1).unbind(1)
            owner.scatter_reduce_(0, y * side + x, order, "amax")
    table = torch.cat([colours[order.argsort()], torch.full((1, 3), 0.975)])
    page = table[owner].reshape(side, side, 3).movedim(2, 0)
    pooled: Tensor = F.avg_pool2d(page, FINE)
    return pooled


def roomy(
    centres: Float[Tensor, "groups 2"], names: Sequence[str]
) -> list[tuple[int, str, tuple[float, float]]]:
    """Groups whose names can stand at their centres, the larger before the smaller.

    Args:
        centres: in px, as `placed` gives them.

    Returns:
        Of each the group, the name as it fits and its middle.
    """
    boxes: list[tuple[float, float, float, float]] = []
    found = []
    for group, ((x, y), name) in enumerate(zip(centres.tolist(), names, strict=True)):
        text = fitted(name, 150, LETTER)
        half = text_width(text, LETTER) / 2 + 2
        x, y = min(max(x, half + 2), PLOT - half - 2), min(max(y, 12.0), PLOT - 12.0)
        box = (x - half, y - 8, x + half, y + 8)
        if all(_apart(box, other) for other in boxes):
            boxes.append(box)
            found.append((group, text, (x, y)))
    return found


def _named(
    page: Float[Tensor, "3 height width"], centres: Float[Tensor, "groups 2"], groups: Groups
) -> Float[Tensor, "3 height width"]:
    for _, text, (x, y) in roomy(centres, groups.names):
        half = text_width(text, LETTER) / 2 + 4
        left, top = max(0, int(x - half)), int(y) - 10
        part = page[:, top : top + 21, left : left + int(2 * half) + 2]
        part[:] = _haloed(part, text, y - top, x - left)
    return page


def _marked(page: Tensor, place: list[float], name: str) -> Tensor:
    x, y = (min(max(side, 12.0), PLOT - 12.0) for side in place)
    ring = [(x + 9 * cos(turn / 10 * pi), y + 9 * sin(turn / 10 * pi)) for turn in range(21)]
    page = inked(inked(page, ring, (1.0, 1.0, 1.0), 6), ring, (0.0, 0.0, 0.0), 2.5)
    text = fitted(name, 200, LETTER)
    half = text_width(text, LETTER) / 2
    return _haloed(page, text, y + 19 if y < PLOT - 40 else y - 19, min(max(x, half), PLOT - half))


def _apart(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]


def _haloed(part: Tensor, text: str, y: float, x: float) -> Tensor:
    for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (1, 1), (-1, 1), (1, -1)):
        part = lettered(part, text, y + down, x + right, LETTER, (1.0, 1.0, 1.0), "mm")
    return lettered(part, text, y, x, LETTER, INK, "mm")


def _legend(groups: Groups) -> Float[Tensor, "3 height width"]:
    page = torch.full((3, PLOT, LEGEND), PAPER)
    rows = PLOT // ROW - 1
    nameless = int((groups.number < 0).sum())
    entries = list(zip(groups.names, groups.sizes, groups.colours, strict=True))
    entries += [("no label", nameless, NONE)] if nameless else []
    for number, (name, size, colour) in enumerate(entries[:rows]):
        line = page[:, number * ROW : (number + 1) * ROW]
        line[:, 4:14, 10:20] = torch.tensor(colour).view(3, 1, 1)
        text = fitted(name, LEGEND - 75, LETTER)
        line[:] = lettered(line, text, ROW / 2, 27, LETTER, INK, "lm")
        line[:] = lettered(line, f"{size:,}", ROW / 2, LEGEND - 10, LETTER, FAINT, "rm")
    if len(entries) > rows:
        line = page[:, rows * ROW : (rows + 1) * ROW]
        line[:] = lettered(line, f"and {len(entries) - rows} more", 3, 27, LETTER, FAINT)
    return page
