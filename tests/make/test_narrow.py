"""Only the channel that is read is made: the same value, the same way up."""

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from lively import lively
from pellucid.make.narrow import Narrow, fits
from pellucid.make.objective import each
from pellucid.make.objectives import channel
from pellucid.make.runner import Runner
from pellucid.target import observe


def slope(output: Tensor, channels: list[int], images: Tensor) -> tuple[Tensor, Tensor]:
    rows = torch.arange(len(images))
    wanted = torch.tensor(channels).repeat(len(images) // len(channels))
    value = output[rows, wanted].mean((1, 2))
    return value.detach(), torch.autograd.grad(value.sum(), images)[0]


@pytest.mark.parametrize(("side", "padding"), [(1, 0), (3, 0), (3, 1), (3, 2), (5, 2)])
def test_it_is_the_convolution_in_one_channel_of_each_image(side: int, padding: int) -> None:
    """And its gradient; more images than channels take them in turns."""
    torch.manual_seed(0)
    conv = nn.Conv2d(6, 9, side, padding=padding).requires_grad_(False)
    assert fits(conv)
    part = Narrow(conv)
    images = torch.randn(4, 6, 7, 11).requires_grad_()
    assert torch.equal(part(images), conv(images))
    part.channels = [8, 2]
    (value, way), (wanted, up) = (slope(made(images), [8, 2], images) for made in (part, conv))
    torch.testing.assert_close(value, wanted)
    torch.testing.assert_close(way, up)
    assert part(images).shape == conv(images).shape


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(4, 4, 3, groups=2),
        nn.Conv2d(4, 4, 3, stride=2),
        nn.Conv2d(4, 4, 3, dilation=2),
        nn.Conv2d(4, 4, (1, 3)),
        nn.Conv2d(4, 4, 3, padding="same"),
        nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(4, 4, 1, padding=1),
    ],
)
def test_what_it_does_not_stand_for(conv: nn.Conv2d) -> None:
    assert not fits(conv)


@pytest.mark.parametrize(
    ("name", "layer", "count"),
    [
        ("resnet18", "layer2", 1),
        ("resnet18", "layer1.0.conv1", 1),
        ("resnet50", "layer1.0", 2),  # the block's own and its shortcut's
        ("vgg11", "features.7", 1),
        ("mobilenet_v2", "features.3", 1),
        ("densenet121", "features.denseblock1", 0),  # channels side by side
        ("squeezenet1_1", "features.4", 0),
    ],
)
def test_a_network_is_narrowed_where_nothing_mixes_channels(
    name: str, layer: str, count: int
) -> None:
    """Value and gradient of the channels that are read stay as they were."""
    net = lively(name, 64)
    channels = [1, 5, 3]
    bound = each([channel(layer, number) for number in channels]).bind(net)
    assert bound.channels == (1, 5, 3)
    with net.at_rest():
        runner = Runner(net, frozenset({layer}), (64, 64))
        assert runner.fast is not net
        random = torch.Generator().manual_seed(0)
        images = torch.randn(6, 3, 64, 64, generator=random).requires_grad_()
        found = slope(runner(images, bound.channels)[layer], channels, images)
        assert len(runner.narrow or ()) == count
        wanted = slope(observe(net, images, {layer})[layer], channels, images)
        whole = runner(images)[layer]
    for made, own in zip(found, wanted, strict=True):
        torch.testing.assert_close(made, own, atol=1e-4 * float(own.abs().max()), rtol=1e-3)
    torch.testing.assert_close(whole, observe(net, images, {layer})[layer], atol=1e-3, rtol=1e-3)


class Shared(nn.Module):
    """What a rectifier makes is pooled, and read besides."""

    def __init__(self, twice: bool) -> None:
        super().__init__()
        self.conv, self.relu, self.pool = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2)
        self.last, self.twice = nn.Conv2d(8, 5, 1), twice

    def forward(self, images: Tensor) -> Tensor:
        bent = self.relu(self.conv(images))
        pooled: Tensor = self.last(self.pool(bent)).mean((2, 3))
        return pooled + bent.mean((1, 2, 3))[:, None] if self.twice else pooled


@pytest.mark.parametrize("twice", [False, True])
def test_a_rectifier_goes_behind_the_pooling_where_nobody_else_reads_it(twice: bool) -> None:
    torch.manual_seed(0)
    net = pl.Network(Shared(twice).eval(), size=32)
    images = torch.randn(2, 3, 32, 32)
    with net.at_rest(), torch.no_grad():
        runner = Runner(net, frozenset({""}), (32, 32))
        assert isinstance(runner.fast.module.get_submodule("pool"), nn.MaxPool2d) is twice
        torch.testing.assert_close(runner(images)[""], observe(net, images, {""})[""])
