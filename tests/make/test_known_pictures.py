"""Pictures whose answer is known: a planted template, and the filters of a first layer."""

import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.make.draw import Drawing
from pellucid.make.manner import manner
from pellucid.make.objective import each
from pellucid.make.objectives import channel, neuron
from pellucid.portrait import Portrait

SIDE = 20  # of the template, px
MIDDLE = 6  # row and column of the neuron; its field lies inside of a picture of 24 px


def face() -> Float[Tensor, "3 side side"]:
    """A yellow face with a red mouth on blue: like nothing that comes out by chance."""
    away = torch.arange(SIDE) - (SIDE - 1) / 2
    across, down = away.expand(SIDE, SIDE), away[:, None].expand(SIDE, SIDE)
    radius = (across.square() + down.square()).sqrt()
    parts = [
        (radius < 99, (0.1, 0.2, 0.6)),
        (radius < 9.3, (0.95, 0.85, 0.1)),
        (((across.abs() - 3.5).square() + (down + 3).square()) < 3, (0.05, 0.05, 0.3)),
        ((radius > 4.2) & (radius < 6.3) & (down > 1.5), (0.7, 0.05, 0.1)),
    ]
    drawn = torch.zeros(3, SIDE, SIDE)
    for where, colour in parts:
        drawn = torch.where(where, torch.tensor(colour)[:, None, None], drawn)
    return drawn


def planted() -> pl.Network:
    """Looks for the face anywhere: the best match over all places, above a threshold."""
    module = nn.Sequential(nn.Conv2d(3, 2, SIDE), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten())
    template = face() - face().mean((1, 2), keepdim=True)
    with torch.no_grad():
        module[0].weight.copy_(torch.stack([template, -template]) / template.norm())
        module[0].bias.fill_(-0.5)
    half = [0.5] * 3
    return pl.Network(module, size=48, mean=half, std=[0.25] * 3, labels=["face", "its negative"])


def likeness(made: Portrait, template: Float[Tensor, "3 side side"]) -> float:
    """Correlation at the best shift, each colour around its own mean."""
    patches = made.values.unfold(1, SIDE, 1).unfold(2, SIDE, 1).permute(1, 2, 0, 3, 4).flatten(0, 1)
    patches = patches - patches.mean((2, 3), keepdim=True)
    template = template - template.mean((1, 2), keepdim=True)
    return float(F.cosine_similarity(patches.flatten(1), template.flatten()[None]).max())


@pytest.mark.parametrize(
    ("recipe", "settings", "least"),
    [
        ("simple", {}, 0.98),
        ("jitter", {}, 0.9),
        ("lucid", {"transforms": "none"}, 0.94),
        # These blur, or cut off what says little; MACO may change the phases of waves only.
        ("yosinski1", {}, 0.85),
        ("yosinski2", {}, 0.85),
        ("yosinski4", {}, 0.8),
        ("maco", {"transforms": "none", "steps": 120}, 0.75),
    ],
)
def test_a_planted_template_comes_out(recipe: str, settings: dict[str, str], least: float) -> None:
    made = pl.feature(
        planted(), "class:face", recipe=recipe, photos="photo:cat", **({"steps": 60} | settings)
    )
    assert likeness(made, face()) > least
    assert made.facts["value"] > made.rival[1] and made.facts["fresh probability"] > 0.99


def test_the_negative_comes_out_as_well() -> None:
    made = pl.feature(
        planted(), "class:its negative", recipe="simple", photos="photo:cat", steps=60
    )
    assert likeness(made, -face()) > 0.97


def filters(net: pl.Network) -> Float[Tensor, "48 3 9 9"]:
    return net.module.get_submodule("conv1").weight.detach()


def test_a_neuron_of_the_first_layer_draws_its_filter(bundled: pl.Network) -> None:
    """All 48 of them at once, in the simple recipe: what it sees, between black and white.

    The picture comes to rest at a multiple of the filter, and is cut off at black and white: so a
    filter of few strong weights is less like its picture. What the formula says of that comes out.
    """
    weights = filters(bundled)
    want = each([neuron("conv1", number, MIDDLE, MIDDLE) for number in range(48)])
    with bundled.at_rest():
        drawing = Drawing(bundled, want.bind(bundled), manner("simple").but(size="24"), count=48)
        for _ in drawing.run(want):
            pass
    field = bundled.layers["conv1"].field
    assert field is not None
    top, left, bottom, right = field.box(MIDDLE, MIDDLE)
    made = drawing.so_far().inputs
    outside = torch.ones(24, 24, dtype=torch.bool)
    outside[top:bottom, left:right] = False
    assert not made[:, :, outside].any()
    drawn = made[:, :, top:bottom, left:right].flatten(1)
    alike = correlation(drawn, weights.flatten(1))
    assert float(alike.mean()) > 0.94 and float(alike.min()) > 0.89
    rest = 0.05 * (1 - 0.98**128) / 0.02 * 0.98
    size = weights.square().mean((1, 2, 3), keepdim=True).sqrt()
    black, white = (
        bundled.preprocess.normalise(torch.full((1, 3, 1, 1), shade)) for shade in (0.0, 1.0)
    )
    wanted = (rest * weights / size).clamp(black, white).flatten(1)
    assert float(correlation(drawn, wanted).min()) > 0.98
    # In a few steps, before anything is cut off, it is the filter itself.
    with bundled.at_rest():
        short = manner("simple").but(size="24", steps=12)
        drawing = Drawing(bundled, want.bind(bundled), short, count=48)
        for _ in drawing.run(want):
            pass
    drawn = drawing.so_far().inputs[:, :, top:bottom, left:right].flatten(1)
    assert float(correlation(drawn, weights.flatten(1)).min()) > 0.995


def test_a_channel_of_the_first_layer_draws_its_filter_folded(bundled: pl.Network) -> None:
    """The mean over all places is a sum of filters, each a stride further: a pattern that repeats.

    So the picture of a convolution's channel before its rectifier does not look like the filter.
    """
    weights = filters(bundled)
    folded = torch.stack(
        [weights[..., y::2, x::2].sum((-2, -1)) for y in (0, 1) for x in (0, 1)], -1
    ).reshape(48, 3, 2, 2)
    want = each([channel("conv1", number) for number in range(48)])
    with bundled.at_rest():
        drawing = Drawing(
            bundled, want.bind(bundled), manner("simple").but(size="32", steps=1), count=48
        )
        for _ in drawing.run(want):
            pass
    # A filter begins where its first place begins: at an even distance from the middle of others.
    field = bundled.layers["conv1"].field
    assert field is not None
    top, left, _, _ = field.box(4, 4)
    made = drawing.so_far().inputs[:, :, top : top + 8, left : left + 8]
    wanted = folded.repeat(1, 1, 4, 4)
    alike = F.cosine_similarity(made.flatten(1), wanted.flatten(1))
    assert float(alike.min()) > 0.999


def correlation(a: Float[Tensor, "batch n"], b: Float[Tensor, "batch n"]) -> Float[Tensor, "batch"]:
    return F.cosine_similarity(a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True))
