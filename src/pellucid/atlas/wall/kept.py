"""Kept: how much of the map is still there on the grid, in two numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.atlas.wall.grid import optional

NEAREST = 10  # on the map
AROUND = [(1, 0), (0, 1), (1, 1), (1, -1)]  # a half of the eight: each pair of neighbours once


@dataclass(frozen=True)
class Kept:
    """What a grid has kept.

    Attributes:
        near: of all pairs of neighbours on the grid (eight around a cell), the share in which one
            is among the other's ten nearest on the map.
        alike: of the pairs of which both have a label, the share with the same one; NaN: no such.
        chance: the same of any two photos with labels.
    """

    near: float
    alike: float
    chance: float

    def told(self) -> str:
        """In words."""
        text = f"of neighbours on the grid {self.near:.0%} are among the {NEAREST} nearest"
        if self.alike == self.alike:
            text += (
                f" on the map, {self.alike:.0%} have the same label (any two: {self.chance:.1%})"
            )
            return text
        return text + " on the map"


def kept(
    given: Int[Tensor, "photos 2"], points: Float[Tensor, "photos 2"], labels: Sequence[str]
) -> Kept:
    """Counts over all pairs of neighbours, each pair once but seen from both sides."""
    rows, columns = (int(side) + 1 for side in given.amax(0))
    board = torch.full((rows + 2, columns + 2), -1)
    board[given[:, 0] + 1, given[:, 1] + 1] = torch.arange(len(given))
    pairs = torch.cat([_pairs(board, *step) for step in AROUND])
    pairs = torch.cat([pairs, pairs.flip(1)])
    names, classes = np.unique(np.array(labels, dtype=object).astype(str), return_inverse=True)
    known = torch.from_numpy(np.array(labels, dtype=object).astype(str) != "")
    number = torch.from_numpy(classes)
    both = known[pairs].all(1)
    same = number[pairs[both, 0]] == number[pairs[both, 1]]
    counts = torch.bincount(number[known], minlength=len(names)).double()
    whole = counts.sum()
    any_two = (counts * (counts - 1)).sum() / (whole * (whole - 1)) if whole > 1 else torch.nan
    return Kept(
        float(_near(pairs, points).double().mean()) if len(pairs) else 1.0,
        float(same.double().mean()) if len(same) else float("nan"),
        float(any_two),
    )


def _pairs(board: Int[Tensor, "rows columns"], down: int, across: int) -> Int[Tensor, "pairs 2"]:
    height, width = board.shape
    here = board[: height - down, max(0, -across) : width - max(0, across)]
    there = board[down:, max(0, across) : width + min(0, across)]
    pairs = torch.stack([here.flatten(), there.flatten()], 1)
    return pairs[(pairs >= 0).all(1)]


def _near(pairs: Int[Tensor, "pairs 2"], points: Tensor) -> Bool[Tensor, "pairs"]:
    """Whether the second is among the nearest of the first; ties at the edge count as near."""
    flat = points.double().numpy()
    count = min(NEAREST, len(flat) - 1)
    reach = optional("scipy.spatial").cKDTree(flat).query(flat, count + 1)[0][:, -1]
    away = np.linalg.norm(flat[pairs[:, 0]] - flat[pairs[:, 1]], axis=1)
    return torch.from_numpy(away <= reach[pairs[:, 0]] * (1 + 1e-9))
