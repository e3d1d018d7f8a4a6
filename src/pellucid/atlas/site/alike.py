"""Alike: which units answer to the same images."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

ROWS = 1024  # units that are compared with all others at a time


def profiles(features: Float[Tensor, "images units"]) -> Float[Tensor, "images units"]:
    """Each unit's answers with mean 0 and length 1; of a unit that never changes all 0.

    The product of two is the correlation (Pearson) of their answers over the collection.
    """
    centred = features.double() - features.double().mean(0)
    length = centred.norm(dim=0)
    # What rounding leaves of a constant is no answer.
    still = length <= 1e-6 * features.double().norm(dim=0)
    return torch.where(still, 0.0, centred / length.where(~still, 1.0)).float()


def alike(
    own: Float[Tensor, "images units"],
    others: Float[Tensor, "images others"],
    count: int,
    same: bool = False,
) -> tuple[Int[Tensor, "units count"], Float[Tensor, "units count"]]:
    """Of each unit the others that answer most alike, and how much.

    Args:
        own, others: profiles.
        count: of others, at most.
        same: whether both are the same units: then none is its own likeness.

    Returns:
        Numbers of the others, the most alike first, and correlations from -1 to 1.
    """
    count = min(count, others.shape[1] - same)
    if count < 1:
        none = torch.zeros(own.shape[1], 0)
        return none.long(), none
    places, values = [], []
    for first in range(0, own.shape[1], ROWS):
        near = own[:, first : first + ROWS].T @ others
        if same:
            rows = torch.arange(len(near))
            near[rows, first + rows] = -torch.inf
        order = near.sort(dim=1, descending=True, stable=True)
        places.append(order.indices[:, :count])
        values.append(order.values[:, :count].clamp(-1, 1))
    return torch.cat(places), torch.cat(values)


def shared(one: Int[Tensor, "keep"], other: Int[Tensor, "keep"]) -> int:
    """How many images two units have in common among their best; -1 is no image."""
    return len((set(one.tolist()) & set(other.tolist())) - {-1})
