"""Quilted: a texture made larger, and where in the sample each of its pixels is from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from pellucid import tiles
from pellucid.ink import lettered
from pellucid.results import SHOWN, Result

Draw = Literal["panels", "result"]
MARGIN, BETWEEN, HEAD = 12, 16, 22  # px


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Quilted(Result):
    """A texture made of the pixels of a smaller one.

    Attributes:
        values: (3, height, width), 0 to 1.
        sample: (3, height, width), 0 to 1: what it was made from.
        sources: (height, width, 2), row and column in the sample; -1 where it was stopped before.
        draw: how it shows itself: sample, result and sources; or the result alone, pixel for pixel.
    """

    values: Float[Tensor, "3 height width"]
    sample: Float[Tensor, "3 tall wide"]
    sources: Int[Tensor, "height width 2"]
    draw: Draw = "panels"

    def alone(self) -> Quilted:
        """The same, drawn as the result alone, pixel for pixel."""
        settings = self.recipe.settings | ({"draw": "result"} if self.recipe.settings else {})
        return replace(self, draw="result", recipe=replace(self.recipe, settings=settings))

    def origins(self) -> Float[Tensor, "3 height width"]:
        """Each pixel in the colour of its place in the sample: pieces are patches of one shade."""
        rows, columns = self.sources.unbind(-1)
        down = rows / max(1, self.sample.shape[1] - 1)
        across = columns / max(1, self.sample.shape[2] - 1)
        colours = torch.stack([down, across, 1 - (down + across) / 2])
        return torch.where(rows >= 0, colours, torch.ones(())).clamp(0, 1)

    def image(self) -> Float[Tensor, "3 height width"]:
        """As `draw` says; the pixels of sample and result are of one size."""
        if self.draw == "result":
            return self.values
        longer = max(self.values.shape[1:])
        factor = max(1, -(-SHOWN // longer))
        panels = {"sample": self.sample, "result": self.values, "where from": self.origins()}
        tall = factor * max(part.shape[1] for part in panels.values()) + HEAD
        parts = []
        for title, picture in panels.items():
            large = picture.float().repeat_interleave(factor, 1).repeat_interleave(factor, 2)
            wide = max(large.shape[2], 72)
            part = torch.full((3, tall, wide + BETWEEN), tiles.PAPER)
            part[:, HEAD : HEAD + large.shape[1], : large.shape[2]] = large
            parts.append(lettered(part, tiles.fitted(title, wide, 14), 0, 0, 14, tiles.INK))
        page = torch.cat(parts, 2)[:, :, :-BETWEEN]
        return F.pad(page, (MARGIN,) * 4, value=tiles.PAPER)
