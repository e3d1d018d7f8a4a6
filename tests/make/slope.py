"""The gradient of a dream, and photos to dream of."""

import torch
from torch import Tensor

import pellucid as pl
from pellucid.make.amplified import amplified
from pellucid.make.tiling import Tiled


def some(height: int, width: int, seed: int = 0) -> Tensor:
    """A photo, none of it black or white."""
    random = torch.Generator().manual_seed(seed)
    return 0.35 + 0.3 * torch.rand(3, height, width, generator=random)


def slope(
    net: pl.Network, want: str, pixels: Tensor, *, jitter: int = 0, tile: int | None = None
) -> Tensor:
    """The gradient over its mean size."""
    with net.at_rest():
        _, bound = amplified(want, net)
        look = Tiled(net, bound, torch.Generator().manual_seed(3), jitter, tile)
        images = pixels[None].clone().requires_grad_()
        (gradient,) = torch.autograd.grad(look(images).sum(), images)
    return gradient / gradient.abs().mean()
