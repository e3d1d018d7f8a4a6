"""Gram matrices: which channels of a layer fire together, wherever that is in the picture."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def gram(
    maps: Float[Tensor, "batch channels height width"],
) -> Float[Tensor, "batch channels channels"]:
    """For each pair of channels the mean, over all places, of their product.

    Gatys, Ecker, Bethge (2015), who sum over the places where this is the mean: so pictures of
    different sizes can be held against each other, and the matrices of parts of a picture, each
    weighted with its number of places, add up to that of the whole.
    """
    flat = maps.flatten(2)
    return flat @ flat.mT / flat.shape[2]
