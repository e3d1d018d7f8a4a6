"""Small networks to ask for fields."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


def conv(*args: Any, **kwargs: Any) -> nn.Conv2d:
    return nn.Conv2d(*args, **kwargs)


class Calls(nn.Module):
    """A network given by its parts and a forward function of them."""

    def __init__(self, forward: Any, **parts: nn.Module) -> None:
        super().__init__()
        self.run = forward
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x: Tensor) -> Any:
        return self.run(self, x)


def image(height: int, width: int) -> Tensor:
    return torch.rand(1, 3, height, width)
