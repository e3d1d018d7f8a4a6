"""Rivals: how high an objective comes on real photos."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid import stock
from pellucid.images import Photo, open_image
from pellucid.make.objective import Bound, View
from pellucid.network import Network
from pellucid.target import observe

BATCH = 16


def values(net: Network, objective: Bound, photos: Sequence[Photo]) -> Float[Tensor, "photos"]:
    """The objective on each photo, as the network takes it."""
    found = []
    with torch.no_grad():
        for at in range(0, len(photos), BATCH):
            inputs = torch.cat([net.prepare(photo)[0] for photo in photos[at : at + BATCH]])
            seen = observe(net, inputs.clone(), objective.layers) if objective.layers else {}
            found.append(objective.value(View(net, inputs, seen)).float().cpu())
    return torch.cat(found)


def best(
    net: Network, objective: Bound, photos: Sequence[Photo] | None
) -> tuple[str, float] | None:
    """The photo that raises an objective most, and how high; None where there is none.

    Args:
        photos: None: those that are installed here.
    """
    photos = at_hand() if photos is None else photos
    if not photos:
        return None
    found = values(net, objective, photos)
    number = int(found.argmax())
    return photos[number].source or f"photo {number + 1}", float(found[number])


@lru_cache(maxsize=1)
def at_hand() -> tuple[Photo, ...]:
    """The photos that are installed here."""
    return tuple(map(open_image, stock.photos()))
