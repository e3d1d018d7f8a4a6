"""Grid: every photo to a cell of its own, as near to its place on the map as can be."""

from __future__ import annotations

from importlib import import_module
from math import ceil, sqrt
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from pellucid.errors import PellucidError

EXACT = 1500  # photos: the best assignment takes about two seconds, of 10,000 an hour
WINDOW = 12  # cells, its side
ROUNDS = 6  # of windows over the whole grid, at most
GAIN = 0.002  # share of the cost below which a further round is not worth its time
WIDEST = 1.4  # columns to rows, at most: screens are wider than tall


def shape(count: int) -> tuple[int, int]:
    """Rows and columns of a grid for so many photos, near a square, with few cells empty."""
    if count < 1:
        raise PellucidError("a wall needs a photo")
    narrow = ceil(sqrt(count))
    widths = range(narrow, max(narrow, int(sqrt(count * WIDEST))) + 1)
    columns = min(widths, key=lambda width: (-count % width, width))
    return ceil(count / columns), columns


def cells(count: int) -> Int[Tensor, "count 2"]:
    """Row and column of the cells that are used, row by row: the empty ones are at the corners."""
    rows, columns = shape(count)
    down, across = np.mgrid[:rows, :columns].reshape(2, -1)
    # How near a cell is to a corner: the lesser of its distances to an upright and a level edge,
    # so that a few cells go from every corner and none from the middle of an edge.
    away = np.minimum(down, rows - 1 - down) + np.minimum(across, columns - 1 - across)
    used = np.sort(np.argsort(away, kind="stable")[rows * columns - count :])
    return torch.from_numpy(np.stack([down[used], across[used]], 1))


def assigned(points: Float[Tensor, "photos 2"]) -> Int[Tensor, "photos 2"]:
    """The row and column that each photo gets, no two the same one.

    The sum of the squared distances from a photo's place on the map, stretched to the grid, to
    its cell is made small: the least there is up to `EXACT` photos (Jonker and Volgenant's
    algorithm, as in scipy). Beyond that, halves of the photos go to halves of the grid, again and
    again, and then windows of cells that overlap are each assigned anew, at best, until that
    gains little. The time of this grows as the number of photos.

    Args:
        points: on the map, x to the right and y upwards.

    Raises:
        PellucidError: a point is not finite.
    """
    if not bool(points.isfinite().all()):
        raise PellucidError("the map has places that are not numbers")
    free = cells(len(points)).numpy()
    goals = stretched(points).numpy()
    if len(points) <= EXACT:
        given = _best(goals, free)
    else:
        given = _halved(goals, free)
        _refined(goals, free, given)
    return torch.from_numpy(free[given])


def stretched(points: Float[Tensor, "photos 2"]) -> Float[Tensor, "photos 2"]:
    """Points of a map as rows and columns of the grid, fractions among them."""
    last = torch.tensor(shape(len(points)), dtype=torch.float64) - 1
    # Down is up on paper: the grid's first row is the map's top.
    places = torch.stack([-points[:, 1], points[:, 0]], 1).double()
    low, high = places.amin(0), places.amax(0)
    span = torch.where(high > low, high - low, 1.0)
    middle = torch.where(high > low, 0.0, 0.5)  # a map without extent lies in the middle
    return ((places - low) / span + middle) * last


def cost(points: Float[Tensor, "photos 2"], given: Int[Tensor, "photos 2"]) -> float:
    """The mean squared distance, in cells, of photos from where the map has them."""
    return float((stretched(points) - given).square().sum(1).mean())


def _best(goals: NDArray[np.float64], free: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each goal the index of its cell, at the least cost."""
    table = np.square(goals[:, None] - free[None]).sum(2)
    found: NDArray[np.int64] = optional("scipy.optimize").linear_sum_assignment(table)[1]
    return found


def optional(name: str) -> Any:
    """A part of scipy, which walls need and nothing else here does."""
    try:
        return import_module(name)
    except ImportError:
        raise PellucidError("walls need scipy: pip install 'pellucid[atlas]'") from None


def _halved(goals: NDArray[np.float64], free: NDArray[np.int64]) -> NDArray[np.int64]:
    """Median split: the left half of the photos to the left half of the cells, and so on."""
    given = np.empty(len(goals), np.int64)
    parts = [(np.arange(len(goals)), np.arange(len(free)))]
    while parts:
        photos, places = parts.pop()
        if len(photos) <= WINDOW**2:
            given[photos] = places[_best(goals[photos], free[places])]
            continue
        here = free[places]
        axis = int(np.ptp(here[:, 1]) >= np.ptp(here[:, 0]))
        cut = (here[:, axis].min() + here[:, axis].max() + 1) // 2
        before = here[:, axis] < cut
        order = photos[np.argsort(goals[photos, axis], kind="stable")]
        count = int(before.sum())
        parts += [(order[:count], places[before]), (order[count:], places[~before])]
    return given


def _refined(goals: NDArray[np.float64], free: NDArray[np.int64], given: NDArray[np.int64]) -> None:
    """Windows over the grid, shifted by half of themselves, each assigned at best; in place."""
    last = np.square(goals - free[given]).sum()
    for _ in range(ROUNDS):
        for down, across in ((0, 0), (1, 1), (0, 1), (1, 0)):
            shift = np.array([down, across]) * (WINDOW // 2)
            where = (free[given] + shift) // WINDOW
            number = where[:, 0] * (where[:, 1].max() + 1) + where[:, 1]
            order = np.argsort(number, kind="stable")
            for photos in np.split(order, np.flatnonzero(np.diff(number[order])) + 1):
                places = given[photos]
                given[photos] = places[_best(goals[photos], free[places])]
        now = np.square(goals - free[given]).sum()
        if now > (1 - GAIN) * last:
            return
        last = now
