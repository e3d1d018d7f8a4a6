"""Where one class or one channel is asked for, the layer that makes it computes no other."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from incremental import compared, lively, photo, spots
from torch import Tensor, nn

from pellucid.see.incremental import answers
from pellucid.see.incremental.capture import capture
from pellucid.see.incremental.kernels import work
from pellucid.see.incremental.narrow import narrowed

SIZE, WIDE, CLASSES = (24, 24), 6, 10
PLACES = 22 * 22
CONV = 2 * 9 * WIDE * PLACES  # multiplications and additions of a channel of the second layer


class Net(nn.Module):
    """A layer, another one whose channels are asked for, and what comes between it and them."""

    def __init__(self, tail: Callable[[Any, Tensor], Tensor], groups: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, WIDE, 3, padding=1)
        self.conv = nn.Conv2d(WIDE, CLASSES, 3, groups=groups)
        self.side = nn.Conv2d(WIDE, self.conv.out_channels, 3)
        self.norm = nn.BatchNorm2d(self.conv.out_channels)
        self.slope = nn.PReLU(self.conv.out_channels)
        self.scale = nn.Parameter(torch.empty(1, self.conv.out_channels, 1, 1))
        self.head = nn.Linear(self.conv.out_channels, CLASSES)
        self.tail = tail

    def forward(self, x: Tensor) -> Tensor:
        return self.tail(self, self.first(x).relu())


def mean(x: Tensor) -> Tensor:
    return x.mean((2, 3))


def pooled(net: Any, x: Tensor) -> Tensor:
    """As SqueezeNet answers."""
    return torch.flatten(nn.functional.adaptive_avg_pool2d(net.conv(x).relu(), (1, 1)), 1)


def through_all(net: Any, x: Tensor) -> Tensor:
    x = nn.functional.max_pool2d(net.norm(net.conv(x).relu()) * net.scale, 2)
    return mean(nn.functional.gelu(x) + 1)


def last(net: Any, x: Tensor) -> Tensor:
    """Channels behind the places."""
    return net.conv(x).permute(0, 2, 3, 1).sigmoid().mean((1, 2))


def kept(net: Any, x: Tensor) -> Tensor:
    return net.conv(x).mean((-2, -1), keepdim=True).flatten(1)


def greatest(net: Any, x: Tensor) -> Tensor:
    return net.conv(x).amax(3).sum(2)


def headed(net: Any, x: Tensor) -> Tensor:
    return net.head(mean(net.conv(x)))


def joined(net: Any, x: Tensor) -> Tensor:
    """Of two branches."""
    return mean(net.conv(x) + net.side(x))


def beside(net: Any, x: Tensor) -> Tensor:
    """One of them is there with all channels, for they are read elsewhere too."""
    side = net.side(x)
    return mean((net.conv(x) + side) * side.mean(1, keepdim=True)) + side.mean((1, 2, 3))[:, None]


def shares(net: Any, x: Tensor) -> Tensor:
    return pooled(net, x).softmax(1)


def over_channels(net: Any, x: Tensor) -> Tensor:
    x = net.conv(x)
    return mean(x - x.mean(1, keepdim=True))


def sloped(net: Any, x: Tensor) -> Tensor:
    return mean(net.slope(net.conv(x)))


def one(module: nn.Module, place: int = -3) -> Callable[[Tensor], Tensor]:
    return lambda x: module(x)[:, place][:, None]


def saved(values: Callable[[Tensor], Tensor], module: nn.Module) -> int:
    """Multiplications and additions that are left out, in layers with weights."""
    graph, _ = capture(values, torch.cat([photo(3, SIZE)] * 2), module)
    before, after = (
        sum(work(node, some) for node in some.nodes if node.name in ("conv2d", "linear"))
        for some in (graph, narrowed(graph))
    )
    return before - after


CHANNELS = (CLASSES - 1) * CONV


@pytest.mark.parametrize(
    ("tail", "less"),
    [
        (pooled, CHANNELS),
        (through_all, CHANNELS),
        (last, CHANNELS),
        (kept, CHANNELS),
        (greatest, CHANNELS),
        (joined, 2 * CHANNELS),
        (beside, CHANNELS),
        (headed, 2 * (CLASSES - 1) * CLASSES),
        (shares, 0),
        (over_channels, 0),
        (sloped, 0),
    ],
)
def test_only_what_is_asked_for_is_computed(tail: Any, less: int, monkeypatch: Any) -> None:
    module = lively(Net(tail))
    assert saved(one(module), module) == less
    monkeypatch.setattr(answers, "pays", lambda *_: True)
    asked = compared(one(module), module, photo(3, SIZE), spots(SIZE, 7, 9))
    assert asked.way.startswith("rectangles in ")


@pytest.mark.parametrize("place", [0, 4, CLASSES - 1])
def test_any_class_may_be_the_one(place: int) -> None:
    module = lively(Net(through_all))
    assert saved(one(module, place), module) == CHANNELS
    compared(one(module, place), module, photo(3, SIZE), spots(SIZE, 7, 9))


def test_of_several_and_of_groups_all_are_computed() -> None:
    module = lively(Net(pooled))

    def two(x: Tensor) -> Tensor:
        found = module(x)
        return torch.stack([found[:, 1], found[:, 2]], 1)

    assert saved(two, module) == 0
    compared(two, module, photo(3, SIZE), spots(SIZE, 7, 9))
    grouped = lively(Net(pooled, groups=2))
    assert saved(one(grouped), grouped) == 0
    compared(one(grouped), grouped, photo(3, SIZE), spots(SIZE, 7, 9))


@pytest.mark.parametrize("place", [(1, 2), (2, 5), (3, 7)])
def test_one_place_of_a_map_is_no_channel(place: tuple[int, int]) -> None:
    """Rows, columns and single neurons are found by where they lie."""
    module = lively(Net(lambda net, x: net.conv(x)))
    axis, number = place
    compared(
        lambda x: module(x).select(axis, number).flatten(1)[:, ::9],
        module,
        photo(3, SIZE),
        spots(SIZE, 7, 9),
    )
    compared(
        lambda x: module(x)[:, 2, 5, number][:, None], module, photo(3, SIZE), spots(SIZE, 7, 9)
    )
