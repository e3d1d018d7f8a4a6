"""Doubt against the difference that each pixel makes, and where the answer is known."""

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl


def entropy(net: pl.Network, inputs: Tensor) -> float:
    chances = net.scores(inputs).softmax(1)
    return -(chances * chances.log()).sum().item()


def test_is_the_difference_that_a_pixel_makes() -> None:
    torch.manual_seed(0)
    parts = nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(4 * 4 * 5, 3)
    net = pl.Network(nn.Sequential(*parts).double(), size=(6, 7))
    inputs, step = net.prepare(pl.open_image("photo:cat"))[0], 1e-6
    wanted = torch.zeros(6, 7)
    for channel, row, column in torch.cartesian_prod(*map(torch.arange, (3, 6, 7))):
        above, below = inputs.clone(), inputs.clone()
        above[0, channel, row, column] += step
        below[0, channel, row, column] -= step
        wanted[row, column] += (entropy(net, above) - entropy(net, below)) / (2 * step)
    found = pl.doubt(net, "photo:cat").values
    torch.testing.assert_close(found, wanted, atol=1e-7, rtol=1e-4)


def test_nothing_changes_the_doubt_of_a_network_that_sees_nothing() -> None:
    parts = nn.Flatten(), nn.Linear(3 * 6 * 7, 4)
    net = pl.Network(nn.Sequential(*parts), size=(6, 7))
    parts[1].weight.data.zero_()
    assert not pl.doubt(net, "photo:cat").values.any()


def test_heat_is_above_zero() -> None:
    with pytest.raises(pl.PellucidError, match="heat is at least"):
        pl.doubt(pl.load(), "photo:cat", heat=0)
