"""Wiring: known cases, and what holds of every network."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.wiring import OUTSIDE, Wiring, wiring


class Forked(nn.Module):
    """Two branches, one of them a group, a rectifier that is used twice, and a sum."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.act = nn.ReLU(inplace=True)
        self.left = nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4))
        self.right = nn.Conv2d(4, 4, 3, padding=1)
        self.never = nn.Conv2d(4, 4, 1)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.stem(x))
        both = torch.cat([self.left(x), self.right(x)], 1)
        both = self.act(both + both.flip(2))
        return self.head(F.max_pool2d(both, 2).mean((2, 3)))


def network(module: nn.Module) -> pl.Network:
    return pl.Network(module.eval(), size=16)


def named(found: Wiring) -> list[tuple[str, str]]:
    """Wires, with operations by what they do."""
    sign = {name: part.sign or name for name, part in found.parts.items()} | {OUTSIDE: OUTSIDE}
    return [(sign[start], sign[end]) for start, end in found.wires]


def test_branches_meet_where_they_are_joined() -> None:
    found = wiring(network(Forked()))
    assert found.followed
    assert named(found) == [
        (OUTSIDE, "stem"), ("stem", "act"), ("act", "left.0"), ("left.0", "left.1"),
        ("act", "right"), ("left.1", "cat"), ("right", "cat"), ("cat", "act#2"),
        ("act#2", "max pool"), ("max pool", "mean"), ("mean", "head"), ("head", OUTSIDE),
    ]  # fmt: skip
    assert found.of("left") == ["left.0", "left.1"]
    assert [found.parts[name].group for name in ("left", "left.0", "right")] == [True, False, False]
    assert "never" not in found.parts


def test_a_residual_block_adds_what_it_was_given() -> None:
    found = wiring(pl.load("resnet18", weights="random"))
    pairs = named(found)
    assert ("maxpool", "+") in pairs and ("layer1.0.bn2", "+") in pairs
    assert ("layer2.0.downsample.1", "+") in pairs
    assert ("+", "layer1.0.relu#2") in pairs
    assert found.of("layer1") == ["layer1.0", "layer1.1"]
    assert sum(part.sign == "+" for part in found.parts.values()) == 8


def test_awkward_networks_are_followed_in_order(tiny: pl.Network) -> None:
    found = wiring(tiny)
    names = [name for name, part in found.parts.items() if not part.sign]
    assert set(names) <= set(tiny.layers)
    order = {name: number for number, name in enumerate(found.parts)}
    for start, end in found.wires:
        assert not start or not end or order[start] < order[end]
    assert not any(part.group for name, part in found.parts.items() if name in dict(found.wires))
    # Its result is thrown away, but it works in place.
    assert ("grouped", "act") in found.wires and ("act", "norm") in found.wires


def test_nothing_is_left_behind() -> None:
    module = Forked().train()
    state = torch.get_rng_state()
    wiring(network(module).with_module(module))
    assert torch.equal(state, torch.get_rng_state())
    assert all(not part._forward_hooks and not part._forward_pre_hooks for part in module.modules())


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace")
def test_what_cannot_be_followed_is_a_row() -> None:
    script = torch.jit.trace(Forked().eval(), torch.zeros(1, 3, 16, 16))
    found = wiring(network(script))
    assert not found.followed
    assert found.wires == ((OUTSIDE, OUTSIDE),)


@pytest.mark.parametrize("bad", [1, 5])
def test_a_network_that_fails_says_so_and_leaves_no_hooks(bad: int) -> None:
    module = Forked().eval()
    module.head = nn.Linear(bad, 5)
    with pytest.raises(RuntimeError):
        wiring(network(module))
    assert all(not part._forward_pre_hooks for part in module.modules())
