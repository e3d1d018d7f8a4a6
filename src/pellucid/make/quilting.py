"""Quilting: a larger picture sewn from blocks of a small one."""

from __future__ import annotations

from collections.abc import Generator

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator as Random
from torch import Tensor
from torch.nn import functional as F

from pellucid.make.seam import beyond, seam

OVERLAP = 6  # blocks overlap by the sixth part of their side, as in the paper
NEAR = 1.1  # times the least error: blocks that fit nearly as well as the best may be taken
SAME = 1e-9  # of an error, for each number compared: rounding


class Quilting:
    """A picture under way.

    Image quilting (Efros & Freeman 2001): row by row, each block is drawn at random from those of
    the sample that fit nearly best what lies there already; where they overlap, the new one is cut
    along the path on which it differs least from the old one.

    Args:
        sample: values 0 to 1.
        size: height and width to be made.
        block: px, side of a block, at most that of sample and size.
        random: of the choice.
        seamless: whether the right and lower borders fit the left and upper ones.

    Attributes:
        sources: (height, width, 2), row and column in the sample that each pixel is from; -1 where
            there is none yet.
    """

    def __init__(
        self,
        sample: Float[Tensor, "channels height width"],
        size: tuple[int, int],
        block: int,
        random: Random,
        seamless: bool = False,
    ) -> None:
        self.sample = sample.double()
        self.block, self.random = block, random
        self.sources = torch.full((*size, 2), -1)
        self.tops, self.lefts = (places(side, block, seamless) for side in size)
        # Correlations are products of these; rounding is least around the mean.
        self.mean = self.sample.mean((1, 2), keepdim=True)
        centred = self.sample - self.mean
        self.waves = torch.fft.rfft2(centred)
        self.square_waves = torch.fft.rfft2(centred.square().sum(0))

    @property
    def rows(self) -> int:
        """Rows of blocks."""
        return len(self.tops)

    def run(self) -> Generator[int, None, None]:
        """Sews; yields after each row of blocks how many there are."""
        for done, top in enumerate(self.tops, 1):
            for left in self.lefts:
                self._sew(top, left)
            yield done

    def _sew(self, top: int, left: int) -> None:
        side, (height, width) = self.block, self.sources.shape[:2]
        rows = ((top + torch.arange(side)) % height)[:, None]
        columns = ((left + torch.arange(side)) % width)[None]
        sources = self.sources[rows, columns]
        known = sources[..., 0] >= 0
        old = self.sample[:, sources[..., 0].clamp(min=0), sources[..., 1].clamp(min=0)]
        row, column = self._chosen(old, known)
        new = self.sample[:, row : row + side, column : column + side]
        taken = cut((new - old).square().sum(0), known)
        place = torch.stack(
            torch.meshgrid(
                torch.arange(row, row + side), torch.arange(column, column + side), indexing="ij"
            ),
            -1,
        )
        self.sources[rows, columns] = torch.where(taken[..., None], place, sources)

    def _chosen(
        self, old: Float[Tensor, "channels side side"], known: Bool[Tensor, "side side"]
    ) -> tuple[int, int]:
        """Where in the sample the block begins that is to come here."""
        errors = self.errors(old, known)
        count = float(known.sum()) * len(old)
        near = errors <= errors.min().clamp(min=0) * NEAR + SAME * count
        fits = near.flatten().nonzero()[:, 0]
        picked = int(fits[int(torch.randint(len(fits), (), generator=self.random))])
        return divmod(picked, errors.shape[1])

    def errors(
        self, old: Float[Tensor, "channels side side"], known: Bool[Tensor, "side side"]
    ) -> Float[Tensor, "rows columns"]:
        """Of every block of the sample the sum of squared differences to what is known.

        sum of m (s - q)^2 = m * s^2 - 2 (m q) * s + sum of m q^2, where * is a correlation: a
        product of waves.
        """
        height, width = self.sample.shape[1:]
        mask = known.to(old)
        wanted = (old - self.mean) * mask
        size = (height, width)
        there = torch.fft.rfft2(mask, s=size).conj() * self.square_waves
        across = (torch.fft.rfft2(wanted, s=size).conj() * self.waves).sum(0)
        whole: Tensor = torch.fft.irfft2(there - 2 * across, s=size) + wanted.square().sum()
        return whole[: height - self.block + 1, : width - self.block + 1]


def places(length: int, block: int, seamless: bool) -> list[int]:
    """Where blocks begin along one axis: evenly, neighbours overlapping by a sixth at least."""
    step = max(1, block - max(1, block // OVERLAP))
    if seamless:
        count = max(2, -(-length // step)) if length > 1 else 1
        return [number * length // count for number in range(count)]
    count = -(-(length - block) // step)
    return [round(number * (length - block) / max(1, count)) for number in range(count + 1)]


def cut(
    costs: Float[Tensor, "side side"], known: Bool[Tensor, "side side"]
) -> Bool[Tensor, "side side"]:
    """Which pixels of a new block are taken: all beyond the seams with what was there.

    Args:
        costs: how much new and old differ.
        known: where there is something already: along a whole border, or none of it.
    """
    taken = torch.ones_like(known)
    for turns in range(4):
        # The border in question on the left.
        turned, there = torch.rot90(costs, turns), torch.rot90(known, turns)
        wide = int(there.all(0).to(torch.int64).cumprod(0).sum())
        if 0 < wide < len(there):
            side = beyond(seam(turned[:, :wide]), wide)
            side = F.pad(side, (0, len(there) - wide), value=True)
            taken &= torch.rot90(side, -turns)
    return taken | ~known


def drawn(
    sample: Float[Tensor, "channels height width"], sources: Int[Tensor, "h w 2"]
) -> Float[Tensor, "channels h w"]:
    """The picture that sources tell; where there is none, the sample's mean colour."""
    rows, columns = sources.clamp(min=0).unbind(-1)
    mean = sample.mean((1, 2))[:, None, None]
    return torch.where(sources[..., 0] >= 0, sample[:, rows, columns], mean)
