"""Stem: the same numbers as the convolution that it stands for, and the same way back."""

import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.make.runner import Runner
from pellucid.make.stem import Stem, fits


@pytest.mark.parametrize(
    ("side", "stride", "padding", "height", "width"),
    [
        (7, 2, 3, 33, 40),
        (9, 2, 4, 28, 28),
        (11, 4, 2, 56, 61),
        (5, 3, 0, 31, 29),
        (8, 3, 1, 30, 20),
        (5, 2, 2, 5, 5),
        (6, 4, 0, 23, 22),
    ],
)
@pytest.mark.parametrize("bias", [True, False])
def test_against_the_convolution(
    side: int, stride: int, padding: int, height: int, width: int, bias: bool
) -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 8, side, stride, padding, bias=bias).double()
    assert fits(conv)
    images = torch.randn(2, 3, height, width, dtype=torch.float64, requires_grad=True)
    wanted, found = conv(images), Stem(conv)(images)
    torch.testing.assert_close(found, wanted)
    way = torch.randn_like(wanted)
    ways = [torch.autograd.grad(out, images, way)[0] for out in (wanted, found)]
    torch.testing.assert_close(ways[1], ways[0])


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(3, 8, 3, 2),
        nn.Conv2d(3, 8, 7),
        nn.Conv2d(3, 8, (7, 5), 2),
        nn.Conv2d(3, 8, 7, (2, 1)),
        nn.Conv2d(64, 8, 7, 2),
        nn.Conv2d(3, 6, 7, 2, groups=3),
        nn.Conv2d(3, 8, 7, 2, dilation=2),
        nn.Conv2d(3, 8, 7, 2, padding_mode="reflect", padding=3),
        nn.Conv2d(3, 8, 7, padding="same"),
        nn.Conv2d(3, 8, 16, 16),
    ],
    ids=str,
)
def test_others_are_left_alone(conv: nn.Conv2d) -> None:
    assert not fits(conv)


def test_it_stands_in_the_copy_only_and_its_layer_can_be_asked_for() -> None:
    net = pl.load("resnet18", weights="random", device="cpu")
    with net.at_rest(), torch.no_grad():
        runner = Runner(net, frozenset({"conv1"}), (64, 64))
        images = torch.randn(2, 3, 64, 64)
        found = runner(images)["conv1"]
        torch.testing.assert_close(found, net.module.conv1(images), atol=1e-5, rtol=1e-4)
    assert isinstance(runner.fast.module.conv1, Stem)
    assert type(net.module.conv1) is nn.Conv2d
