"""Grids: random coarse masks that show some of a photo's cells and hide the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import PellucidError


@dataclass(frozen=True, eq=False)
class Grids:
    """Binary grids, each enlarged smoothly beyond the input and cut out at a place of its own.

    Attributes:
        size: height and width of the input, in pixels.
        shown: which cells of each are.
        shifts: of each, down and right, in pixels; less than a cell.
    """

    size: tuple[int, int]
    shown: Bool[Tensor, "masks rows columns"]
    shifts: Int[Tensor, "masks 2"]

    @classmethod
    def drawn(cls, size: tuple[int, int], count: int, cells: int, chance: float) -> Grids:
        """Random ones, drawn on the processor, so that a seed means the same on every device.

        Args:
            cells: along the shorter side; along the other as many as keep them nearly square.
            chance: that a cell is shown.

        Raises:
            PellucidError: more cells than pixels.
        """
        short = min(size)
        if cells > short:
            raise PellucidError(f"{cells} cells along {short} px are less than a pixel each")
        rows, columns = (round(cells * length / short) for length in size)
        shown = torch.rand(count, rows, columns) < chance
        steps = [
            torch.randint(_cell(length, n), (count,))
            for length, n in zip(size, (rows, columns), strict=True)
        ]
        return cls(size, shown, torch.stack(steps, 1))

    def __len__(self) -> int:
        return len(self.shown)

    def masks(
        self, numbers: Sequence[int], device: torch.device
    ) -> Float[Tensor, "some height width"]:
        """Some of them as large as the input: 1 shows a pixel, 0 hides it."""
        some = list(numbers)
        cells = self.shown[some].to(device, torch.float32)
        down, right = (
            torch.stack(
                [line[first : first + length] for first in self.shifts[some, side].tolist()]
            )
            for side, (line, length) in enumerate(zip(self._lines, self.size, strict=True))
        )
        return down.to(device) @ cells @ right.to(device).mT

    @cached_property
    def _lines(self) -> tuple[Float[Tensor, "tall rows"], Float[Tensor, "wide columns"]]:
        """For each side how much of every cell each pixel shows, a cell further than the input.

        Bilinear enlargement is one along each side.
        """
        found = []
        for length, count in zip(self.size, self.shown.shape[1:], strict=True):
            large = (count + 1) * _cell(length, count)
            steps = F.interpolate(torch.eye(count)[None], large, mode="linear", align_corners=False)
            found.append(steps[0].T)
        return found[0], found[1]


def _cell(length: int, count: int) -> int:
    """Pixels of a cell along a side."""
    return -(-length // count)
