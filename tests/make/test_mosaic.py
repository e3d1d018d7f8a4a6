"""Terms of a texture against a slow twin; summed over tiles they are those of the whole."""

from collections.abc import Sequence

import pytest
import torch
from static import some

import pellucid as pl
from pellucid.make.gram import gram
from pellucid.make.mosaic import Mosaic
from pellucid.make.terms import GramTerm, NearTerm, Seen, SmoothTerm, details, gram_sums
from pellucid.make.tiling import Part
from pellucid.make.weave import grams
from strided import deep


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
