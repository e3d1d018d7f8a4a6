"""Gallery: pictures of many units, under the names of their layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from pellucid import tiles
from pellucid.images import lettered
from pellucid.results import Result

TILE = 112  # px that a picture is enlarged to at least
HEAD = 22  # px of a heading


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Gallery(Result):
    """Pictures of many units.

    Attributes:
        values: (pictures, 3 or 1, height, width), 0 to 1.
        layers: of each picture the layer, one after another.
        names: of each picture, below it.
        scores: (pictures,), the value that each unit reaches on its picture.
        dead: (pictures,), which units are dead: they have no picture.
    """

    values: Float[Tensor, "pictures channels height width"]
    layers: tuple[str, ...]
    names: tuple[str, ...]
    scores: Float[Tensor, "pictures"]
    dead: Bool[Tensor, "pictures"]

    def of(self, layer: str) -> Float[Tensor, "pictures channels height width"]:
        """The pictures of one layer."""
        return self.values[[number for number, name in enumerate(self.layers) if name == layer]]

    def image(self) -> Float[Tensor, "3 height width"]:
        """A grid for each layer under its name; a dead unit is an empty frame."""
        parts = []
        for layer in dict.fromkeys(self.layers):
            rows = [number for number, name in enumerate(self.layers) if name == layer]
            shown = self.values[rows].detach().cpu().float().expand(-1, 3, -1, -1).clone()
            for place, number in enumerate(rows):
                if bool(self.dead[number]):
                    shown[place] = _empty(shown[place])
            grid = tiles.arranged(shown, [self.names[number] for number in rows], TILE)
            head = torch.full((3, HEAD, grid.shape[2]), tiles.PAPER)
            title = tiles.tailed(layer, grid.shape[2] - 2 * tiles.GAP, 13)
            parts += [lettered(head, title, 4, tiles.GAP, 13, tiles.INK), grid]
        width = max(part.shape[2] for part in parts)
        padded = [F.pad(part, (0, width - part.shape[2]), value=tiles.PAPER) for part in parts]
        return torch.cat(padded, 1)

    def data(self) -> dict[str, Any]:
        """With the unit, the value and the state of each picture."""
        rows = zip(self.layers, self.names, self.scores.tolist(), self.dead.tolist(), strict=True)
        keys = ("layer", "name", "value", "dead")
        return super().data() | {"pictures": [dict(zip(keys, row, strict=True)) for row in rows]}


def _empty(picture: Float[Tensor, "3 height width"]) -> Float[Tensor, "3 height width"]:
    """Paper with a frame, and in it the word."""
    blank = torch.full_like(picture, tiles.PAPER)
    blank[:, [0, -1]] = blank[:, :, [0, -1]] = 0.7
    height, width = picture.shape[1:]
    if height < 2 * tiles.LETTER:
        return blank
    return lettered(
        blank, tiles.fitted("dead", width - 2), height / 2 - 8, width / 2, tiles.LETTER,
        tiles.FAINT, anchor="ma",
    )  # fmt: skip
