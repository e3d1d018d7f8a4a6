"""Passes in bfloat16: taken where they pay, about the same, and never where numbers count."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from lively import lively
from pellucid.make import coarse
from pellucid.make.amplified import amplified
from pellucid.make.draw import Drawing
from pellucid.make.manner import manner
from pellucid.make.objective import Objective, View
from pellucid.make.objectives import channel, class_score
from pellucid.make.runner import Runner
from pellucid.make.tiling import Tiled
from pellucid.target import observe
from test_contract import same, state


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a processor that has instructions for it; others compute the same, more slowly."""
    monkeypatch.setattr(coarse, "quick", lambda: True)


def noise(net: pl.Network, count: int = 2) -> Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.randn(net.blank(count).shape, generator=random).to(net.dtype)


def suits(net: pl.Network, layer: str = "") -> bool:
    with net.at_rest():
        return coarse.suits(net, frozenset({layer}), noise(net, 1))


@pytest.mark.parametrize(
    ("name", "layer", "wanted"),
    [
        ("resnet18", "layer2", True),
        ("vgg11", "features.10", True),
        ("densenet121", "features.denseblock2", True),
        ("squeezenet1_1", "", True),
        ("mobilenet_v2", "features.5", False),  # in groups
        ("mobilenet_v2", "features.0", True),  # in none yet
        ("vit_b_16", "encoder.layers.encoder_layer_1", False),
        ("swin_t", "features.1", False),
        ("convnext_tiny", "features.1", False),
    ],
)
def test_dense_convolutions_gain(name: str, layer: str, wanted: bool) -> None:
    assert suits(lively(name, 64 if "vit" not in name else 224), layer) is wanted


def test_other_processors_numbers_and_networks_do_not(
    bundled: pl.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert suits(bundled)
    linear = pl.Network(nn.Sequential(nn.Flatten(), nn.Linear(48, 3)), size=4, name="linear")
    assert not suits(linear)
    assert not suits(bundled.with_module(copy.deepcopy(bundled.module).double()))
    monkeypatch.setattr(coarse, "quick", lambda: False)
    assert not suits(bundled)


class Hard(nn.Module):
    """A network that something in bfloat16 is too much for."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.conv, self.kind = nn.Conv2d(3, 4, 3), kind

    def forward(self, images: Tensor) -> Tensor:
        maps = self.conv(images)
        if self.kind == "strict" and maps.dtype != torch.float32:
            raise RuntimeError("only float32")
        if self.kind == "difference":  # of two large numbers
            maps = (maps + 1000.0) - 1000.0
        return F.relu(maps).mean((2, 3))


@pytest.mark.parametrize("kind", ["strict", "difference"])
def test_a_network_that_needs_all_digits_keeps_them(kind: str) -> None:
    torch.manual_seed(0)
    net = pl.Network(Hard(kind), size=16, name=kind)
    assert suits(pl.Network(Hard("plain"), size=16, name="plain")) and not suits(net)
    with net.at_rest():
        runner = Runner(net, frozenset({""}), (16, 16))
        torch.testing.assert_close(
            runner(noise(net), exact=False)[""], net.scores(noise(net)), atol=1e-5, rtol=1e-4
        )


def test_the_runner_keeps_all_digits_unless_told(bundled: pl.Network) -> None:
    before = state(bundled)
    with bundled.at_rest(), torch.no_grad():
        runner = Runner(bundled, frozenset({"conv5"}), bundled.preprocess.size)
        wanted = observe(bundled, noise(bundled), {"conv5"})["conv5"]
        most = float(wanted.abs().max())
        rough = runner(noise(bundled), exact=False)["conv5"]
        exact = runner(noise(bundled))["conv5"]
    assert rough.dtype == torch.float32
    torch.testing.assert_close(exact, wanted, atol=1e-5 * most, rtol=1e-4)
    assert 1e-4 * most < float((rough - wanted).abs().max()) < 0.02 * most
    same(before, state(bundled))


def test_only_the_channel_that_is_read(bundled: pl.Network) -> None:
    """Whichever comes first, and however many pictures there are."""
    with bundled.at_rest(), torch.no_grad():
        runner = Runner(bundled, frozenset({"conv5"}), bundled.preprocess.size)
        whole = observe(bundled, noise(bundled, 3), {"conv5"})["conv5"]
        for exact in (True, False, True):
            found = runner(noise(bundled, 3), [4, 0, 9], exact=exact)["conv5"]
            for row, number in enumerate((4, 0, 9)):
                close = (1e-5 if exact else 0.02) * float(whole.abs().max())
                torch.testing.assert_close(
                    found[row, number], whole[row, number], atol=close, rtol=0
                )
        assert runner.narrow and runner.coarse


def test_what_is_told_of_a_picture_is_exact(bundled: pl.Network) -> None:
    with bundled.at_rest():
        drawing = Drawing(bundled, channel("conv5", 4).bind(bundled), manner("lucid").but(steps=3))
        for _ in drawing.run("it"):
            pass
        inputs = drawing.so_far().inputs
        with torch.no_grad():
            wanted = observe(bundled, inputs, {"conv5"})["conv5"][:, 4].mean((1, 2))
        torch.testing.assert_close(drawing.plain(), wanted, atol=1e-5, rtol=1e-4)


def test_tiles_are_about_the_whole(bundled: pl.Network) -> None:
    """A dream's way up, seen piece by piece; where its height is told, to all digits."""
    images = noise(bundled)[:1].requires_grad_()
    _, bound = amplified("conv2", bundled)
    ways = []
    with bundled.at_rest():
        for tile in (None, 64):
            look = Tiled(bundled, bound, torch.Generator().manual_seed(0), 0, tile)
            ways.append(torch.autograd.grad(look(images).sum(), images)[0])
            assert look.runner.coarse
            if tile is None:
                seen = observe(bundled, images, bound.layers)
                exact = bound.value(View(bundled, images, seen))
                torch.testing.assert_close(look.still(images), exact, rtol=1e-4, atol=0)
    assert float(F.cosine_similarity(*(way.flatten() for way in ways), dim=0)) > 0.99


@pytest.mark.parametrize("want", [class_score("crocodile"), channel("conv5", 4)])
def test_a_climb_comes_as_high(
    want: Objective, bundled: pl.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    heights = []
    for kind in (True, False):
        monkeypatch.setattr(coarse, "quick", lambda kind=kind: kind)
        with bundled.at_rest():
            how = manner("lucid").but(steps=48, size="64")
            drawing = Drawing(bundled, want.bind(bundled), how)
            for _ in drawing.run(want):
                pass
            assert bool(drawing.runner.coarse) is kind
            heights.append(float(drawing.fresh().mean()))
    assert heights[0] == pytest.approx(heights[1], rel=0.1)
