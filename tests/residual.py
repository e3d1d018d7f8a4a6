"""A small residual network that calls its rectifiers in every way there is."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl

RULES = {"guided": pl.guided, "deconv": pl.deconv}
STYLES: dict[str, Callable[["Residual", Tensor], Tensor]] = {
    "module": lambda net, x: net.relu(x),
    "function": lambda net, x: F.relu(x),
    "torch": lambda net, x: torch.relu(x),
    "method": lambda net, x: x.relu(),
    "in place": lambda net, x: F.relu(x, inplace=True),
    "method in place": lambda net, x: x.relu_(),
    "clamp": lambda net, x: x.clamp(min=0),
    "maximum": lambda net, x: torch.maximum(x, torch.zeros(1, dtype=x.dtype)),
    "threshold": lambda net, x: F.threshold(x, 0.0, 0.0),
    "own": lambda net, x: OwnReLU.apply(x),
}


class OwnReLU(torch.autograd.Function):
    """A rectifier of somebody's own, known by its name."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, coming: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return coming * (x > 0)


class Residual(nn.Module):
    """A small residual network; how it calls its rectifiers is for the test to say."""

    def __init__(self, style: str) -> None:
        super().__init__()
        self.style = style
        self.conv0 = nn.Conv2d(3, 4, 3, padding=1)
        self.conv1 = nn.Conv2d(4, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 5, 3, stride=2)
        self.head = nn.Linear(5, 3)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        rectify = STYLES[self.style]
        x = rectify(self, self.conv0(x))
        x = rectify(self, self.bn(self.conv1(x)) + x)
        x = F.max_pool2d(x, 2)
        return self.head(rectify(self, self.conv2(x)).mean((2, 3)))


def residual(style: str = "module") -> pl.Network:
    torch.manual_seed(0)
    net = Residual(style).double()
    net.bn.running_mean.uniform_(-0.2, 0.2)
    net.bn.running_var.uniform_(0.5, 2)
    return pl.Network(net, size=(14, 18), name="residual")
