"""The network made ready for many passes says what it said, and the user's is left as it was."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from lively import lively
from pellucid.make.runner import Runner
from pellucid.target import observe
from test_contract import same, state


@pytest.fixture(autouse=True)
def without_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def noise(net: pl.Network, count: int = 2, size: tuple[int, int] | None = None) -> Tensor:
    shape = (count, net.preprocess.channels, *(size or net.preprocess.size))
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(net.dtype)


def norms(module: nn.Module) -> int:
    return sum(isinstance(part, nn.BatchNorm2d) for part in module.modules())


@pytest.mark.parametrize(
    ("name", "layers", "left"),
    [
        ("resnet18", ["layer1.0.conv1", "layer2.0.relu", "layer3.1", ""], 1),
        ("densenet121", ["features.denseblock1", "features.norm5"], None),
        ("mobilenet_v2", ["features.5", "features.18"], 0),
    ],
)
def test_convolutions_have_their_normalisation_worked_in(
    name: str, layers: list[str], left: int | None
) -> None:
    """All that may be: not of a layer that is asked for, nor where another layer lies between."""
    net = lively(name, 64)
    before = state(net)
    with net.at_rest():
        runner = Runner(net, frozenset(layers), (64, 64))
        assert runner.fast is not net and runner.fast.module is not net.module
        given = noise(net)
        wanted, found = observe(net, given, set(layers)), runner(given)
    for layer in layers:
        close = 1e-4 * float(wanted[layer].abs().max())
        torch.testing.assert_close(found[layer], wanted[layer], atol=close, rtol=1e-3)
    kept, had = norms(runner.fast.module), norms(net.module)
    assert kept < had if left is None else kept == left
    same(before, state(net))


def test_it_is_the_network_cut_at_the_deepest_layer(tiny: pl.Network) -> None:
    """What lies behind is not computed."""
    calls: list[str] = []
    for name in ("grouped", "head"):
        part = tiny.module.get_submodule(name)
        part.register_forward_hook(lambda *_, name=name: calls.append(name))
    assert tiny.layers
    with tiny.at_rest():
        block = Runner(tiny, frozenset({"stem.1", "block"}), (20, 28))
        calls.clear()
        assert set(block(noise(tiny))) == {"stem.1", "block"} and not calls
        both = Runner(tiny, frozenset({"block", "grouped"}), (20, 28))
        calls.clear()
        both(noise(tiny))
        assert calls == ["grouped"]


def test_every_layer_of_an_awkward_network(tiny: pl.Network) -> None:
    """In-place and functional rectifiers, used twice, hooks of somebody else's."""
    names = [name for name in tiny.layers if tiny.layers[name].layout.channels]
    before = state(tiny)
    with tiny.at_rest():
        runner = Runner(tiny, frozenset(names), (20, 28))
        assert runner.fast is not tiny
        wanted, found = observe(tiny, noise(tiny), set(names)), runner(noise(tiny))
        for name in names:
            torch.testing.assert_close(found[name], wanted[name], atol=1e-5, rtol=1e-4)
    same(before, state(tiny))


def test_gradients_are_those_of_the_network() -> None:
    net = lively("resnet18", 64)
    with net.at_rest(), torch.enable_grad():
        runner = Runner(net, frozenset({"layer2.1"}), (64, 64))
        slopes = []
        for run in (runner, lambda x: observe(net, x, {"layer2.1"})):
            given = noise(net).requires_grad_()
            value = run(given)["layer2.1"].square().mean()
            slopes += torch.autograd.grad(value, given)
    close = 1e-3 * float(slopes[1].abs().max())
    torch.testing.assert_close(*slopes, atol=close, rtol=1e-2)


class Stubborn(nn.Module):
    """A network that does not let itself be copied."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def __deepcopy__(self, memo: Any) -> nn.Module:
        raise TypeError("there is one of me")

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x).mean((2, 3))


class Moody(nn.Module):
    """A network that says something else each time."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3)) + torch.rand(3)


class Alone(nn.Module):
    """A network whose normalisation gives a convolution's output back to it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)
        self.norm.running_mean += torch.tensor([1.0, -2.0, 3.0])

    def forward(self, x: Tensor) -> Tensor:
        plain = self.conv(x)
        return (plain - self.norm(plain)).mean((2, 3))


@pytest.mark.parametrize("kind", [Stubborn, Moody, Alone])
def test_where_a_copy_is_not_the_same_the_network_runs_as_it_is(kind: type[nn.Module]) -> None:
    net = pl.Network(kind(), size=16)
    with net.at_rest():
        runner = Runner(net, frozenset({""}), (16, 16))
        assert runner.fast is net
        if kind is not Moody:
            assert torch.equal(runner(noise(net))[""], net.module(noise(net)))


def test_a_shared_or_repeated_normalisation_is_left() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3)
            self.norm, self.own = nn.BatchNorm2d(3), nn.BatchNorm2d(3)
            for part in (self.norm, self.own):
                part.running_mean += 0.5

        def forward(self, x: Tensor) -> Tensor:
            x = self.norm(self.b(self.norm(self.a(x))))
            return self.own(self.a(x)).mean((2, 3))

    net = pl.Network(Twice(), size=16)
    with net.at_rest():
        runner = Runner(net, frozenset({""}), (16, 16))
        assert runner.fast is not net and norms(runner.fast.module) == 2
        torch.testing.assert_close(runner(noise(net))[""], net.module(noise(net)))


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16])
def test_in_other_precisions(kind: torch.dtype) -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()).to(kind)
    module[1].running_mean += 0.5
    net = pl.Network(module, size=16)
    with net.at_rest():
        found = Runner(net, frozenset({"2"}), (16, 16))(noise(net))["2"]
        assert found.dtype == kind
        torch.testing.assert_close(found, module(noise(net)), atol=2e-2, rtol=1e-2)


def test_the_images_are_not_changed_though_the_network_changes_its_input() -> None:
    class InPlace(nn.Module):
        def __init__(self, channels: int) -> None:
            super().__init__()
            self.conv = nn.Conv2d(channels, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            x -= 0.5
            return F.relu(self.conv(x))

    for channels in (1, 3):
        net = pl.Network(InPlace(channels), size=16, mean=[0.5] * channels, std=[0.2] * channels)
        for copied in (True, False):
            with net.at_rest():
                runner = Runner(net, frozenset({"conv"}), (16, 16), copied=copied)
                given = noise(net)
                runner(given)
            assert torch.equal(given, noise(net))


@pytest.mark.parametrize("size", [(17, 23), (50, 41), (20, 28)])
def test_a_network_that_takes_any_size_is_shown_it(tiny: pl.Network, size: tuple[int, int]) -> None:
    with tiny.at_rest():
        runner = Runner(tiny, frozenset({"block"}), size)
        assert not runner.resized
        found = runner(noise(tiny, size=size))["block"]
    assert found.shape[2:] == (-(-size[0] // 2), -(-size[1] // 2))


@pytest.mark.parametrize("size", [(17, 23), (50, 41)])
def test_a_network_of_one_size_is_shown_that(size: tuple[int, int]) -> None:
    """One that ends in a linear layer on all places, and one that knows its tokens' places."""
    plain = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(2 * 10 * 14, 5))
    for module, layer, shape in (
        (plain, "2", (2, 5)),
        (nn.Sequential(nn.Conv2d(3, 4, 4, 4), nn.Flatten(2), _Swap()), "2", (2, 12, 4)),
    ):
        side = (12, 16)
        net = pl.Network(module, size=side)
        with net.at_rest():
            runner = Runner(net, frozenset({layer}), size)
            assert runner.resized
            assert runner(noise(net, size=size))[layer].shape == shape
            # In front of it every size is taken as it is.
            assert not Runner(net, frozenset({"0"}), size).resized


class _Swap(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mT


def test_a_size_that_shrinks_to_nothing() -> None:
    halves = [part for _ in range(5) for part in (nn.Conv2d(3, 3, 3, padding=1), nn.MaxPool2d(2))]
    net = pl.Network(nn.Sequential(*halves), size=64, name="halver")
    with net.at_rest():
        with pytest.raises(pl.PellucidError, match=r"20 x 30 px is too small for halver.*64 x 64"):
            Runner(net, frozenset({"9"}), (20, 30))
        # It is large enough for the layers in front.
        assert Runner(net, frozenset({"5"}), (20, 30))(noise(net, size=(20, 30)))


def test_nothing_is_run_where_nothing_is_asked(tiny: pl.Network) -> None:
    runner = Runner(tiny, frozenset(), (9, 9))
    assert runner(noise(tiny, size=(9, 9))) == {}
