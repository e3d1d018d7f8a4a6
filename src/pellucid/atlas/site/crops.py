"""Crops: what a unit sees of a photo, its guided gradient there, and sheets of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid import colour, tiles
from pellucid.atlas.crops import boxes
from pellucid.box import Box
from pellucid.images import Photo
from pellucid.layers import Layer
from pellucid.network import Network
from pellucid.patches import CLIP, DRAWN, GREY, Patch, cut

COLUMNS = 3
Tile = Float[Tensor, "3 side side"]


def crops(
    net: Network,
    layer: Layer,
    photo: Photo | None,
    at: int,
    gradient: Float[Tensor, "channels height width"] | None,
) -> tuple[Tile, Tile]:
    """One patch and the guided gradient in it, as the kind of result `Patches` draws them.

    Args:
        photo: None where it cannot be read again: both are grey.
        at: the unit's place, row-major on the layer's grid.
        gradient: on the whole input; None: grey.
    """
    grey = torch.full((3, DRAWN, DRAWN), GREY)
    if photo is None:
        return grey, grey
    place = divmod(at, layer.layout.grid[1])
    box, window = boxes(layer, place, net.preprocess.size)
    frame = net.preprocess.frame(photo.size)
    inside = frame.box(Box(*map(float, box)))
    pixels = cut(photo.pixels, inside)
    patch = Patch(
        source=photo.source,
        row=-1,
        place=place,
        value=0.0,
        box=inside,
        window=frame.box(Box(*map(float, window))),
        pixels=pixels,
        photo=pixels,
        size=photo.size,
    )
    first = patch.tile(pixels.float() / 255)
    if gradient is None:
        return first, grey
    part = gradient[:, box.top : box.bottom, box.left : box.right]
    return first, patch.tile(colour.ranged(part, "signed", CLIP).expand(3, -1, -1))


def sheet(pictures: Sequence[Tile]) -> Float[Tensor, "3 height width"]:
    """Square pictures in rows of three, without gaps; the rest is paper."""
    rows = math.ceil(len(pictures) / COLUMNS)
    page = torch.full((3, rows * DRAWN, COLUMNS * DRAWN), tiles.PAPER)
    for number, picture in enumerate(pictures):
        top, left = number // COLUMNS * DRAWN, number % COLUMNS * DRAWN
        page[:, top : top + DRAWN, left : left + DRAWN] = picture
    return page
