"""Games: networks whose answer is any function whatever of which squares of the photo are shown."""

from itertools import permutations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl


class Game(nn.Module):
    """A table of one score of each class for every set of squares that are white."""

    def __init__(self, table: Tensor, rows: int, columns: int) -> None:
        super().__init__()
        self.table = nn.Parameter(table)
        self.grid = rows, columns

    def forward(self, x: Tensor) -> Tensor:
        shown = F.adaptive_avg_pool2d(x, self.grid).flatten(1).round().long()
        return self.table[(shown * 2 ** torch.arange(shown.shape[1])).sum(1)]


def game(table: Tensor, rows: int, columns: int) -> pl.Network:
    """On squares of 2 x 2 px; a photo of `white` with zero as the cover plays it."""
    size = (2 * rows, 2 * columns)
    return pl.Network(Game(table.double(), rows, columns), size=size, mean=[0.0], std=[1.0])


def white(rows: int, columns: int) -> Tensor:
    return torch.ones(3, 2 * rows, 2 * columns)


def every(count: int) -> Tensor:
    """All sets of squares, in the order of the table: (2 ** count, count)."""
    return torch.arange(2**count)[:, None] >> torch.arange(count) & 1 == 1


def by_orders(values: Tensor, count: int) -> Tensor:
    """Shapley values as they are defined: the mean over all orders of what each one adds."""
    found = torch.zeros(count, dtype=torch.float64)
    orders = list(permutations(range(count)))
    for order in orders:
        there = 0
        for one in order:
            found[one] += values[there | 1 << one] - values[there]
            there |= 1 << one
    return found / len(orders)


def by_sets(values: Tensor, count: int) -> Tensor:
    """The same from all sets, where there are too many orders."""
    from math import comb

    sets = every(count)
    sizes = sets.sum(1)
    found = torch.zeros(count, dtype=torch.float64)
    for one in range(count):
        for number in (~sets[:, one]).nonzero()[:, 0].tolist():
            ways = count * comb(count - 1, int(sizes[number]))
            found[one] += (values[number | 1 << one] - values[number]) / ways
    return found
