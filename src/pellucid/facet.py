"""Facets: the several things that one unit answers to, each with the photos that led to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from pellucid import tiles
from pellucid.chart import BLUE, GREY, ORANGE, Colour
from pellucid.ink import inked, lettered
from pellucid.results import Result

# Okabe & Ito's, told apart also by people who see fewer colours; repeated where they run out.
COLOURS: tuple[Colour, ...] = (
    BLUE, ORANGE, (0.0, 0.62, 0.45), (0.80, 0.47, 0.65), (0.90, 0.62, 0.0),
    (0.34, 0.71, 0.91), (0.0, 0.0, 0.0), (0.75, 0.70, 0.10),
)  # fmt: skip
DRAWN, SMALL, ACROSS, DOWN = 192, 62, 5, 3  # px of a picture and of a photo; photos in a row
MAP, RIM = 240, 16  # px
HEAD = tiles.LETTER + 7


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Facets(Result):
    """Pictures of one unit, each climbed from the mean of a group of photos.

    Attributes:
        values: (facets, 3 or 1, height, width), 0 to 1, that of the largest group first.
        starts: (facets, 3 or 1, h, w), the mean photo that each began as.
        nearest: of each group the photos that its mean is of, the nearest to its centre first.
        places: (photos, 2), all photos on the map that the groups were found on.
        groups: (photos,), the facet that each belongs to, from 0.
        scores: (facets,), the unit's value on each picture.
        of: what each of the photos is: a "photo", or a "part" of one.
    """

    values: Float[Tensor, "facets channels height width"]
    starts: Float[Tensor, "facets channels h w"]
    nearest: tuple[Float[Tensor, "_ channels h w"], ...]
    places: Float[Tensor, "photos 2"]
    groups: Int[Tensor, "photos"]
    scores: Float[Tensor, "facets"]
    of: str = "photo"

    @property
    def sizes(self) -> list[int]:
        """Photos in each group."""
        counts: list[int] = torch.bincount(self.groups, minlength=len(self.values)).tolist()
        return counts

    def data(self) -> dict[str, Any]:
        """With each facet's photos and value, and the group of each photo."""
        rows = zip(self.sizes, self.scores.tolist(), strict=True)
        return super().data() | {
            "facets": [{"photos": size, "value": value} for size, value in rows],
            "groups": self.groups.tolist(),
        }

    def image(self) -> Float[Tensor, "3 height width"]:
        """A row for each facet: picture, mean photo, photos; beside them the map of all photos."""
        rows = torch.cat([self._row(number) for number in range(len(self.values))], 1)
        if len(self.values) == 1:
            return rows
        beside = self._map()
        height = max(rows.shape[1], beside.shape[1])
        parts = [
            F.pad(part, (0, 0, 0, height - part.shape[1]), value=tiles.PAPER)
            for part in (rows, beside)
        ]
        return torch.cat(parts, 2)

    def _row(self, number: int) -> Float[Tensor, "3 height width"]:
        gap = tiles.GAP
        wide = 2 * (DRAWN + gap) + ACROSS * (SMALL + gap) + gap
        page = torch.full((3, HEAD + DRAWN + 2 * gap, wide), tiles.PAPER)
        for place, picture in enumerate((self.values[number], self.starts[number])):
            _put(page, picture, HEAD, gap + place * (DRAWN + gap), DRAWN)
        near = self.nearest[number][: ACROSS * DOWN]
        for place, photo in enumerate(near):
            top = HEAD + place // ACROSS * (SMALL + (DRAWN - DOWN * SMALL) // (DOWN - 1))
            _put(page, photo, top, 2 * (DRAWN + gap) + gap + place % ACROSS * (SMALL + gap), SMALL)
        size = self.sizes[number]
        heads = (
            (12, f"facet {number + 1}: {float(self.scores[number]):.3g}"),
            (DRAWN + gap, f"begun as the mean of {len(self.nearest[number])}"),
            (2 * (DRAWN + gap), f"of {size} {self.of}s" if size != 1 else f"the {self.of}"),
        )
        for left, text in heads:
            page = lettered(page, text, 3, left + gap, tiles.LETTER, tiles.INK)
        middle = HEAD / 2
        return inked(page, [(gap + 4.0, middle)] * 2, _colour(number), 8)

    def _map(self) -> Float[Tensor, "3 height width"]:
        page = torch.full((3, HEAD + MAP + tiles.GAP, MAP + tiles.GAP), tiles.PAPER)
        page[:, HEAD : HEAD + MAP, :MAP] = 0.965
        page = lettered(
            page, f"all {self.of}s, alike ones side by side", 3, 0, tiles.LETTER, tiles.INK
        )
        low, high = self.places.amin(0), self.places.amax(0)
        # One scale for both axes: distances are what the map is about.
        span = float((high - low).max()) or 1.0
        middle = (low + high) / 2
        dots = (self.places - middle) / span * (MAP - 2 * RIM) + MAP / 2
        for (x, y), group in zip(dots.tolist(), self.groups.tolist(), strict=True):
            page = inked(page, [(x, HEAD + MAP - y)] * 2, _colour(group), 6, 0.75)
        return page


def _put(page: Tensor, picture: Tensor, top: int, left: int, size: int) -> None:
    shown = picture.detach().cpu().float().expand(3, -1, -1)
    page[:, top : top + size, left : left + size] = tiles.boxed(shown, (size, size))


def _colour(number: int) -> Colour:
    return COLOURS[number % len(COLOURS)] if number < 2 * len(COLOURS) else GREY
