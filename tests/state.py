"""The weights of one small convolution."""

import torch


def tiny() -> dict[str, torch.Tensor]:
    return {"0.weight": torch.randn(4, 3, 3, 3), "0.bias": torch.randn(4)}
