"""quilt(): patterns go on exactly; every pixel is the sample's."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from chance import some
from torch import Tensor

import pellucid as pl
from pellucid.make.likeness import gram_error
from pellucid.make.quilt import quilt


def checkers(height: int, width: int, side: int = 1) -> Tensor:
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    return (((rows // side + columns // side) % 2) * 1.0).expand(3, -1, -1)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_checkerboard_goes_on_exactly(seed: int) -> None:
    for side, window in ((1, 3), (2, 7)):
        sample = checkers(16, 17, side)
        made = quilt(
            pl.load(device="cpu"), sample, by="efros-leung", piece=window, size="24x21", seed=seed
        ).values
        fits = [
            torch.equal(made, checkers(32, 32, side)[:, down : down + 24, across : across + 21])
            for down, across in itertools.product(range(2 * side), repeat=2)
        ]
        assert any(fits)


@pytest.mark.parametrize("by", ["quilting", "efros-leung"])
def test_stripes_go_on_exactly(by: Any) -> None:
    """Of a period of four, oblique; the first blocks and every seam, too."""
    rows, columns = torch.arange(20)[:, None], torch.arange(26)
    shades = torch.tensor([0.0, 0.2, 1.0, 0.6])
    sample = shades[(rows + columns) % 4].expand(3, -1, -1)
    made = quilt(pl.load(device="cpu"), sample, by=by, piece=9, size="40x33").values
    rows, columns = torch.arange(40)[:, None], torch.arange(33)
    assert any(
        torch.equal(made[0], shades[(rows + columns + shift) % 4] * 255 // 1 / 255)
        or torch.allclose(made[0], shades[(rows + columns + shift) % 4], atol=1 / 255)
        for shift in range(4)
    )


@pytest.mark.parametrize("by", ["quilting", "efros-leung"])
def test_every_pixel_is_from_the_sample(by: Any, bundled: pl.Network) -> None:
    made = quilt(bundled, some(20, 24), by=by, piece=8, size="35x50")
    assert made.values.shape == (3, 35, 50) and made.sources.shape == (35, 50, 2)
    rows, columns = made.sources.unbind(-1)
    assert int(rows.min()) >= 0 and int(rows.max()) < 20 and int(columns.max()) < 24
    assert torch.equal(made.values, made.sample[:, rows, columns])
    assert torch.equal(made.sample, some(20, 24))


def test_a_tile_goes_round() -> None:
    """Across its border a tiled picture is no rougher than inside; one that is not is."""
    sample = pl.open_image("photo:gravel").floats()[:, :80, :80]
    smooth = torch.nn.functional.avg_pool2d(sample, 5, 1)
    net = pl.load(device="cpu")

    def across(seamless: bool) -> float:
        made = quilt(net, smooth, size="100", piece=24, seamless=seamless).values
        border = (made[:, :, 0] - made[:, :, -1]).abs().mean()
        border += (made[:, 0] - made[:, -1]).abs().mean()
        inside = (made[:, :, 1:] - made[:, :, :-1]).abs().mean()
        inside += (made[:, 1:] - made[:, :-1]).abs().mean()
        return float(border / inside)

    assert across(True) < 1.5 and across(False) > 2


@pytest.mark.parametrize("by", ["quilting", "efros-leung"])
def test_equal_seeds_make_equal_pixels(by: Any, bundled: pl.Network) -> None:
    made = [quilt(bundled, some(24, 24), by=by, size="40", piece=7, seed=n) for n in (5, 5, 6)]
    assert torch.equal(made[0].values, made[1].values)
    assert not torch.equal(made[0].values, made[2].values)


@pytest.mark.parametrize("by", ["quilting", "efros-leung"])
@pytest.mark.parametrize("size", ["1x1", "1x30", "30x1", "5x7", "2x40"])
def test_any_size(by: Any, size: str, bundled: pl.Network) -> None:
    """Also one that is smaller than the sample, or a strip."""
    made = quilt(bundled, some(20, 24), by=by, size=size, piece=6)
    assert "x".join(map(str, made.values.shape[1:])) == size
    assert int(made.sources.min()) >= 0
    assert made.image().shape[0] == 3
    if by == "quilting":
        assert (
            quilt(bundled, some(20, 24), size=size, seamless=True).values.shape == made.values.shape
        )


def test_grey_is_looked_at_once_and_stays_grey(bundled: pl.Network) -> None:
    made = quilt(bundled, "photo:camera", side=32, size="40", piece=9, by="efros-leung")
    assert bool((made.values == made.values[:1]).all()) and made.values.shape[0] == 3


@pytest.mark.parametrize(
    ("sample", "settings", "says"),
    [
        (some(20, 24), {"piece": 32}, "a block of 32 px does not fit a sample of 20 x 24 px"),
        (some(1, 50), {}, "does not fit a sample of 1 x 50 px"),
        (
            some(50, 1),
            {"by": "efros-leung"},
            "a window of 3 px does not fit a sample of 50 x 1 px",
        ),
        (some(40, 40), {"piece": 3}, "a block is at least 4 px"),
        (some(40, 40), {"size": "big"}, "a size is 128"),
        (some(40, 40), {"size": "0x5"}, "a size is 128"),
        (some(40, 40), {"size": "99999x99999"}, "too large"),
        (some(40, 40), {"by": "efros-leung", "seamless": True}, "seamless goes with quilting"),
        (some(40, 40), {"by": "wei-levoy"}, "by"),
        (some(1, 4000), {"side": 100_000}, "too large"),
    ],
)
def test_what_does_not_fit_is_told(
    bundled: pl.Network, sample: Tensor, settings: dict[str, Any], says: str
) -> None:
    with pytest.raises(pl.PellucidError, match=says):
        quilt(bundled, sample, **settings)


@pytest.mark.parametrize("by", ["quilting", "efros-leung"])
def test_stopped_it_gives_what_it_has_and_replays(by: Any, bundled: pl.Network, here: Any) -> None:
    work = quilt.steps(bundled, "photo:grass", by=by, side=40, size="64", piece=9)
    for step in work:
        if step.done == 3:
            break
    with pytest.raises(StopIteration) as end:
        work.throw(KeyboardInterrupt())
    made = end.value.value
    assert "(stopped)" in made.caption and made.recipe.settings["stop"] == 3
    assert 0 < int((made.sources[..., 0] >= 0).sum()) < 64 * 64
    made.save("some.png")
    assert pl.replay("some.png").same


def test_the_result_alone_is_pixel_for_pixel(bundled: pl.Network, here: Any) -> None:
    made = quilt(bundled, "photo:brick", side=48, size="60x70", piece=16)
    alone = made.alone()
    alone.save("alone.png")
    opened = pl.open_image("alone.png")
    assert torch.equal(opened.floats(), made.values)
    again = pl.replay("alone.png")
    assert again.same and torch.equal(again.result.image(), made.values)
    asked = quilt(bundled, "photo:brick", side=48, size="60x70", piece=16, draw="result")
    assert torch.equal(asked.image(), made.values)


def test_the_network_judges(bundled: pl.Network) -> None:
    """The same is the same; the same texture is nearer than another one."""
    grass, brick = (pl.open_image(f"photo:{name}").floats() for name in ("grass", "brick"))
    assert gram_error(bundled, grass, grass) == 0
    near = gram_error(bundled, grass[:, :200, :200], grass[:, 300:, 300:])
    far = gram_error(bundled, brick[:, :200, :200], grass[:, 300:, 300:])
    assert near is not None and far is not None and near < far / 2
    made = quilt(bundled, grass, side=64, size="80", piece=20)
    assert f"Gram error {made.facts['gram error']:.0%}" in made.caption
