"""A transformer that is trained in a quarter of a minute to name the one shape on a mottled ground.

What it looks at is known: the shape is all that tells the classes apart, and lies anywhere.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor
from torch.nn import functional as F
from torchvision.models.vision_transformer import VisionTransformer

import pellucid as pl

SIDE, TALL, PATCH = 48, 16, 8  # px of a photo, of a shape, of what is one token
NAMES = ("disc", "ring", "cross", "stroke")
BATCH, RATE = 48, 2e-3


class Scenes(NamedTuple):
    """Photos with one shape each.

    Attributes:
        pixels: from 0 to 1.
        shapes: the number of the shape's name.
        corners: row and column of its upper left corner.
        white: whether it is white, and not black.
    """

    pixels: Float[Tensor, "batch 3 height width"]
    shapes: Int[Tensor, "batch"]
    corners: Int[Tensor, "batch 2"]
    white: Bool[Tensor, "batch"]

    def mask(self, row: int) -> Float[Tensor, "height width"]:
        """1 on the square around a photo's shape."""
        found = torch.zeros(SIDE, SIDE)
        top, left = self.corners[row].tolist()
        found[top : top + TALL, left : left + TALL] = 1
        return found


def scenes(count: int, random: Generator) -> Scenes:
    """So many, all different."""
    ground = torch.rand(count, 3, 6, 6, generator=random) * 0.6 + 0.2
    pixels = F.interpolate(ground, SIDE, mode="bilinear")
    pixels += 0.05 * torch.randn(pixels.shape, generator=random)
    shapes = torch.randint(len(NAMES), (count,), generator=random)
    corners = torch.randint(SIDE - TALL + 1, (count, 2), generator=random)
    white = torch.randint(2, (count,), generator=random).bool()
    line = torch.arange(SIDE)
    # Each pixel from the middle of its photo's shape.
    down, right = (
        (line - corners[:, axis, None] - TALL / 2 + 0.5)[:, :, None].mT for axis in (0, 1)
    )
    inside = _shapes(down.mT, right)[shapes, torch.arange(count)][:, None]
    pixels = torch.where(inside, white[:, None, None, None].float(), pixels)
    return Scenes(pixels.clamp(0, 1), shapes, corners, white)


def _shapes(down: Tensor, right: Tensor) -> Tensor:
    far = torch.maximum(down.abs(), right.abs())
    near = torch.minimum(down.abs(), right.abs())
    square = far < TALL / 2
    return torch.stack([
        down.square() + right.square() <= TALL**2 / 4,
        (far <= TALL / 2 - 1.5) & (far > 3),
        square & (near <= 2.5),
        square & ((down - right).abs() <= 3),
    ])  # fmt: skip


def untrained() -> VisionTransformer:
    """The network before it has seen anything."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        module = VisionTransformer(
            image_size=SIDE, patch_size=PATCH, num_layers=3, num_heads=4, hidden_dim=64,
            mlp_dim=128, num_classes=len(NAMES),
        )  # fmt: skip
        torch.nn.init.normal_(module.heads.head.weight, std=0.02)  # torchvision's is zero
        return module


def trained(steps: int = 300) -> VisionTransformer:
    """By AdamW with one cycle of the rate."""
    module, random = untrained(), torch.Generator().manual_seed(1)
    climb = torch.optim.AdamW(module.parameters(), lr=RATE, weight_decay=0.01)
    rates = torch.optim.lr_scheduler.OneCycleLR(climb, RATE, total_steps=steps)
    for _ in range(steps):
        some = scenes(BATCH, random)
        F.cross_entropy(module((some.pixels - 0.5) / 0.25), some.shapes).backward()
        climb.step()
        climb.zero_grad()
        rates.step()
    return module.eval()


def network(module: VisionTransformer, name: str) -> pl.Network:
    """As pellucid takes it."""
    return pl.Network(
        module, size=SIDE, mean=[0.5] * 3, std=[0.25] * 3, labels=list(NAMES), name=name
    )
