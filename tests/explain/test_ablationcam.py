"""Ablation-CAM against its formula, and how channels are left out of networks of every make."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from test_cam import LAYER, network
from test_evidence import small
from torch import Tensor, nn

import pellucid as pl
from pellucid.explain import ablationcam
from scarce import scarce


def twin(front: nn.Module, back: nn.Module, inputs: Tensor, target: int) -> Tensor:
    """The paper's formula, times the score."""
    with torch.no_grad():
        maps = front(inputs)
        whole = back(maps)[0, target]
        found = torch.zeros(maps.shape[2:], dtype=maps.dtype)
        for k in range(maps.shape[1]):
            less = maps.clone()
            less[:, k] = 0
            found += (whole - back(less)[0, target]) * maps[0, k]
    return found.relu().float()


@pytest.mark.parametrize("rectified", [True, False])
def test_ablationcam_is_its_formula(rectified: bool, cat: pl.Photo) -> None:
    net = network(rectified=rectified)
    cut = int(LAYER) + 1
    greatest = []
    for target in range(3):
        wanted = twin(net.module[:cut], net.module[cut:], net.prepare(cat)[0], target)
        found = pl.cam(net, cat, target=target, layer=LAYER, way="ablationcam")
        torch.testing.assert_close(found.values, wanted)
        greatest.append(float(wanted.max()))
    assert max(greatest) > 1e-3


def test_what_speaks_for_a_class_does_so_whatever_the_sign_of_its_score(cat: pl.Photo) -> None:
    """The score's offset counts for nothing: divided by it, the map would turn, or overflow."""
    net = network()
    maps = []
    for offset in (5.0, 0.0, -5.0):
        nn.init.constant_(net.module[8].bias, offset)
        maps.append(pl.cam(net, cat, target=1, layer=LAYER, way="ablationcam").values)
    for one in maps:
        torch.testing.assert_close(one, maps[0], rtol=1e-4, atol=1e-7)


class Joined(nn.Module):
    """Behind its layers stands what wants as many photos as went in."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem, self.deep, self.beside = (nn.Conv2d(3 * n, 3, 3, padding=1) for n in (1, 1, 1))
        self.head = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        both = torch.cat([self.deep(x).relu(), self.beside(x)], 1)
        found: Tensor = self.head(both.square().mean((2, 3)))
        return found


class InPlace(Joined):
    """A rectifier in place, of which the network goes on with what it handed in."""

    def __init__(self) -> None:
        super().__init__()
        self.rectifier = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        self.rectifier(x)
        found: Tensor = self.head(torch.cat([x, self.deep(x)], 1).square().mean((2, 3)))
        return found


class Shared(InPlace):
    """The same, and what lies in the same memory goes another way."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        same = x.view(len(x), -1)
        self.rectifier(x)
        other = self.deep(same.view(x.shape))
        found: Tensor = self.head(torch.cat([x, other], 1).square().mean((2, 3)))
        return found


def by_hooks(net: pl.Network, name: str, channel: int, inputs: Tensor) -> Tensor:
    """The scores without a channel, for a photo alone."""

    def less(_part: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        output.data[:, channel] = 0
        return output

    handle = net.module.get_submodule(name).register_forward_hook(less)
    with torch.no_grad():
        scores: Tensor = net.module(inputs.clone())[0]
    handle.remove()
    return scores


@pytest.mark.parametrize(
    ("module", "layer", "once"),
    [
        (Joined, "stem", True),
        (Joined, "deep", False),
        (InPlace, "rectifier", True),
        (Shared, "rectifier", False),
    ],
)
def test_copies_begin_at_the_layer_where_the_network_takes_that(
    module: Callable[[], nn.Module], layer: str, once: bool, cat: pl.Photo,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    net = pl.Network(module(), size=9)
    inputs = net.prepare(cat)[0]
    with torch.no_grad(), pl.recording(net, [layer, ""], stop=False) as seen:
        net.module(inputs.clone())
    wanted = torch.zeros(seen[layer].shape[2:])
    for channel in range(3):
        lost = seen[""][0, 2] - by_hooks(net, layer, channel, inputs)[2]
        wanted += lost * seen[layer][0, channel]
    answered: list[bool] = []
    asks = ablationcam._once

    def noted(*given: Any) -> bool:
        answered.append(asks(*given))
        return answered[-1]

    monkeypatch.setattr(ablationcam, "_once", noted)
    asked = [2, lambda seen: -seen[""][:, 2]]
    found = pl.cam(net, cat, target=asked, layer=layer, way="ablationcam").values[0]
    assert answered == [once] and float(wanted.abs().max()) > 1e-3
    torch.testing.assert_close(found[0] - found[1], wanted, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", ["vit", "registers", "swin"])
def test_of_tokens_those_with_a_place_are_left_out(name: str, cat: pl.Photo) -> None:
    net = small(name)
    net.module.eval()
    part = net.module.blocks[2].norm1 if name != "swin" else net.module.norm
    layer = "blocks.2.norm1" if name != "swin" else "norm"
    first = {"vit": 1, "registers": 3, "swin": 0}[name]
    kept: list[Tensor] = []
    channel = -1

    def less(_part: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        output = output.clone()
        if channel < 0:
            kept.append(output.clone())
        elif name == "swin":
            output[..., channel] = 0
        else:
            output[:, first:, channel] = 0
        return output

    handle = part.register_forward_hook(less)
    with torch.no_grad():
        scores = {}
        for channel in range(-1, 32):
            scores[channel] = net.module(net.prepare(cat)[0])[0, 7]
    handle.remove()
    places = kept[0][0].flatten(0, -2)[first:]
    wanted = sum((scores[-1] - scores[k]) * places[:, k] for k in range(32)).relu()
    found = pl.cam(net, cat, target=7, layer=layer, way="ablationcam").values
    assert float(wanted.max()) > 1e-5
    torch.testing.assert_close(found.flatten(), wanted, rtol=1e-3, atol=1e-3 * float(wanted.max()))


def test_channels_that_are_zero_need_no_pass(cat: pl.Photo) -> None:
    net = network()
    with torch.no_grad():
        net.module[2].bias[1] = -100
        live = int(net.module[: int(LAYER) + 1](net.prepare(cat)[0]).any(3).any(2).sum())
    steps = list(pl.cam.steps(net, cat, target=1, layer=LAYER, way="ablationcam"))
    assert 0 < live < 4 and [(step.done, step.total) for step in steps] == [(live, live)]


def test_memory_that_runs_out_halves_the_channels(
    tiny: pl.Network, cat: pl.Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = {"target": "bee", "layer": "block.relu", "way": "ablationcam"}
    wanted = pl.cam(tiny, cat, **arguments)
    monkeypatch.setattr(ablationcam, "_once", lambda *_: False)
    sizes = scarce(tiny, 2, monkeypatch)
    found = pl.cam(tiny, cat, **arguments)
    assert sizes[1:4] == [6, 3, 1] and max(sizes[4:]) == 1
    torch.testing.assert_close(found.values, wanted.values, rtol=1e-4, atol=1e-6)
    assert bool(found.values.any())
