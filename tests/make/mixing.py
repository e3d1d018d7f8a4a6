"""A network whose first layer can be undone, and photos for it."""

import torch
from torch import Tensor, nn

import pellucid as pl


def mixing(size: tuple[int, int] = (12, 15), channels: int = 3) -> pl.Network:
    """A 1x1 convolution that mixes the colours and can be undone, then scores that cannot."""
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(channels, channels, 1), nn.Conv2d(channels, 8, 3, 2), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4),
    )  # fmt: skip
    with torch.no_grad():
        module[0].weight.copy_(
            (torch.eye(channels) + 0.3 * torch.randn(channels, channels))[:, :, None, None]
        )
    return pl.Network(module, size=size, mean=[0.45] * channels, std=[0.25] * channels)


def some(height: int, width: int) -> Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(1))
