"""Panels: pictures of one size in a row, each with a title above it and something below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid import tiles
from pellucid.fonts import drawable
from pellucid.ink import lettered, text_width

LEAST, MOST = 224, 336  # px: longer side of a panel
COLUMN = 224  # px: names need some room, however narrow the pictures are
BETWEEN = 30  # px, with room for a sign
MARGIN = 12
TITLE = 14  # px, of its letters


@dataclass(frozen=True)
class Opinion:
    """What a network holds most probable.

    Attributes:
        names: of classes, best first.
        shares: the probability of each.
        numbers: of the classes, drawn where no font here has a name's letters; empty, unknown.
    """

    names: tuple[str, ...]
    shares: tuple[float, ...]
    numbers: tuple[int, ...] = ()

    @classmethod
    def of(cls, scores: Float[Tensor, "classes"], labels: Sequence[str], top: int = 3) -> Opinion:
        """From unnormalised scores."""
        best = scores.argsort(descending=True, stable=True)[:top]
        shares = scores.double().softmax(0)[best]
        numbers = tuple(best.tolist())
        return cls(tuple(labels[one] for one in numbers), tuple(shares.tolist()), numbers)

    def __str__(self) -> str:
        return f"{self.names[0]} at {percent(self.shares[0])}"

    def data(self) -> list[dict[str, object]]:
        """As plain data."""
        return [
            {"name": name, "probability": share}
            for name, share in zip(self.names, self.shares, strict=True)
        ]


def percent(share: float) -> str:
    """A probability with as many digits as tell it from none and from certainty."""
    if share < 1e-6:
        return "under 0.0001%"
    if share < 0.01:
        return f"{100 * share:.1g}%"
    if share <= 0.99 or share == 1:
        return f"{share:.0%}"
    # Cut, not rounded: what is not yet 99.99% is not to be called so.
    digits = next((number for number in (1, 2, 3) if 1 - share >= 10.0 ** -(number + 2)), 4)
    return f"{int(share * 10 ** (digits + 2) + 1e-6) / 10**digits:.{digits}f}%"


@dataclass(frozen=True)
class Panel:
    """One picture of a row.

    Attributes:
        picture: from 0 to 1.
        exact: whether it is drawn as large as it is, such as a chart of `place_of` the others.
        said: drawn as bars below it.
        lines: written below it.
        sign: in front of it, such as "+".
    """

    title: str
    picture: Float[Tensor, "channels height width"]
    said: Opinion | None = None
    lines: Sequence[str] = field(default=())
    sign: str = ""
    exact: bool = False

    def below(self, wide: int) -> Float[Tensor, "3 height width"]:
        """Bars and lines."""
        parts = []
        if self.said:
            names = drawable(self.said.names, self.said.numbers)
            parts.append(tiles.bar_list(self.said.shares, names, wide, percent))
        for line in self.lines:
            row = torch.full((3, 19, wide), tiles.PAPER)
            parts.append(lettered(row, tiles.fitted(line, wide, 13), 2, 0, 13, tiles.INK))
        return torch.cat([torch.full((3, 8, wide), tiles.PAPER), *parts], 1)


def place_of(picture: Tensor) -> tuple[int, int]:
    """Height and width of what has the place of such a picture all to itself."""
    height, width = size_of(picture)
    return max(height, 180), max(width, COLUMN)


def size_of(picture: Tensor) -> tuple[int, int]:
    """Height and width that a picture of a network's input has in a panel."""
    height, width = picture.shape[-2:]
    factor = max(1, -(-LEAST // max(height, width)))
    height, width = height * factor, width * factor
    scale = min(1.0, MOST / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def row(panels: Sequence[Panel]) -> Float[Tensor, "3 height width"]:
    """Panels side by side, the pictures of one size."""
    size = size_of(panels[0].picture)
    height, column = place_of(panels[0].picture)
    below = [panel.below(column) for panel in panels]
    top = TITLE + 8
    firsts = [top + (height if panel.exact else size[0]) for panel in panels]
    deep = max(first + part.shape[1] for first, part in zip(firsts, below, strict=True))
    wide = len(panels) * (column + BETWEEN) - BETWEEN
    page = torch.full((3, deep, wide), tiles.PAPER)
    for number, (panel, under) in enumerate(zip(panels, below, strict=True)):
        left = number * (column + BETWEEN)
        title = tiles.fitted(panel.title, column, TITLE)
        page[:, :top] = lettered(page[:, :top], title, 0, left, TITLE, tiles.INK)
        shown = panel.picture if panel.exact else _shown(panel.picture, size)
        page[:, top : top + shown.shape[1], left : left + shown.shape[2]] = shown
        first = firsts[number]
        page[:, first : first + under.shape[1], left : left + column] = under
        if panel.sign:
            across = left - BETWEEN / 2 - text_width(panel.sign, 24) / 2
            page = lettered(page, panel.sign, top + size[0] / 2, across, 24, tiles.INK, "lm")
    framed = torch.full((3, page.shape[1] + 2 * MARGIN, page.shape[2] + 2 * MARGIN), tiles.PAPER)
    framed[:, MARGIN:-MARGIN, MARGIN:-MARGIN] = page
    return framed


def _shown(
    picture: Float[Tensor, "channels h w"], size: tuple[int, int]
) -> Float[Tensor, "3 height width"]:
    """Pixels as squares where that fits."""
    picture = tiles.enlarged(picture.detach().cpu().float().expand(3, -1, -1), LEAST)
    return picture if tuple(picture.shape[1:]) == size else tiles.resized(picture, size)
