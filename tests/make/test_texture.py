"""texture(): Gram objectives against a slow twin; tiles are the whole; copies fit together."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

import pellucid as pl
from pellucid.make.gram import gram
from pellucid.make.mosaic import Mosaic
from pellucid.make.quasi import Quasi
from pellucid.make.strata import strata, usual, usual_content
from pellucid.make.synthesis import Moments, continued, roots
from pellucid.make.terms import GramTerm, NearTerm, Seen, SmoothTerm, details, gram_sums
from pellucid.make.tiling import Part
from pellucid.make.weave import grams, noise
from strided import deep


def some(height: int, width: int, seed: int = 0) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(1, 3, height, width, generator=random)


def test_a_gram_error_is_that_of_the_paper() -> None:
    """Place by place, pair by pair; divided by the wanted one's size."""
    maps, wanted = torch.rand(1, 3, 4, 5), torch.rand(3, 3)
    mask = torch.rand(4, 5)
    for weights in (None, mask):
        term = GramTerm("a", wanted, mask=weights)
        found = term.loss(*term.sums(Seen({"a": maps}, {"a": (0, 0)})))
        each = torch.ones(4, 5) if weights is None else weights
        error, size = 0.0, 0.0
        for i in range(3):
            for j in range(3):
                value = sum(
                    float(each[y, x] * maps[0, i, y, x] * maps[0, j, y, x])
                    for y in range(4)
                    for x in range(5)
                ) / float(each.sum())
                error += (value - float(wanted[i, j])) ** 2
                size += float(wanted[i, j]) ** 2
        assert float(found) == pytest.approx(error / size, rel=1e-4)


def test_smoothness_is_the_mean_square_between_neighbours() -> None:
    image = some(5, 6)
    term = SmoothTerm("pixels")
    found = term.loss(*term.sums(Seen({"pixels": details(image)}, {"pixels": (0, 0)})))
    right = (image[:, :, :, 1:] - image[:, :, :, :-1]).square().sum()
    below = (image[:, :, 1:] - image[:, :, :-1]).square().sum()
    assert float(found) == pytest.approx(float(right + below) / 30, rel=1e-4)


def terms_of(
    net: pl.Network, layers: Sequence[str], size: tuple[int, int]
) -> list[GramTerm | NearTerm]:
    other = Mosaic(net, layers, size)
    wanted = grams(other, some(*size, seed=5))
    masks = {name: torch.rand(other.grid(name)) for name in layers}
    near = other.maps(some(*size, seed=6), layers[-1])[0]
    return [
        *(GramTerm(name, wanted[name], 1.0, masks[name]) for name in layers),
        *(GramTerm(name, wanted[name], 0.5) for name in layers),
        NearTerm(layers[-1], near, 0.3),
    ]


@pytest.mark.parametrize("size", [(203, 250), (331, 96), (96, 331)])
def test_the_gradient_by_tiles_is_that_of_the_whole(size: tuple[int, int]) -> None:
    net = deep()
    layers = ["pixels", "1", "4", "6"]
    terms = terms_of(net, layers, size)
    found = []
    with net.at_rest():
        for tile in (None, 128):
            mosaic = Mosaic(net, layers, size, tile=tile)
            assert (len(mosaic.tiles()) > 1) == (tile is not None)
            image = some(*size).requires_grad_()
            value = mosaic.value(image, terms)
            (gradient,) = torch.autograd.grad(value.sum(), image)
            found.append((float(value.detach()), gradient))
            torch.testing.assert_close(
                mosaic.maps(image, "4"), Mosaic(net, layers, size).maps(image, "4")
            )
    (whole, slope), (by_tiles, other) = found
    assert by_tiles == pytest.approx(whole, rel=1e-4)
    torch.testing.assert_close(
        other / slope.abs().max(), slope / slope.abs().max(), atol=1e-4, rtol=0
    )


def test_a_tile_without_a_place_of_a_coarse_layer_adds_nothing() -> None:
    """Where the last tile is narrower than a stride."""
    seen = Seen({"a": torch.rand(1, 3, 0, 5)}, {"a": (4, 0)})
    for mask in (None, torch.rand(4, 5)):
        sums, places = gram_sums(seen, "a", mask)
        assert torch.equal(sums, torch.zeros(3, 3)) and places == 0


def test_too_little_margin_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test of the test before this."""
    monkeypatch.setattr("pellucid.make.mosaic.reach", lambda net, layers: 1)
    net, layers, size = deep(), ["6"], (203, 250)
    with net.at_rest():
        slopes = []
        for tile in (None, 128):
            image = some(*size).requires_grad_()
            mosaic = Mosaic(net, layers, size, tile=tile)
            value = mosaic.value(image, terms_of(net, layers, size)[1:2])
            slopes.append(torch.autograd.grad(value.sum(), image)[0])
    assert float((slopes[0] - slopes[1]).abs().max() / slopes[0].abs().max()) > 0.01


def test_every_place_belongs_to_one_tile_also_on_torchvisions_networks() -> None:
    for name, layer in (("squeezenet1_1", "features.9"), ("resnet18", "layer3.0")):
        net = pl.load(name, weights="random", device="cpu")
        size = (430, 410)
        with net.at_rest():
            whole = Mosaic(net, [layer], size)
            tiled = Mosaic(net, [layer], size, tile=320 if name == "resnet18" else 288)
            assert len(tiled.tiles()) > 1
            assert tiled.grid(layer) == whole.grid(layer)


def test_a_window_counts_only_what_is_inside() -> None:
    net = deep()
    image = some(96, 112)
    with net.at_rest():
        mosaic = Mosaic(net, ["6", "pixels"], (96, 112))
        window = Part(16, 64, 0), Part(32, 112, 0)
        found = grams(mosaic, image, window)
        maps = mosaic.maps(image, "6")
    torch.testing.assert_close(found["6"], gram(maps[:, :, 2:8, 4:14])[0])
    torch.testing.assert_close(found["pixels"], gram(details(image)[:, :, 16:64, 32:112])[0])


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


def bent(
    size: tuple[int, int], metric: Tensor | None = None
) -> tuple[Tensor, Quasi, Tensor, Tensor]:
    """A bowl, long and narrow: its bottom, and how steep it is each way."""
    random = torch.Generator().manual_seed(3)
    bottom = torch.randn(1, 3, *size, generator=random)
    steep = 10 ** torch.linspace(-1.5, 1.5, bottom.numel()).view_as(bottom)
    numbers = torch.zeros_like(bottom)
    return numbers, Quasi([numbers], longest=10, metric=metric), bottom, steep


def test_steps_by_curvature_are_those_of_two_loops() -> None:
    """A slow twin from Nocedal & Wright, algorithm 7.4."""
    numbers, step, bottom, steep = bent((3, 4))
    pairs: list[tuple[Tensor, Tensor]] = []
    for number in range(8):
        slope = steep * (numbers - bottom)
        before = numbers.clone()
        step([-slope])
        moved = (numbers - before).flatten()
        if number:
            q, kept = slope.flatten().double(), []
            for s, y in reversed(pairs):
                a = (s @ q) / (s @ y)
                q = q - a * y
                kept.append(a)
            s, y = pairs[-1]
            q = q * (s @ y) / (y @ y)
            for (s, y), a in zip(pairs, reversed(kept), strict=True):
                q = q + (a - (y @ q) / (s @ y)) * s
            torch.testing.assert_close(moved.double(), -q, rtol=1e-3, atol=1e-4)
        change = steep * (numbers - bottom) - slope
        pairs.append((moved.double(), change.flatten().double()))


def test_steps_by_curvature_reach_the_bottom_of_a_narrow_valley() -> None:
    numbers, step, bottom, steep = bent((4, 5))
    for _ in range(150):
        step([-steep * (numbers - bottom)])
    assert float((numbers - bottom).abs().max()) < 1e-2
    larger = step.carried([torch.zeros(1, 3, 8, 10)])
    assert larger.order and bool((torch.diagonal(larger.products)[larger.order] > 0).all())


def test_along_a_metrics_empty_axes_nothing_changes() -> None:
    axis = torch.tensor([1.0, 2.0, 2.0]) / 3
    numbers, step, bottom, steep = bent((4, 5), torch.outer(axis, axis))
    for _ in range(20):
        step([-steep * (numbers - bottom)])
    along = axis.view(1, 3, 1, 1) * (numbers * axis.view(1, 3, 1, 1)).sum(1, keepdim=True)
    assert float(numbers.abs().max()) > 0.1
    torch.testing.assert_close(numbers, along, atol=1e-5, rtol=0)


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
