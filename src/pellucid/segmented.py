"""Segmentation: which class a network answers with at each place of a photo, in colours."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid import tiles
from pellucid.area import background
from pellucid.chart import Colour
from pellucid.fonts import drawable
from pellucid.ink import inked
from pellucid.panels import percent
from pellucid.preprocess import Frame
from pellucid.results import Ranking

# By the size of the area. Neighbours in the list differ in lightness as well as in hue.
COLOURS: tuple[Colour, ...] = (
    (0.90, 0.62, 0.00), (0.00, 0.45, 0.70), (0.80, 0.15, 0.20), (0.34, 0.80, 0.92),
    (0.00, 0.50, 0.30), (0.95, 0.90, 0.25), (0.48, 0.20, 0.60), (0.60, 0.85, 0.35),
    (0.90, 0.45, 0.70), (0.45, 0.28, 0.10), (0.65, 0.70, 0.95), (0.10, 0.20, 0.40),
)  # fmt: skip
GREY: Colour = (0.62, 0.62, 0.64)  # of background and of what is not listed
TINT = 0.62  # opacity of the colours on the photo
ROW, SWATCH = 26, 14  # px of the list beside it


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Segmentation(Ranking):
    """The classes of the largest areas, and where they are.

    Attributes:
        values: (names,), the share of each class's area of all places, falling.
        names: of the classes.
        scores: (names,), the mean score of each over its own area.
        answers: (rows, columns), the number of the class of each place; -1 of none.
        frame: where these places lie in the photo.
        rest: how many more classes there are in the photo.
    """

    answers: Int[Tensor, "rows columns"]
    frame: Frame
    rest: int = 0

    def image(self) -> Float[Tensor, "3 height width"]:
        """The photo with each class in its colour, and a list of them beside it."""
        return tiles.beside(self.over(), self._list())

    def over(self) -> Float[Tensor, "3 height width"]:
        """The photo with each class in its colour; background is left grey."""
        # Black things, too, have to show their colour.
        grey = 0.2 + 0.8 * self.photo.floats().mean(0, keepdim=True).expand(3, -1, -1)
        mixed = 0.5 * grey + 0.5 * torch.tensor(GREY).view(3, 1, 1)
        unlisted = ~torch.isin(self.answers, torch.tensor(self.numbers))
        most = self.frame.to_photo(unlisted.float())
        for number, name, colour in zip(self.numbers, self.names, self._colours(), strict=True):
            # One by one, for a large photo would not fit so many times: the greatest share wins.
            share = self.frame.to_photo((self.answers == number).float())
            ink = torch.tensor(colour).view(3, 1, 1)
            tint = 0.5 if background(name) else TINT
            mixed = torch.where(share > most, (1 - tint) * grey + tint * ink, mixed)
            most = torch.maximum(share, most)
        return torch.where(most.isnan(), 0.4 * grey + 0.55, mixed)

    def _colours(self) -> list[Colour]:
        things = iter(COLOURS)
        return [GREY if background(name) else next(things, GREY) for name in self.names]

    def _list(self) -> Float[Tensor, "3 height width"]:
        names = drawable(self.names, self.numbers)
        rows = list(zip(names, self._told(), self._colours(), strict=True))
        if self.rest:
            left = percent(max(0.0, 1 - float(self.values.sum())))
            rows.append((f"{self.rest} more", left, GREY))
        return torch.cat([_line(*row) for row in rows], 1)

    def _told(self) -> list[str]:
        return [percent(share) for share in self.values.tolist()]


def _line(name: str, told: str, colour: Colour) -> Float[Tensor, "3 height width"]:
    wide = tiles.LISTED
    line = torch.full((3, ROW, wide), tiles.PAPER)
    top, bottom = (ROW - SWATCH) / 2, (ROW + SWATCH) / 2
    corners = [(0, top), (SWATCH, top), (SWATCH, bottom), (0, bottom)]
    line = inked(line, corners, colour)
    return tiles.labelled(line, name, told, SWATCH + 8, 4)
