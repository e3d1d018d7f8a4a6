"""Prior: what is held against pictures that photos do not look like, whatever the network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from pellucid.make.objective import Bound, Image, Objective, Values
from pellucid.network import Network

# Mahendran & Vedaldi's code: weights of the variation for layers 1-6, 7-12 and 13-20 of 20, and
# the length of a photo in its input (x0_sigma, 27098 for 227 x 227 x 3 numbers) as levels of 255.
BY_DEPTH = ((0.3, 1.0), (0.6, 10.0), (1.0, 100.0))
ALPHA, ALPHA_WEIGHT = 6, 8e-10
SIGMA = 27098 / (227 * 227 * 3) ** 0.5
SIDE = 227
LEVELS = 255


@dataclass(frozen=True)
class Prior(Objective):
    """Total variation and the alpha-norm (Mahendran & Vedaldi 2015), as penalties; up is good.

    x are levels of 255 around the network's mean colour, sigma is their usual size, 68.9:

        -(variation / 2 sum (dx^2 + dy^2)^(beta/2) + 4e-10 sum |x|^6) / sum sigma^2

    Differences are between neighbours at 227 x 227 pixels, the paper's size. A picture of half as
    many has twice the difference from one pixel to the next, and would be blurred four times as
    strongly: so they are taken times its side over 227.

    Attributes:
        variation: weight; see `by_depth`.
        beta: 2 blurs, 1 leaves edges and spikes.
    """

    variation: float
    beta: float = 2.0

    def bind(self, net: Network) -> Bound:
        """Of the picture; the network is not asked."""
        std = torch.tensor(net.preprocess.std).view(-1, 1, 1) * LEVELS

        return Bound(frozenset(), lambda view: -self.cost(view.images.float() * std.to(net.device)))

    def cost(self, levels: Image) -> Values:
        """What is held against each picture of levels around the mean."""
        across = F.pad(levels[..., 1:] - levels[..., :-1], (0, 1))
        down = F.pad(levels[..., 1:, :] - levels[..., :-1, :], (0, 0, 0, 1))
        squares = across.square() + down.square()
        squares = squares * (levels.shape[2] * levels.shape[3] / SIDE**2)
        if self.beta < 2:
            squares = squares + 1e-5  # the root has no slope at zero
        uneven = (squares ** (self.beta / 2)).flatten(1).mean(1)
        far = (levels.abs() ** ALPHA).flatten(1).mean(1)
        return (self.variation * uneven + ALPHA_WEIGHT * far) / (2 * SIGMA**2)

    def __str__(self) -> str:
        return f"variation {self.variation:g}"


def by_depth(depth: float) -> float:
    """The weight of the variation for a layer so deep, from 0 to 1."""
    return next(weight for most, weight in BY_DEPTH if depth <= most)
