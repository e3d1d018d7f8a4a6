"""Scatter: every photo at its own place on the map, as large as there is room for it."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.atlas.wall.grid import optional

NEAR = 4  # the neighbour whose distance says how much room there is
LEAST, MOST = 0.5, 2.0  # a photo's side, of the usual one
WIDEST = 400.0  # of the map in usual sides: of one more uneven, the usual side grows


def scattered(points: Float[Tensor, "photos 2"]) -> Float[Tensor, "photos 3"]:
    """Centre (right, down) and side of each photo, where the usual side is 1 and all begin at 0.

    Distances are those of the map, one scale for both axes. A photo is about as large as the
    distance to its fourth neighbour: small ones where it is crowded, large ones where it is not.

    Args:
        points: on the map, x to the right and y upwards.
    """
    tree = optional("scipy.spatial").cKDTree
    flat = torch.stack([points[:, 0], -points[:, 1]], 1).double()
    near = min(NEAR, len(flat) - 1)
    away = torch.ones(len(flat), dtype=torch.float64)
    if near:
        away = torch.from_numpy(tree(flat.numpy()).query(flat.numpy(), near + 1)[0][:, near])
    extent = float((flat.amax(0) - flat.amin(0)).max())
    usual = max(float(away.median()), extent / WIDEST) or 1.0
    sides = (away / usual).clamp(LEAST, MOST)
    places = flat / usual
    places = places - (places - sides[:, None] / 2).amin(0)
    return torch.cat([places, sides[:, None]], 1).float()
