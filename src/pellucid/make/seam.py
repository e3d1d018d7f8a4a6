"""Seam: the path along which two pictures that overlap differ least."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def seam(costs: Float[Tensor, "length width"]) -> Int[Tensor, "length"]:
    """The column in each row, moving by at most one from row to row, whose costs add up to least.

    Efros & Freeman (2001), by dynamic programming: E[i, j] = e[i, j] + min of E[i - 1, j - 1 to
    j + 1]. Of equal ones the leftmost.
    """
    length, width = costs.shape
    sums = costs.new_full((length, width + 2), torch.inf)
    sums[0, 1:-1] = costs[0]
    for row in range(1, length):
        above = sums[row - 1]
        sums[row, 1:-1] = costs[row] + torch.stack([above[:-2], above[1:-1], above[2:]]).amin(0)
    path = torch.zeros(length, dtype=torch.long)
    path[-1] = int(sums[-1].argmin())
    for row in range(length - 2, -1, -1):
        first = int(path[row + 1]) - 1
        path[row] = first + int(sums[row, first : first + 3].argmin())
    return path - 1


def beyond(path: Int[Tensor, "length"], width: int) -> Bool[Tensor, "length width"]:
    """Which places lie on a seam or to the right of it."""
    return torch.arange(width) >= path[:, None]
