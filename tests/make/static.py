"""A picture of nothing but noise."""

import torch
from torch import Tensor


def some(height: int, width: int, seed: int = 0) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(1, 3, height, width, generator=random)
