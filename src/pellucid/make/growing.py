"""Growing: a larger picture pixel by pixel, each from where a small one looks alike around."""

from __future__ import annotations

from collections.abc import Generator

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator as Random
from torch import Tensor
from torch.nn import functional as F

SEED = 3  # px, side of the piece of the sample to begin with
NEAR = 1.1  # times the least error: windows that fit nearly as well as the best may be taken
SPREAD = 6.4  # sides of the window over the standard deviation of its weights
SAME = 1e-6  # of an error, on average: rounding


class Growing:
    """A picture under way.

    Efros & Leung (1999): from a small piece of the sample the picture grows outward. For a pixel at
    the border, those windows of the sample are found which resemble most what is known around it,
    nearer pixels counting more, and it becomes the middle of one of them, drawn at random.

    As many pixels as do not lie in each other's windows are looked up at once, by one convolution:
    the result is that of doing them one after the other.

    Args:
        sample: values 0 to 1, no smaller than the window.
        size: height and width to be made.
        window: px, odd.
        random: of seed, order and choice.

    Attributes:
        sources: (height, width, 2), row and column in the sample that each pixel is from; -1 where
            there is none yet.
        filled: how many pixels have one.
    """

    def __init__(
        self,
        sample: Float[Tensor, "channels height width"],
        size: tuple[int, int],
        window: int,
        random: Random,
    ) -> None:
        # Around the mean, where rounding is least.
        self.sample = sample - sample.mean((1, 2), keepdim=True)
        self.window, self.reach, self.random = window, window // 2, random
        self.sources = torch.full((*size, 2), -1)
        margin = 2 * self.reach
        self.known = torch.zeros(size[0] + margin, size[1] + margin)
        self.picture = torch.zeros(len(sample), *self.known.shape)
        away = (torch.arange(window) - self.reach) / (window / SPREAD)
        bell = torch.exp(-0.5 * away.square())
        self.weights = bell[:, None] * bell
        self.seen = torch.cat([self.sample, self.sample.square().sum(0, keepdim=True)])[None]
        self.filled = 0
        self._begin()

    def run(self) -> Generator[int, None, None]:
        """Grows; yields after each round how many pixels there are."""
        whole = self.sources.shape[0] * self.sources.shape[1]
        while self.filled < whole:
            # One layer after the other, as in the paper: no branches that see but themselves.
            places = self.border()
            while len(places):
                now = self.apart(places)
                rows, columns = places[now].unbind(1)
                self._fill(rows, columns, self._chosen(rows, columns))
                yield self.filled
                places = places[~now]

    def _begin(self) -> None:
        """A piece of the sample, in the middle."""
        tall, wide = (
            min(SEED, *sides)
            for sides in zip(self.sources.shape[:2], self.sample.shape[1:], strict=True)
        )
        top, left = (
            int(torch.randint(side - piece + 1, (), generator=self.random))
            for side, piece in zip(self.sample.shape[1:], (tall, wide), strict=True)
        )
        piece = torch.cartesian_prod(torch.arange(tall), torch.arange(wide))
        middle = torch.tensor(
            [
                (side - part) // 2
                for side, part in zip(self.sources.shape, (tall, wide), strict=False)
            ]
        )
        rows, columns = (piece + middle).unbind(1)
        self._fill(rows, columns, piece + torch.tensor([top, left]))

    def border(self) -> Int[Tensor, "pixels 2"]:
        """Pixels beside those that are known, first those with most known in their windows."""
        known = self.known[None, None]
        around = F.avg_pool2d(known, self.window, 1, divisor_override=1)[0, 0]
        height, width = self.sources.shape[:2]
        inside = known[..., self.reach : self.reach + height, self.reach : self.reach + width]
        beside = F.max_pool2d(inside, 3, 1, 1) > inside
        places = beside[0, 0].nonzero()
        mixed = places[torch.randperm(len(places), generator=self.random)]
        counts = around[mixed[:, 0], mixed[:, 1]]
        return mixed[counts.argsort(descending=True, stable=True)]

    def apart(self, places: Int[Tensor, "pixels 2"]) -> Bool[Tensor, "pixels"]:
        """Which of them to look up at once: from the first on, all that no window holds two of."""
        free = torch.ones(self.sources.shape[:2], dtype=torch.bool).numpy()
        taken, reach = [], self.reach
        for row, column in places.tolist():
            taken.append(bool(free[row, column]))
            if taken[-1]:
                down = slice(max(0, row - reach), row + reach + 1)
                free[down, max(0, column - reach) : column + reach + 1] = False
        return torch.tensor(taken)

    def _chosen(
        self, rows: Int[Tensor, "pixels"], columns: Int[Tensor, "pixels"]
    ) -> Int[Tensor, "pixels 2"]:
        """For each pixel one of the places in the sample that look most like its own."""
        errors = self.errors(rows, columns)
        wide = errors.shape[2]
        flat = errors.flatten(1).clamp(min=0)
        near = flat <= flat.amin(1, keepdim=True) * NEAR + SAME
        lots = torch.rand(flat.shape, generator=self.random)
        picked = lots.masked_fill(~near, -1).argmax(1)
        return torch.stack([picked // wide, picked % wide], 1) + self.reach

    def errors(
        self, rows: Int[Tensor, "pixels"], columns: Int[Tensor, "pixels"]
    ) -> Float[Tensor, "pixels tall wide"]:
        """For each pixel and each window of the sample the mean squared difference, weighted.

        sum of w (s - q)^2 = w * s^2 - 2 (w q) * s + sum of w q^2, where * is a convolution: one,
        of the sample with as many filters as there are pixels.
        """
        span = torch.arange(self.window)
        down = (rows[:, None] + span)[:, :, None]
        across = (columns[:, None] + span)[:, None]
        weights = self.known[down, across] * self.weights
        weights = weights / weights.sum((1, 2), keepdim=True)
        there = self.picture[:, down, across].movedim(1, 0)
        wanted = weights[:, None] * there
        filters = torch.cat([-2 * wanted, weights[:, None]], 1)
        found = F.conv2d(self.seen, filters)[0]
        return found + (wanted * there).sum((1, 2, 3))[:, None, None]

    def _fill(
        self,
        rows: Int[Tensor, "pixels"],
        columns: Int[Tensor, "pixels"],
        places: Int[Tensor, "pixels 2"],
    ) -> None:
        self.sources[rows, columns] = places
        self.picture[:, rows + self.reach, columns + self.reach] = self.sample[
            :, places[:, 0], places[:, 1]
        ]
        self.known[rows + self.reach, columns + self.reach] = 1
        self.filled += len(rows)
