"""The rules of guided backpropagation and the deconvnet, written from their formulas.

They stand in for torch's rectifiers, whoever calls them: modules call the functions, too.
"""

from collections.abc import Callable
from math import pi
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

Curve = Callable[..., tuple[Tensor, Tensor]]


def relu(x: Tensor) -> tuple[Tensor, Tensor]:
    """max(x, 0) and its slope."""
    return x * (x > 0), (x > 0).to(x)


def hardtanh(x: Tensor, low: float = -1.0, high: float = 1.0) -> tuple[Tensor, Tensor]:
    """x between two bounds, and its slope; with bounds 0 and 6 it is ReLU6."""
    assert low == 0  # others are not rectifiers
    return x.clamp(low, high), ((x > low) & (x < high)).to(x)


def gelu(x: Tensor) -> tuple[Tensor, Tensor]:
    """x times the share of a normal distribution below x, and its slope."""
    below = (1 + torch.erf(x / 2**0.5)) / 2
    return x * below, below + x * torch.exp(-x * x / 2) / (2 * pi) ** 0.5


def silu(x: Tensor) -> tuple[Tensor, Tensor]:
    """x times its sigmoid, and its slope."""
    share = x.sigmoid()
    return x * share, share * (1 + x * (1 - share))


def hardswish(x: Tensor) -> tuple[Tensor, Tensor]:
    """x times a straight line from 0 at -3 to 1 at 3, and its slope."""
    share = ((x + 3) / 6).clamp(0, 1)
    return x * share, share + x / 6 * ((x > -3) & (x < 3))


def patched(monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    """From here on the rectifiers go by "guided" or "deconv" on their way back."""
    for curve in (relu, hardtanh, gelu, silu, hardswish):
        monkeypatch.setattr(F, curve.__name__, _twin(curve, rule))


def _twin(curve: Curve, rule: str) -> Callable[..., Tensor]:
    class Twin(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, bounds: tuple[float, ...]) -> Tensor:
            y, slope = curve(x, *bounds)
            ctx.save_for_backward(slope)
            return y

        @staticmethod
        def backward(ctx: Any, coming: Tensor) -> tuple[Tensor, None]:
            (slope,) = ctx.saved_tensors
            positive = torch.where(coming > 0, coming, torch.zeros_like(coming))
            return (positive * slope if rule == "guided" else positive), None

    def function(x: Tensor, *given: Any, inplace: bool = False, approximate: str = "") -> Tensor:
        y = Twin.apply(x, tuple(one for one in given if not isinstance(one, bool)))
        return x.copy_(y) if inplace or given[-1:] == (True,) else y

    return function
