"""Backward: networks that overwrite what their own gradient needs."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.backward import backward


class Overwriting(nn.Module):
    """It changes what its rectifier has kept for the way back."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.deep = nn.Conv2d(4, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x).relu()
        kept = x + 1
        x.mul_(2)
        return self.deep(kept).mean((2, 3))


@pytest.mark.parametrize(
    "ask",
    [
        pl.saliency,
        pl.integrated,
        lambda net, photo: pl.cam(net, photo, layer="conv"),
        lambda net, photo: pl.attack(net, photo),
        lambda net, photo: pl.feature(net, "class:1", size=16, steps=2),
        lambda net, photo: pl.dream(net, photo, "class:1", steps=1),
        lambda net, photo: pl.invert(net, photo, layers="deep", steps=2),
        lambda net, photo: pl.texture(net, photo, layers="deep", size=32, steps=2),
    ],
)
def test_a_network_without_a_gradient_is_told_plainly(
    cat: pl.Photo, ask: Callable[[Any, Any], Any]
) -> None:
    net = pl.Network(Overwriting(), size=16)
    with pytest.raises(pl.PellucidError, match="has no gradient: it overwrites numbers in place"):
        ask(net, cat)
    assert pl.occlusion(net, cat).values.isfinite().all()


def test_any_other_error_stays_what_it_is() -> None:
    numbers = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="scalar outputs"), backward():
        torch.autograd.grad(numbers * 2, numbers)
