"""A small network whose layers see the picture ever more coarsely."""

import torch
from torch import nn

import pellucid as pl


def deep() -> pl.Network:
    """Three strides of two: one place for each 8 px, a field of 25 px."""
    torch.manual_seed(1)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 5, 2, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1), nn.Conv2d(8, 8, 3, 1, 1),
        nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3),
    )  # fmt: skip
    return pl.Network(module, size=64)
