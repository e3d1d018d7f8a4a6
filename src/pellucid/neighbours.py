"""Neighbours: photos, and what lies nearest to them in features and in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid import tiles
from pellucid.chart import GREY, ORANGE, Colour
from pellucid.ink import inked, lettered, text_width
from pellucid.notebook import figure
from pellucid.pictures import webp_bytes
from pellucid.results import QUALITY, Result

ASKED, SMALL, SMALLER, FEW = 132, 96, 72, 6  # px of photos; more than a few are drawn smaller
ACROSS = 12  # neighbours side by side; more go on in the next line
GAP, BETWEEN, HEAD, LETTER, ROW = 9, 26, 44, 12, 18  # px


@dataclass(frozen=True, eq=False)
class Near:
    """One neighbour.

    Attributes:
        row: of the collection.
        distance: to what was asked about; of a unit, its value.
        label: "" where there is none.
        picture: (3, height, width), 0 to 1.
    """

    row: int
    distance: float
    label: str
    uri: str
    picture: Float[Tensor, "3 height width"]

    def __repr__(self) -> str:
        label = f", {self.label}" if self.label else ""
        return f"<Near {self.uri}{label}: {self.distance:.3g}>"

    def _repr_html_(self) -> str:
        return figure(webp_bytes(self.picture, QUALITY), "webp", repr(self)[1:-1])

    def data(self) -> dict[str, Any]:
        """As plain data."""
        names = ("row", "distance", "label", "uri")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, eq=False)
class Asked:
    """What was asked about, and its neighbours.

    Attributes:
        name: of a file, a unit, or what else it is.
        label: "" where there is none.
        picture: None for what is no photo.
        features: nearest in features, the nearest first; of a unit, the images that raise it most.
        pixels: nearest in pixels; empty where they were not compared.
    """

    name: str
    label: str
    picture: Float[Tensor, "3 height width"] | None
    features: tuple[Near, ...]
    pixels: tuple[Near, ...] = ()

    def __repr__(self) -> str:
        counts = f"{len(self.features)} in features, {len(self.pixels)} in pixels"
        return f"<Asked {self.name}: nearest {counts}>"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Neighbours(Result):
    """Nearest photos of a collection, a row for everything that was asked about.

    Attributes:
        values: (asked, neighbours), distances in features, rising; of units their values, falling.
        asked: one for each row.
        heads: what stands above the photos: what was asked, nearest in what.
        agreement: rows of names with the share of neighbours with the same label, by the number
            of neighbours.
        over: what the agreement was measured on.
    """

    values: Float[Tensor, "asked neighbours"]
    asked: tuple[Asked, ...]
    heads: tuple[str, ...]
    agreement: tuple[tuple[str, dict[int, float]], ...] = ()
    over: str = ""

    def __getitem__(self, number: int) -> Asked:
        return self.asked[number]

    def data(self) -> dict[str, Any]:
        """With all neighbours and the agreement."""
        rows = [
            {
                "name": one.name,
                "label": one.label,
                "features": [near.data() for near in one.features],
                "pixels": [near.data() for near in one.pixels],
            }
            for one in self.asked
        ]
        shares = {
            name: {str(count): share for count, share in found.items()}
            for name, found in self.agreement
        }
        return super().data() | {"asked": rows, "agreement": shares}

    def image(self) -> Float[Tensor, "3 height width"]:
        """A row for each: what was asked, nearest in features, nearest in pixels.

        Of many neighbours the row has several lines.
        """
        count = self.values.shape[1]
        side = SMALL if count <= FEW else SMALLER
        across = min(count, ACROSS)
        block = across * (side + GAP) - GAP
        blocks = 2 if any(one.pixels for one in self.asked) else 1
        lefts = [GAP, *(GAP + ASKED + BETWEEN + n * (block + BETWEEN) for n in range(blocks))]
        wide = max(lefts[-1] + block + GAP, ASKED + 300)
        page = torch.full((3, HEAD, wide), tiles.PAPER)
        widths = [ASKED + BETWEEN - GAP, *[block + BETWEEN - GAP] * blocks]
        for left, room, text in zip(lefts, widths, self.heads, strict=False):
            for number, line in enumerate(tiles.wrapped(text, room, LETTER + 1)[:2]):
                page = lettered(page, line, 6 + ROW * number, left, LETTER + 1, tiles.INK)
        parts = [page]
        lines = -(-count // ACROSS)
        first = GAP + (ASKED - side) // 2 if lines == 1 else GAP
        below = side + ROW + GAP  # from one line to the next
        tall = max(ASKED + ROW + 2 * GAP, lines * below + 2 * GAP)
        for one in self.asked:
            strip = torch.full((3, tall, wide), tiles.PAPER)
            strip = self._asked(strip, one)
            for left, found in zip(lefts[1:], (one.features, one.pixels), strict=False):
                for place, near in enumerate(found):
                    down, right = divmod(place, ACROSS)
                    at = first + down * below, left + right * (side + GAP)
                    strip = _near(strip, near, one.label, at, side)
            parts.append(strip)
        if self.agreement:
            parts.append(self._agreement(wide))
        return torch.cat(parts, 1)

    def _asked(self, strip: Tensor, one: Asked) -> Tensor:
        top, left = GAP, GAP
        if one.picture is None:
            strip[:, top : top + ASKED, left : left + ASKED] = 0.95
            for number, line in enumerate(tiles.wrapped(one.name, ASKED - 16, LETTER)[:6]):
                strip = lettered(strip, line, top + 8 + ROW * number, left + 8, LETTER, tiles.INK)
            return strip
        strip[:, top : top + ASKED, left : left + ASKED] = tiles.boxed(one.picture, (ASKED, ASKED))
        text = tiles.fitted(one.label, ASKED, LETTER) or tiles.tailed(one.name, ASKED, LETTER)
        return lettered(strip, text, top + ASKED + 3, left, LETTER, tiles.INK)

    def _agreement(self, wide: int) -> Float[Tensor, "3 height width"]:
        counts = sorted({count for _, found in self.agreement for count in found})
        names = [name for name, _ in self.agreement]
        page = torch.full((3, ROW * (len(names) + 2) + 14, wide), tiles.PAPER)
        first = max(text_width(name, LETTER) for name in names) + GAP + 30
        title = tiles.fitted(
            f"Neighbours with the same label, of {self.over}", wide - 12, LETTER + 1
        )
        page = lettered(page, title, 4, GAP, LETTER + 1, tiles.INK)
        for place, count in enumerate(counts):
            head = f"nearest {count}" if count > 1 else "nearest"
            page = lettered(
                page, head, 8 + ROW, first + 90 * (place + 1), LETTER, tiles.FAINT, "ra"
            )
        for number, (name, found) in enumerate(self.agreement, start=2):
            page = lettered(page, name, 8 + ROW * number, GAP, LETTER, tiles.INK)
            for place, count in enumerate(counts):
                text = f"{found[count]:.1%}" if count in found else ""
                right = first + 90 * (place + 1)
                page = lettered(page, text, 8 + ROW * number, right, LETTER, tiles.INK, "ra")
        return page


def _near(strip: Tensor, near: Near, label: str, at: tuple[int, int], side: int) -> Tensor:
    """A neighbour; where its label is another one, in a frame and with a cross."""
    top, left = at
    strip[:, top : top + side, left : left + side] = tiles.boxed(near.picture, (side, side))
    wrong = bool(label and near.label and near.label != label)
    if wrong:
        edge = torch.tensor(ORANGE).view(3, 1, 1)
        inner = strip[:, top : top + side, left : left + side].clone()
        strip[:, top - 3 : top + side + 3, left - 3 : left + side + 3] = edge
        strip[:, top : top + side, left : left + side] = inner
        strip = _cross(strip, left + side - 9.0, top + 9.0)
    ink: Colour = (0.7, 0.28, 0.0) if wrong else GREY
    text = tiles.fitted(near.label, side, LETTER - 1)
    return lettered(strip, text, top + side + 4, left, LETTER - 1, ink)


def _cross(strip: Tensor, x: float, y: float) -> Tensor:
    """Told apart also by those to whom the frame's colour says nothing."""
    strip = inked(strip, [(x, y)] * 2, (1.0, 1.0, 1.0), 16)
    for way in (1, -1):
        strip = inked(strip, [(x - 4, y - 4 * way), (x + 4, y + 4 * way)], ORANGE, 2.4)
    return strip
