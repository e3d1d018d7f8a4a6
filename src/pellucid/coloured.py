"""Coloured: maps with a number for each colour of each place, drawn as pictures on grey."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid import colour, tiles
from pellucid.box import Box
from pellucid.heatmap import table
from pellucid.images import Photo
from pellucid.preprocess import Frame
from pellucid.results import SHOWN, Grid


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Coloured(Grid):
    """Pictures of several photos and targets, each in its photo's own pixels.

    Attributes:
        values: (photos times targets, channels, height, width), on the network's input, photo by
            photo.
        names: of the target of each; none of a single picture, which is drawn alone.
        photos: that were asked about.
        frames: where the input lies in each.
    """

    photos: tuple[Photo, ...]
    frames: tuple[Frame, ...]

    def image(self) -> Float[Tensor, "3 height width"]:
        """The picture, or a row for each photo: the photo, then its pictures."""
        each = len(self.values) // len(self.photos)
        drawn = [self._drawn(number, number // each) for number in range(len(self.values))]
        if not self.names:
            return tiles.enlarged(drawn[0], SHOWN)
        return table(self.photos, drawn, self.names)

    def cells(self) -> list[tuple[str, Box[float]]]:
        """None: what is drawn are maps, as those of `Heatmaps`."""
        return []

    def _drawn(self, number: int, row: int) -> Float[Tensor, "3 height width"]:
        values = self.values[number].detach().cpu().float()
        ranged = colour.ranged(values, self.scale, self.clip).expand(3, -1, -1)
        whole = self.frames[row].to_photo(ranged)
        beyond = torch.tensor(colour.NOTHING).view(3, 1, 1)
        return torch.where(whole.isnan(), beyond, whole)
