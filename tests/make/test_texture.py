"""texture(): the Gram error falls, copies fit together, and it can be stopped."""

import pytest
import torch
from static import some
from torch import Tensor

import pellucid as pl
from pellucid.make.mosaic import Mosaic
from pellucid.make.strata import strata, usual, usual_content
from pellucid.make.synthesis import Moments, continued, roots
from pellucid.make.weave import noise


def test_a_torus_goes_on_where_it_began() -> None:
    image = some(7, 9)
    by = continued(image, 12, "wrap")
    assert by.shape == (1, 3, 31, 33)
    assert torch.equal(by[:, :, 12:19, 12:21], image)
    assert torch.equal(by[:, :, 5:12, 3:12], image)
    mirror = continued(image, 3, "mirror")
    assert torch.equal(mirror[:, :, 3 - 1], mirror[:, :, 3])


def test_layers_are_those_of_the_paper_on_vgg() -> None:
    net = pl.load("vgg16", weights="random", device="cpu")
    assert usual(net) == [f"features.{number}" for number in (1, 6, 11, 18, 25)]
    assert usual_content(net) == "features.20"


def test_layers_and_weights_are_read(bundled: pl.Network) -> None:
    assert usual(bundled)[0].startswith("pixels") and len(usual(bundled)) >= 5
    assert strata(bundled, "relu1 3; relu2") == {"relu1": 0.75, "relu2": 0.25}
    for wrong in ("relu1 x", "relu1 -1", "relu1 2 3", "", "classifier", "relu99"):
        with pytest.raises(pl.PellucidError):
            strata(bundled, wrong)


def test_moments_are_carried_over_to_another_size() -> None:
    """A gradient of twice as many pixels is half as large, of each."""
    small, large = torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 8, 8)
    before = Moments([small], 0.1, None)
    for _ in range(5):
        before([torch.full_like(small, 4.0)])
    after = Moments([large], 0.1, before)
    after([torch.full_like(large, 1.0)])
    torch.testing.assert_close(large, torch.full_like(large, 0.1), rtol=1e-3, atol=0)


def test_sizes_grow_to_the_whole() -> None:
    assert roots((200, 400), 64, 3) == [(100, 200), (141, 283), (200, 400)]
    assert roots((50, 80), 64, 3) == [(50, 80)]


def test_noise_has_the_samples_colours() -> None:
    image = 0.2 * some(64, 64) * torch.tensor([1.0, 0.5, 0.1]).view(1, 3, 1, 1) + 0.3
    begin, _ = noise(image, (200, 200), 1)
    torch.testing.assert_close(begin.mean((2, 3)), image.mean((2, 3)), atol=0.01, rtol=0)
    torch.testing.assert_close(begin.std((2, 3)), 0.5 * image.std((2, 3)), rtol=0.03, atol=0.003)


@pytest.fixture(scope="module")
def gravel() -> pl.Result:
    return pl.texture(
        pl.load(device="cpu"), "photo:gravel", shrink=256, size="96x112", octaves=2, steps=30
    )


def test_the_gram_error_falls_a_thousandfold(gravel: pl.Result) -> None:
    assert gravel.facts["times less"] > 1000
    assert gravel.values.shape == (3, 96, 112)
    for name, error in gravel.facts["layers"].items():
        assert error < gravel.facts["layers of noise"][name] / 50, name


def test_of_a_grey_sample_it_is_grey(gravel: pl.Result) -> None:
    assert float((gravel.values - gravel.values.mean(0)).abs().max()) < 0.01


def test_its_copies_fit_together(bundled: pl.Network) -> None:
    """The step across the border is no greater than steps inside; of any other picture it is."""
    made = {
        seamless: pl.texture(
            bundled, "photo:brick", shrink=128, size="64x64", octaves=1, steps=20, seamless=seamless
        ).values
        for seamless in (True, False)
    }

    def across(image: Tensor) -> float:
        inside = (image[:, :, 1:] - image[:, :, :-1]).square().mean((0, 1))
        border = (image[:, :, 0] - image[:, :, -1]).square().mean()
        return float(border / inside.mean())

    assert across(made[True]) < 2
    assert across(made[False]) > 1.5 * across(made[True])


def test_equal_seeds_equal_pixels(bundled: pl.Network) -> None:
    made = [
        pl.texture(
            bundled, "photo:brick", shrink=96, size="72", octaves=1, steps=4, seed=seed
        ).values
        for seed in (1, 1, 2)
    ]
    assert torch.equal(made[0], made[1]) and not torch.equal(made[0], made[2])


def test_interrupted_it_gives_what_it_has(bundled: pl.Network) -> None:
    options = {"shrink": 96, "size": "72", "octaves": 1, "steps": 9}
    work = pl.texture.steps(bundled, "photo:brick", **options)
    for _ in range(3):
        next(work)
    with pytest.raises(StopIteration) as end:
        work.throw(KeyboardInterrupt)
    made = end.value.value
    assert made.recipe.settings["stop"] == 3 and "(stopped)" in made.caption
    again = pl.texture(bundled, "photo:brick", **options, stop=3)
    assert torch.equal(again.values, made.values)


def test_what_diverges_ends_with_the_last_good_picture(
    bundled: pl.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    usual_value = Mosaic.value

    def broken(self: Mosaic, *given: object) -> Tensor:
        nonlocal calls
        calls += 1
        return usual_value(self, *given) * (float("nan") if calls > 4 else 1)  # type: ignore[arg-type]

    monkeypatch.setattr(Mosaic, "value", broken)
    made = pl.texture(bundled, "photo:brick", shrink=96, size=72, octaves=1, steps=9)
    assert "(stopped: " in made.caption and bool(made.values.isfinite().all())
    assert made.facts["error"] < made.facts["error of noise"]


@pytest.mark.parametrize("size", ["1x40", "9", "33x65"])
def test_of_odd_and_narrow_samples_and_sizes(bundled: pl.Network, size: str) -> None:
    strip = pl.open_image(torch.rand(3, 7, 41))
    made = pl.texture(bundled, strip, size=size, steps=2, octaves=3)
    assert bool(made.values.isfinite().all())


def test_bad_requests_say_what_fits(bundled: pl.Network) -> None:
    for wrong in ({"layers": "relu9"}, {"layers": "relu1 zero"}, {"size": "x"}, {"tile": 9}):
        with pytest.raises(pl.PellucidError):
            pl.texture(bundled, "photo:brick", **wrong)
