"""Masks: where they lie, what they show, and maps made of the values under them."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import Annotated, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import PellucidError
from pellucid.network import Network
from pellucid.option import Help

Fill = Literal["mean", "zero", "blur", "noise", "patch"]
Covering = Annotated[
    Fill,
    Help("what covers: the photo's mean colour, zero after normalising, blur, noise, a patch "
         "of the photo itself from half its height and width away"),
]  # fmt: skip
PerPass = Annotated[
    int | None, Help("masks per forward pass; fits the memory itself", low=1, high=4096)
]


@dataclass(frozen=True)
class Grid:
    """Square masks, centred on an even grid over the whole input and cut off at its rim.

    Attributes:
        size: height and width of the input, in pixels.
        side: of a mask, in pixels.
        rows, columns: of mask positions.
    """

    size: tuple[int, int]
    side: int
    rows: int
    columns: int

    @classmethod
    def of(cls, size: tuple[int, int], window: int | None, stride: int | None) -> Grid:
        """The grid for a mask and a stride: without them a fifth of the input, a third of the mask.

        Raises:
            PellucidError: a mask as large as the input, or a single position.
        """
        height, width = size
        side = window or max(1, min(size) // 5)
        step = stride or max(1, side // 3)
        if side >= max(size):
            raise PellucidError(
                f"a mask of {side} px covers the whole input of {height} x {width} px"
            )
        rows, columns = (max(1, round(length / step)) for length in size)
        if rows * columns == 1:
            raise PellucidError(f"a stride of {step} px leaves one mask on {height} x {width} px")
        return cls(size, side, rows, columns)

    def __len__(self) -> int:
        return self.rows * self.columns

    def finer(self) -> Grid:
        """Masks of half the side, twice as many along each axis.

        Raises:
            PellucidError: there are no smaller ones.
        """
        if self.side < 2 or 2 * self.rows > self.size[0] or 2 * self.columns > self.size[1]:
            raise PellucidError(
                f"a mask of {self.side} px on {self.rows} x {self.columns} places cannot be halved "
                f"once more: start with a larger window and stride, or ask for less detail"
            )
        return Grid(self.size, self.side // 2, 2 * self.rows, 2 * self.columns)

    def children(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """The positions of the finer grid that lie in some positions of this one."""
        row, column = numbers // self.columns, numbers % self.columns
        down, right = np.divmod(np.arange(4), 2)
        found = (2 * row[:, None] + down) * 2 * self.columns + 2 * column[:, None] + right
        return np.sort(found.reshape(-1))

    def boxes(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """(masks, 4): top, bottom, left and right of some positions, counted row by row."""
        height, width = self.size
        tall = np.array([_edge(n, self.rows, height, self.side) for n in range(self.rows)])
        wide = np.array([_edge(n, self.columns, width, self.side) for n in range(self.columns)])
        return np.concatenate([tall[numbers // self.columns], wide[numbers % self.columns]], 1)


def cover(
    net: Network, inputs: Float[Tensor, "photos c h w"], fill: Fill
) -> Float[Tensor, "photos c h w"]:
    """What a mask shows, for the whole of each photo; noise is the same for all of them."""
    height, width = inputs.shape[2:]
    if fill == "zero":
        return torch.zeros_like(inputs)
    if fill == "mean":
        return inputs.mean((2, 3), keepdim=True).expand_as(inputs)
    if fill == "noise":
        pixels = torch.rand(inputs[:1].shape, dtype=torch.float32).to(inputs)
        return net.preprocess.normalise(pixels).expand_as(inputs)
    if fill == "patch":
        # As far away as can be, on a photo whose opposite edges touch.
        return inputs.roll((height // 2, width // 2), (2, 3))
    # Strong enough that nothing smaller than a mask survives.
    tall, wide = (max(1, length // 16) for length in (height, width))
    small = F.adaptive_avg_pool2d(inputs, (tall, wide))
    return F.interpolate(small, (height, width), mode="bilinear", align_corners=False)


def by_mask(
    grid: Grid,
    numbers: NDArray[np.int64],
    values: Float[Tensor, "masks targets"],
    clean: Float[Tensor, "targets"],
) -> Float[Tensor, "targets rows columns"]:
    """The value under the mask at each position; where none was tried, the clean one."""
    found = clean.expand(len(grid), -1).clone()
    found[torch.from_numpy(numbers)] = values
    return found.T.reshape(-1, grid.rows, grid.columns)


def by_pixel(
    grid: Grid,
    numbers: NDArray[np.int64],
    values: Float[Tensor, "masks targets"],
    clean: Float[Tensor, "targets"],
) -> Float[Tensor, "targets height width"]:
    """For each pixel the mean over the masks that cover it; where none was tried, the clean one."""
    boxes = torch.from_numpy(grid.boxes(numbers))
    count = _summed(boxes, torch.ones(len(boxes), 1, dtype=torch.float64), grid.size)
    # Of what they change: sums of that are exact zeros where nothing changes.
    change = _summed(boxes, values.double() - clean.double(), grid.size)
    return (clean.double()[:, None, None] + change / count.clamp(min=1)).to(values.dtype)


def uncovered(grid: Grid) -> float:
    """The share of the input that lies under no mask."""
    every = torch.from_numpy(grid.boxes(np.arange(len(grid))))
    count = _summed(every, torch.ones(len(every), 1, dtype=torch.float64), grid.size)
    return float((count < 1).float().mean())


def check_coverage(grid: Grid) -> None:
    """Raises:
    PellucidError: some pixels lie under no mask.
    """
    if uncovered(grid):
        raise PellucidError(
            f"masks of {grid.side} px on {grid.rows} x {grid.columns} places leave pixels "
            f"uncovered, which then have no value: make the stride no larger than the window"
        )


def _summed(
    boxes: Int[Tensor, "masks 4"], values: Float[Tensor, "masks n"], size: tuple[int, int]
) -> Float[Tensor, "n height width"]:
    """For each pixel the sum of the values of the boxes that it lies in."""
    height, width = size
    total = values.new_zeros(height + 1, width + 1, values.shape[1])
    for y, x, sign in ((0, 2, 1), (1, 2, -1), (0, 3, -1), (1, 3, 1)):
        total.index_put_((boxes[:, y], boxes[:, x]), sign * values, accumulate=True)
    return total.cumsum(0).cumsum(1)[:height, :width].movedim(-1, 0)


def _edge(number: int, count: int, length: int, side: int) -> tuple[int, int]:
    # Halves upward: rounding them to even, as Python does, would make the steps uneven.
    first = floor((number + 0.5) * length / count - side / 2 + 0.5)
    return max(0, first), min(length, first + side)
