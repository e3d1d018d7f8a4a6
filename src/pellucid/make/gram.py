"""Gram matrices: which channels of a layer fire together, wherever that is in the picture."""

from __future__ import annotations

from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

Maps = Float[Tensor, "batch channels height width"]
Grams = Float[Tensor, "batch channels channels"]


def gram(maps: Maps) -> Grams:
    """For each pair of channels the mean, over all places, of their product.

    Gatys, Ecker, Bethge (2015), who sum over the places where this is the mean: so pictures of
    different sizes can be held against each other, and the matrices of parts of a picture, each
    weighted with its number of places, add up to that of the whole.
    """
    return products(maps) / (maps.shape[2] * maps.shape[3])


def products(maps: Maps) -> Grams:
    """For each pair of channels the sum, over all places, of their product."""
    return cast(Tensor, _Products.apply(maps))


class _Products(torch.autograd.Function):
    """The sum with its gradient, which torch takes twice, once for each factor.

    And it comes in the order that the maps lie in: added to what comes from deeper layers, one in
    another order would cost more than the product.
    """

    @staticmethod
    def forward(ctx: Any, maps: Tensor) -> Tensor:
        ctx.save_for_backward(maps)
        rows = _rows(maps)
        if rows is not None:
            return rows.mT @ rows
        flat = maps.flatten(2)
        return flat @ flat.mT

    @staticmethod
    def backward(ctx: Any, *coming: Tensor) -> Tensor:
        (maps,), (slope,) = ctx.saved_tensors, coming
        both, rows = slope + slope.mT, _rows(maps)
        if rows is None:
            made: Tensor = both @ maps.flatten(2)
            return made.view(maps.shape)
        batch, channels, height, width = maps.shape
        return (rows @ both).view(batch, height, width, channels).permute(0, 3, 1, 2)


def _rows(maps: Tensor) -> Tensor | None:
    """(batch, places, channels), where the channels of a place lie side by side."""
    if not maps.is_contiguous() and maps.is_contiguous(memory_format=torch.channels_last):
        return maps.permute(0, 2, 3, 1).flatten(1, 2)
    return None
