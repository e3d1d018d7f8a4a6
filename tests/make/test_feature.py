"""feature(): the answer is known where the score is linear; and every recipe goes up."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid import portrait
from pellucid.chart import Line, chart
from pellucid.digits import apart
from pellucid.make.manner import MANNERS
from pellucid.make.objectives import channel, total_variation, unit

PLAIN = {"recipe": "simple", "regularisers": "none"}


def linear(channels: int = 3, size: tuple[int, int] = (6, 9)) -> pl.Network:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(channels * size[0] * size[1], 2))
    return pl.Network(module, size=size, mean=[0.5] * channels, std=[0.25] * channels)


@pytest.mark.parametrize("channels", [1, 3])
def test_of_a_linear_score_it_is_the_weight(channels: int) -> None:
    """Every pixel goes the way of its weight, and ends at black or white."""
    net = linear(channels)
    weight = net.module[1].weight[1].detach().reshape(channels, 6, 9)
    made = pl.feature(net, "class:1", steps=1, rate=0.01, **PLAIN)
    torch.testing.assert_close(
        made.values - 0.5, 0.25 * 0.01 * weight / weight.square().mean().sqrt()
    )
    made = pl.feature(net, "class:1", steps=300, rate=1.0, **PLAIN)
    clear = weight.abs() > 0.02 * weight.abs().max()
    assert torch.equal(made.values[clear], (weight > 0).float()[clear])


def test_decay_bounds_the_picture() -> None:
    """Of steps r and a share d taken back, the picture comes to rest at r (1 - d) / d."""
    net = linear()
    weight = net.module[1].weight[0].detach().reshape(3, 6, 9)
    made = pl.feature(
        net, "class:0", steps=200, rate=0.05, recipe="simple", regularisers="decay 0.1"
    )
    rest = 0.05 * 0.9 / 0.1 * weight / weight.square().mean().sqrt()
    torch.testing.assert_close(made.values, 0.5 + 0.25 * rest, atol=1e-4, rtol=0)
    assert float(made.values.min()) > 0 and float(made.values.max()) < 1


@pytest.mark.parametrize("want", ["class:bee", "stem.1:2", "grouped:3@4,6", "block:1"])
@pytest.mark.parametrize("recipe", MANNERS)
def test_goes_up_and_stays_a_picture(want: str, recipe: str, tiny: pl.Network) -> None:
    named = tiny.unit(want)

    def value(picture: Tensor) -> float:
        inputs = tiny.preprocess.normalise(picture)[None]
        with tiny.at_rest(), torch.no_grad():
            return float(tiny.neurons(inputs, named)[0])

    made = pl.feature(tiny, want, steps=40, recipe=recipe)
    assert made.values.shape == (1, 20, 28)
    assert 0 <= float(made.values.min()) <= float(made.values.max()) <= 1
    grey = torch.full((1, 20, 28), 0.4)
    assert value(made.values) > value(grey)
    assert made.facts["value"] == pytest.approx(value(made.values), rel=0.01, abs=1e-4)
    assert made.curve.shape == (40,) and made.fresh.shape == (16,)


def test_the_chart_ends_with_the_finished_picture(
    tiny: pl.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not with the last part of it that the network was shown on the way."""
    drawn: list[Line] = []

    def seen(title: str, lines: list[Line], *more: Any) -> Tensor:
        drawn.extend(lines)
        return chart(title, lines, *more)

    monkeypatch.setattr(portrait, "chart", seen)
    made = pl.feature(tiny, "class:ant", steps=5, recipe="crop")
    value = made.facts["value"]
    made.image()
    assert drawn[0].points[0] == (0, float(made.curve[0])) and len(drawn[0].points) == 6
    assert drawn[0].points[-1] == (5, value) and f"finished {value:.3g}" in drawn[0].name
    assert f" to {apart(float(made.curve[0]), value)[1]} in 5 steps" in made.caption


def test_of_the_tokens_of_a_transformer() -> None:
    net = pl.load("swin_t", weights="random", device="cpu")
    made = pl.feature(net, "features.0:5", steps=3, recipe="jitter")
    assert made.facts["value"] > float(made.curve[0])


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("resnet18", "layer1.0:3"),
        ("vgg11", "features.8:3"),
        ("densenet121", "features.denseblock1:3"),
        ("mobilenet_v2", "features.3:3"),
        ("vit_b_16", "encoder.layers.encoder_layer_0:5"),
        ("googlenet", "inception3a:5"),
    ],
)
def test_of_torchvisions_networks(name: str, want: str) -> None:
    net = pl.load(name, weights="random", device="cpu")
    made = pl.feature(net, want, steps=4, recipe="simple", photos="photo:cat")
    assert made.facts["value"] > float(made.curve[0])
    assert made.values.shape == (3, 224, 224)


def test_a_dead_unit_says_so() -> None:
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        module[0].weight.zero_()
        module[0].bias.fill_(-1)
    with pytest.raises(pl.PellucidError, match=r"1:0 is dead.*layer before"):
        pl.feature(pl.Network(module, size=8), "1:0", steps=3)


def test_a_unit_that_is_silent_on_grey_is_woken() -> None:
    """The rectifier lets through what would raise it, as long as nothing else comes through."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())
    with torch.no_grad():
        module[0].bias.fill_(-0.5)
    net = pl.Network(module, size=8)
    made = pl.feature(net, "1:0", steps=30, recipe="simple")
    assert float(made.curve[0]) == 0 and made.facts["value"] > 0.1


def test_shows_itself_on_the_way(tiny: pl.Network) -> None:
    steps = list(pl.feature.steps(tiny, "class:ant", steps=45))
    assert [step.done for step in steps if step.picture is not None] == [20, 40]
    picture = steps[19].picture
    assert picture is not None and picture.shape == (1, 20, 28)
    assert steps[0].text.startswith("class:ant = ")


def test_ctrl_c_gives_the_picture_so_far_and_its_recipe_makes_it_again(tiny: pl.Network) -> None:
    work = pl.feature.steps(tiny, "class:ant", steps=40)
    for _ in range(7):
        next(work)
    with pytest.raises(StopIteration) as end:
        work.throw(KeyboardInterrupt())
    made = end.value.value
    assert "in 7 steps" in made.caption and "stopped, of 40" in made.caption
    assert made.recipe.settings["steps"] == 7
    again = pl.feature(tiny, **made.recipe.settings)
    assert torch.equal(again.values, made.values)


def test_ctrl_c_before_the_first_step_is_one(tiny: pl.Network) -> None:
    work = pl.feature.steps(tiny, "class:ant", steps=40)
    with pytest.raises(KeyboardInterrupt):
        work.throw(KeyboardInterrupt())


def test_wrong_requests(tiny: pl.Network) -> None:
    for want, message in [
        ("class:bea", "did you mean 'bee'"),
        ("stem.1:6", "channels 0 to 5, not 6"),
        ("stem.1:0@99,0", "@99,0 is outside"),
        ("layr(block)", "no objective 'layr'; did you mean 'layer'"),
        ("0.1 * total_variation(x)", "takes a number"),
        ("direction(block)", "cannot hold the vector"),
    ]:
        with pytest.raises(pl.PellucidError, match=message):
            pl.feature(tiny, want)
    for settings, message in [
        ({"recipe": "lucd"}, "no recipe 'lucd'; did you mean 'lucid'"),
        ({"transforms": "jiter 0.1"}, "no transform 'jiter'; did you mean 'jitter'"),
        ({"transforms": "jitter 2"}, "share of jitter is from 0 to 1"),
        ({"regularisers": "blur"}, "lacks a number: it is blur SIGMA EVERY"),
        ({"canvas": "pixels; fourier"}, "one canvas is wanted"),
        ({"size": "axb"}, "a size is 128, or 96x128"),
        ({"climb": "adam fast"}, "RATE is a number|rate of adam RATE is a number"),
        ({"regularisers": "decay 0.1"}, "works on pixels, and this canvas has none"),
    ]:
        with pytest.raises(pl.PellucidError, match=message):
            pl.feature(tiny, "class:bee", steps=2, **settings)


def test_a_climb_that_goes_too_far_stops_and_says_so() -> None:

    class Steep(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1).sum(1, keepdim=True).exp()

    net = pl.Network(Steep(), size=8)
    with pytest.raises(
        pl.PellucidError, match=r"no longer finite at step 3: steps of even 0.4 .* try even 0.04"
    ):
        pl.feature(net, "class:0", steps=9, recipe="simple", rate=0.4)


def test_a_canvas_too_small_for_the_network() -> None:
    net = pl.load("vgg11", weights="random", device="cpu")
    with pytest.raises(pl.PellucidError, match=r"8 x 8 px is too small for vgg11"):
        pl.feature(net, "features.15:0", size="8", steps=2)


def test_canvases_of_other_sizes(bundled: pl.Network) -> None:
    made = pl.feature(bundled, "conv4:17", size="96x160", steps=3)
    assert made.values.shape == (3, 96, 160)
    net = pl.load("vit_b_16", weights="random", device="cpu")
    made = pl.feature(net, "encoder.layers.encoder_layer_0:5", size="128", steps=2)
    assert made.values.shape == (3, 128, 128)


def test_jitter_takes_the_checkerboard_away(bundled: pl.Network) -> None:
    """Neighbouring pixels agree more, and the class is as sure as without it."""

    def roughness(made: pl.Picture) -> float:
        return float(made.values.diff(dim=2).abs().mean() / made.values.std())

    plain = pl.feature(bundled, "class:sunflower", steps=40, recipe="simple")
    moved = pl.feature(bundled, "class:sunflower", steps=40, recipe="jitter")
    assert roughness(moved) < 0.9 * roughness(plain)
    for made in (plain, moved):
        assert pl.predict(bundled, made.values, top=1).names == ("sunflower",)


def test_a_neuron_stays_in_its_place(bundled: pl.Network) -> None:
    """Only what it sees is drawn: jitter would smear the picture over the rest."""
    made = pl.feature(bundled, "conv2:5@2,20", steps=12, recipe="jitter")
    field = bundled.layers["conv2"].field
    assert field is not None
    top, left, bottom, right = field.box(2, 20)
    outside = torch.ones(112, 112, dtype=torch.bool)
    outside[top:bottom, left:right] = False
    grey = bundled.preprocess.denormalise(bundled.blank()[0])
    torch.testing.assert_close(made.values[:, outside], grey[:, outside])
    assert float((made.values - grey)[:, ~outside].abs().max()) > 0.1


def test_an_objective_may_be_given_as_itself(tiny: pl.Network) -> None:
    """Its recipe has its text, which makes the same picture."""
    want = channel("block", 1) - 0.1 * total_variation()
    made = pl.feature(tiny, want, steps=3)
    assert made.recipe.settings["want"] == "block:1 - 0.1 * total_variation"
    assert torch.equal(made.values, pl.feature(tiny, **made.recipe.settings).values)
    assert torch.equal(
        pl.feature(tiny, unit("block:1"), steps=3).values,
        pl.feature(tiny, "block:1", steps=3).values,
    )


def test_a_class_drawn_by_default_is_that_class_and_beats_every_photo(bundled: pl.Network) -> None:
    made = pl.feature(bundled, "class:pizza", steps=100)
    assert made.facts["fresh probability"] > 0.9
    assert made.rival is not None and made.facts["fresh value"] > made.rival[1]
    assert made.image().shape[0] == 3 and made.picture().values is made.values
    assert set(made.data()) >= {"curve", "fresh", "best photo"}


def test_a_planted_template_comes_out() -> None:
    """A unit that looks for one picture draws it: the known case."""
    random = torch.Generator().manual_seed(1)
    template = nn.functional.interpolate(
        torch.randn(1, 3, 5, 5, generator=random), 15, mode="bicubic"
    )[0]
    template -= template.mean((1, 2), keepdim=True)
    module = nn.Sequential(nn.Conv2d(3, 1, 15, bias=False), nn.ReLU(), nn.AdaptiveMaxPool2d(1))
    with torch.no_grad():
        module[0].weight[0] = template
    net = pl.Network(nn.Sequential(*module, nn.Flatten()), size=32, mean=[0.5] * 3, std=[0.25] * 3)
    # Waves prefer coarse patterns in natural colours, and this template has neither.
    for recipe, least in (("simple", 0.99), ("jitter", 0.9), ("lucid", 0.7)):
        rate = None if recipe == "lucid" else 0.01
        made = pl.feature(net, "class:0", recipe=recipe, steps=60, rate=rate)
        patches = (made.values - 0.5)[None].unfold(2, 15, 1).unfold(3, 15, 1)[0]
        flat = patches.permute(1, 2, 0, 3, 4).flatten(2).flatten(0, 1)
        flat = flat - flat.mean(1, keepdim=True)
        alike = nn.functional.cosine_similarity(flat, template.flatten()[None])
        assert float(alike.max()) > least, recipe


def test_first_layer_channels_look_like_their_filters(bundled: pl.Network) -> None:
    """A neuron of the first convolution: its picture is its filter, all but exactly."""
    for number in range(0, 48, 6):
        made = pl.feature(bundled, f"conv1:{number}@28,28", recipe="simple", steps=2, rate=0.005)
        field = bundled.layers["conv1"].field
        assert field is not None
        top, left, bottom, right = field.box(28, 28)
        drawn = bundled.preprocess.normalise(made.values)[:, top:bottom, left:right].flatten()
        weight = bundled.module.get_submodule("conv1").weight[number].detach().flatten()
        assert float(nn.functional.cosine_similarity(drawn, weight, dim=0)) > 0.999, number
