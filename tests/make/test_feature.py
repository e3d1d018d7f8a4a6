"""feature(): the answer is known where the score is linear; and the loop goes up."""

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.make.ascend import ascend, direction, slope


def linear(channels: int = 3, size: tuple[int, int] = (6, 9)) -> pl.Network:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(channels * size[0] * size[1], 2))
    return pl.Network(module, size=size, mean=[0.5] * channels, std=[0.25] * channels)


@pytest.mark.parametrize("channels", [1, 3])
def test_of_a_linear_score_it_is_the_weight(channels: int) -> None:
    """Every pixel goes the way of its weight, and ends at black or white."""
    net = linear(channels)
    weight = net.module[1].weight[1].detach().reshape(channels, 6, 9)
    made = pl.feature(net, "class:1", steps=1, rate=0.01, decay=0, jitter=0)
    torch.testing.assert_close(
        made.values - 0.5, 0.25 * 0.01 * weight / weight.square().mean().sqrt()
    )
    made = pl.feature(net, "class:1", steps=300, rate=1.0, decay=0, jitter=0)
    clear = weight.abs() > 0.02 * weight.abs().max()
    assert torch.equal(made.values[clear], (weight > 0).float()[clear])


def test_decay_bounds_the_picture() -> None:
    """Of steps r and a share d taken back, the picture comes to rest at r (1 - d) / d."""
    net = linear()
    weight = net.module[1].weight[0].detach().reshape(3, 6, 9)
    made = pl.feature(net, "class:0", steps=200, rate=0.05, decay=0.1, jitter=0)
    rest = 0.05 * 0.9 / 0.1 * weight / weight.square().mean().sqrt()
    torch.testing.assert_close(made.values, 0.5 + 0.25 * rest, atol=1e-4, rtol=0)
    assert float(made.values.min()) > 0 and float(made.values.max()) < 1


@pytest.mark.parametrize("want", ["class:bee", "stem.1:2", "grouped:3@4,6", "block:1"])
def test_goes_up_and_stays_a_picture(want: str, tiny: pl.Network) -> None:
    unit = tiny.unit(want)

    def value(picture: Tensor) -> float:
        inputs = tiny.preprocess.normalise(picture)[None]
        layer = "" if unit.is_class else unit.layer
        with tiny.at_rest(), torch.no_grad(), pl.recording(tiny, [layer]) as seen:
            tiny.module(inputs)
        return float(unit.value(seen[layer], tiny.layers[layer].layout))

    made = pl.feature(tiny, want, steps=100)
    assert made.values.shape == (1, 20, 28)
    assert 0 <= float(made.values.min()) <= float(made.values.max()) <= 1
    grey = torch.full((1, 20, 28), 0.4)
    assert value(made.values) > value(grey) + 0.01
    assert float(made.caption.split(" to ")[1].split()[0]) == pytest.approx(
        value(made.values), rel=0.01
    )


def test_of_the_tokens_of_a_transformer() -> None:
    net = pl.load("swin_t", weights="random", device="cpu")
    made = pl.feature(net, "features.0:5", steps=3)
    before, after = made.caption.split("from ")[1].split(" in ")[0].split(" to ")
    assert float(after) > float(before)


def test_a_silent_unit_says_so(cat: pl.Photo) -> None:
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        module[0].weight.zero_()
        module[0].bias.fill_(-1)
    with pytest.raises(pl.PellucidError, match=r"1:0 is silent.*try the layer before"):
        pl.feature(pl.Network(module, size=8), "1:0")


def test_a_unit_that_is_silent_on_grey_is_woken() -> None:
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())
    with torch.no_grad():
        module[0].bias.fill_(-0.1)
    net = pl.Network(module, size=8)
    made = pl.feature(net, "1:0", steps=30)
    assert "from 0 " not in made.caption or float(made.values.std()) > 0
    assert not torch.equal(made.values, pl.feature(net, "1:0", steps=30, seed=1).values)
    assert torch.equal(made.values, pl.feature(net, "1:0", steps=30).values)


def test_shows_itself_on_the_way(tiny: pl.Network) -> None:
    steps = list(pl.feature.steps(tiny, "class:ant", steps=45))
    assert [step.done for step in steps if step.picture is not None] == [20, 40]
    assert steps[19].picture.shape == (1, 20, 28)
    assert steps[0].text.startswith("class:ant = ")


def test_wrong_requests(tiny: pl.Network) -> None:
    for want, message in [
        ("class:bea", "did you mean 'bee'"),
        ("stem.1:6", "channels 0 to 5, not 6"),
        ("stem.1:0@99,0", "@99,0 is outside"),
    ]:
        with pytest.raises(pl.PellucidError, match=message):
            pl.feature(tiny, want)


@pytest.mark.parametrize("size", [1e-30, 1e-3, 1e30])
def test_a_step_is_as_long_whatever_the_gradient(size: float) -> None:
    gradient = size * torch.tensor([[3.0, -4.0], [0.0, 0.0]]).reshape(1, 1, 2, 2)
    wanted = torch.tensor([[1.2, -1.6], [0.0, 0.0]]).reshape(1, 1, 2, 2)
    torch.testing.assert_close(direction(gradient), wanted)
    assert not direction(torch.zeros(2, 1, 3, 3)).any()


def test_the_loop_climbs_a_hill_with_each_image_on_its_own() -> None:
    tops = torch.tensor([1.0, -2.0]).view(2, 1, 1, 1)
    start = torch.zeros(2, 1, 1, 1)
    work = ascend(start, lambda image: -(image - tops).square().sum((1, 2, 3)), steps=50, rate=0.1)
    values = []
    image = start
    for image, now in work:  # noqa: B007 (the last one is looked at)
        values.append(now)
    torch.testing.assert_close(image, tops, atol=0.11, rtol=0)
    assert values[0] == [-1, -4] and not start.any()
    assert len(values) == 50


def test_a_slope_that_is_not_there() -> None:
    image = torch.zeros(1, 1, 2, 2, requires_grad=True)
    assert not slope(torch.ones(1, requires_grad=True) * 2, image).any()
    with pytest.raises(pl.PellucidError, match="no gradient reaches"):
        slope(image.detach().sum((1, 2, 3)), image)
    with pytest.raises(pl.PellucidError, match="not finite"):
        slope(image.sqrt().sum((1, 2, 3)), image)


def test_jitter_takes_the_checkerboard_away(bundled: pl.Network) -> None:
    """Neighbouring pixels agree more, and the class is as sure as without it."""

    def roughness(made: pl.Picture) -> float:
        return float(made.values.diff(dim=2).abs().mean() / made.values.std())

    plain = pl.feature(bundled, "class:sunflower", steps=40, jitter=0)
    moved = pl.feature(bundled, "class:sunflower", steps=40)
    assert roughness(moved) < 0.9 * roughness(plain)
    for made in (plain, moved):
        assert pl.predict(bundled, made.values, top=1).names == ("sunflower",)


def test_a_neuron_stays_in_its_place(bundled: pl.Network) -> None:
    """Only what it sees is drawn: jitter would smear the picture over the rest."""
    made = pl.feature(bundled, "conv2:5@2,20", steps=12)
    field = bundled.layers["conv2"].field
    assert field is not None
    top, left, bottom, right = field.box(2, 20)
    outside = torch.ones(112, 112, dtype=torch.bool)
    outside[top:bottom, left:right] = False
    grey = bundled.preprocess.denormalise(bundled.blank()[0])
    torch.testing.assert_close(made.values[:, outside], grey[:, outside])
    assert float((made.values - grey)[:, ~outside].abs().max()) > 0.1
