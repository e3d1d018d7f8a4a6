"""Chance that is the same every time."""

import torch
from torch import Tensor


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some(height: int, width: int, seed: int = 1) -> Tensor:
    return torch.randint(256, (3, height, width), generator=generator(seed)) / 255
