"""A small U-Net that is trained in a few seconds to find discs and crosses on a mottled ground.

What it looks at is known: shapes are all that tells the classes apart, and lie anywhere.
"""

from functools import cache
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn
from torch.nn import functional as F

import pellucid as pl

SIDE, TALL = 48, 16  # px of a photo, of a shape
NAMES = ("background", "disc", "cross", "ring")
BATCH, RATE, STEPS = 12, 2e-2, 80


class Scenes(NamedTuple):
    """Photos with two shapes each.

    Attributes:
        pixels: from 0 to 1.
        answers: the number of the class of each pixel.
    """

    pixels: Float[Tensor, "batch 3 height width"]
    answers: Int[Tensor, "batch height width"]

    def coarse(self) -> Int[Tensor, "batch rows columns"]:
        """The class of every second pixel: what the network is asked for."""
        return self.answers[:, ::2, ::2]

    def photo(self, row: int) -> Float[Tensor, "3 height width"]:
        """One of them."""
        return self.pixels[row]


def scenes(count: int, random: Generator) -> Scenes:
    """So many, all different: one shape in the left half, one of another class in the right."""
    ground = torch.rand(count, 3, 6, 6, generator=random) * 0.6 + 0.2
    pixels = F.interpolate(ground, SIDE, mode="bilinear")
    pixels += 0.05 * torch.randn(pixels.shape, generator=random)
    answers = torch.zeros(count, SIDE, SIDE, dtype=torch.long)
    line = torch.arange(TALL) - TALL / 2 + 0.5
    shapes = _shapes(line[:, None], line[None, :])
    for row in range(count):
        kinds = torch.randperm(len(shapes), generator=random)[:2].tolist()
        for half, kind in enumerate(kinds):
            top = int(torch.randint(SIDE - TALL + 1, (1,), generator=random))
            left = int(torch.randint(SIDE // 2 - TALL + 1, (1,), generator=random))
            left += half * SIDE // 2
            white = float(torch.randint(2, (1,), generator=random))
            place = slice(top, top + TALL), slice(left, left + TALL)
            inside = shapes[kind]
            pixels[row][:, *place] = torch.where(inside, white, pixels[row][:, *place])
            answers[row][place][inside] = kind + 1
    return Scenes(pixels.clamp(0, 1), answers)


def _shapes(down: Tensor, right: Tensor) -> Tensor:
    far = down.square() + right.square()
    near = torch.minimum(down.abs(), right.abs())
    return torch.stack([
        far <= TALL**2 / 4, near.expand(TALL, TALL) <= 2.5, (far <= TALL**2 / 4) & (far > 20)
    ])  # fmt: skip


class Segmenter(nn.Module):
    """Down to a quarter of the height and width and up to a half, where it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.first = _stage(3, 16, 5, stride=2)
        self.deep = _stage(16, 32, 3, stride=2)
        self.wide = _stage(32, 32, 3)
        self.last = _stage(32 + 16, 16, 3)
        self.head = nn.Conv2d(16, len(NAMES), 1)

    def forward(self, x: Tensor) -> Tensor:
        fine = self.first(x)
        deep = self.wide(self.deep(fine))
        together = torch.cat([F.interpolate(deep, scale_factor=2.0), fine], 1)
        scores: Tensor = self.head(self.last(together))
        return scores


def _stage(before: int, after: int, side: int, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(before, after, side, stride, side // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(after), nn.ReLU())


@cache
def trained() -> Segmenter:
    """By Adam with one cycle of the rate; once for all tests, which leave it as it is."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        module, random = Segmenter(), Generator().manual_seed(1)
    climb = torch.optim.Adam(module.parameters(), lr=RATE)
    rates = torch.optim.lr_scheduler.OneCycleLR(climb, RATE, total_steps=STEPS)
    for _ in range(STEPS):
        some = scenes(BATCH, random)
        F.cross_entropy(module((some.pixels - 0.5) / 0.25), some.coarse()).backward()
        climb.step()
        climb.zero_grad()
        rates.step()
    return module.eval()


def network() -> pl.Network:
    """As pellucid takes it."""
    return pl.Network(
        trained(), size=SIDE, mean=[0.5] * 3, std=[0.25] * 3, labels=list(NAMES), name="segmenter"
    )
