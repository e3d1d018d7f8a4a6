"""quilt(): seams are the best of all paths; patterns go on exactly; every pixel is the sample's."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

import pellucid as pl
from pellucid.make.growing import Growing
from pellucid.make.likeness import gram_error
from pellucid.make.quilt import quilt
from pellucid.make.quilting import Quilting, cut, drawn, places
from pellucid.make.seam import beyond, seam


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some(height: int, width: int, seed: int = 1) -> Tensor:
    return torch.randint(256, (3, height, width), generator=generator(seed)) / 255


def checkers(height: int, width: int, side: int = 1) -> Tensor:
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    return (((rows // side + columns // side) % 2) * 1.0).expand(3, -1, -1)


@pytest.mark.parametrize(("length", "width"), [(1, 3), (4, 1), (5, 4), (6, 3)])
def test_a_seam_is_the_best_of_all_paths(length: int, width: int) -> None:
    for trial in range(5):
        costs = torch.rand(length, width, generator=generator(trial), dtype=torch.float64)
        paths = [
            path
            for path in itertools.product(range(width), repeat=length)
            if all(abs(a - b) <= 1 for a, b in itertools.pairwise(path))
        ]
        best = min(paths, key=lambda path: sum(float(costs[i, j]) for i, j in enumerate(path)))
        assert tuple(seam(costs).tolist()) == best


def test_of_equal_paths_the_leftmost() -> None:
    assert seam(torch.zeros(4, 3)).tolist() == [0, 0, 0, 0]
    assert beyond(torch.tensor([0, 2, 1]), 3).tolist() == [
        [True, True, True], [False, False, True], [False, True, True],
    ]  # fmt: skip


def test_a_block_is_cut_on_every_side_where_something_lies() -> None:
    """A valley of no cost in each border: the block is taken inside of the valleys."""
    costs = torch.ones(12, 12)
    for line in (1, 10):
        costs[line], costs[:, line] = 0, 0
    known = torch.ones(12, 12, dtype=torch.bool)
    known[3:9, 3:9] = False
    inside = torch.zeros(12, 12, dtype=torch.bool)
    inside[1:11, 1:11] = True
    # Where two valleys cross there are several best paths.
    taken = cut(costs, known)
    assert torch.equal(taken[2:10], inside[2:10])
    assert torch.equal(taken[:, 2:10], inside[:, 2:10])
    assert bool(cut(costs, torch.zeros_like(known)).all())
    upper = torch.zeros_like(known)
    upper[:3] = True
    below = torch.ones_like(known)
    below[0] = False
    assert torch.equal(cut(costs, upper)[:, 3:9], below[:, 3:9])


def test_errors_of_blocks_are_the_sums_written_out() -> None:
    sample, old = some(11, 13).double(), some(4, 4, 2).double()
    known = torch.rand(4, 4, generator=generator()) > 0.4
    found = Quilting(sample.float(), (20, 20), 4, generator()).errors(old, known)
    assert found.shape == (8, 10)
    for row, column in itertools.product(range(8), range(10)):
        block = sample[:, row : row + 4, column : column + 4]
        wanted = float(((block - old).square().sum(0) * known).sum())
        assert float(found[row, column]) == pytest.approx(wanted, abs=1e-6)


def test_errors_of_windows_are_the_means_written_out() -> None:
    sample = some(9, 12)
    work = Growing(sample, (8, 8), 5, generator(3))
    rows, columns = work.border().unbind(1)
    found = work.errors(rows, columns)
    assert found.shape == (len(rows), 5, 8)
    bell = torch.exp(-0.5 * ((torch.arange(5) - 2) / (5 / 6.4)).square())
    for at, (row, column) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
        there = work.picture[:, row : row + 5, column : column + 5]
        weights = work.known[row : row + 5, column : column + 5] * bell[:, None] * bell
        assert float(weights.sum()) > 0
        for down, across in itertools.product(range(5), range(8)):
            window = work.sample[:, down : down + 5, across : across + 5]
            wanted = ((window - there).square().sum(0) * weights).sum() / weights.sum()
            assert float(found[at, down, across]) == pytest.approx(float(wanted), abs=1e-5)


def test_pixels_looked_up_at_once_do_not_see_each_other() -> None:
    work = Growing(some(16, 16), (30, 30), 7, generator())
    for _ in work.run():
        if work.filled > 300:
            break
    border = work.border()
    rows, columns = border[work.apart(border)].unbind(1)
    assert len(rows) > 3
    for a, b in itertools.combinations(range(len(rows)), 2):
        assert max(abs(int(rows[a] - rows[b])), abs(int(columns[a] - columns[b]))) > work.reach
    # The first of them is one that most is known around.
    counts = torch.nn.functional.avg_pool2d(work.known[None, None], 7, 1, divisor_override=1)[0, 0]
    empty = work.sources[..., 0] < 0
    assert counts[rows[0], columns[0]] == counts[empty].max()
    # What has to wait would have been in the window of one of them.
    for row, column in border[~work.apart(border)].tolist():
        away = torch.maximum((rows - row).abs(), (columns - column).abs())
        assert int(away.min()) <= work.reach


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


def test_blocks_keep_their_inside() -> None:
    """In the middle of a block, where no seam comes, neighbours are neighbours in the sample."""
    work = Quilting(some(40, 40), (60, 60), 18, generator())
    list(work.run())
    for top, left in itertools.product(work.tops, work.lefts):
        inner = work.sources[top + 4 : top + 14, left + 4 : left + 14]
        steps = (inner[1:] - inner[:-1], inner[:, 1:] - inner[:, :-1])
        assert bool((steps[0] == torch.tensor([1, 0])).all())
        assert bool((steps[1] == torch.tensor([0, 1])).all())


def test_seams_are_better_than_straight_borders() -> None:
    """On a photo, summed over every border between pixels of different blocks."""

    def roughness(cutting: bool, monkey: pytest.MonkeyPatch) -> float:
        sample = pl.open_image("photo:grass").floats()[:1, :96, :96]
        if not cutting:
            monkey.setattr("pellucid.make.quilting.cut", lambda costs, known: ~known | known)
        work = Quilting(sample, (150, 150), 24, generator())
        list(work.run())
        picture, sources = drawn(sample, work.sources), work.sources
        jumps = (sources[:, 1:] - sources[:, :-1] != torch.tensor([0, 1])).any(-1)
        return float((picture[0, :, 1:] - picture[0, :, :-1]).abs()[jumps].mean())

    with pytest.MonkeyPatch.context() as monkey:
        straight = roughness(False, monkey)
    with pytest.MonkeyPatch.context() as monkey:
        assert roughness(True, monkey) < 0.9 * straight


def test_blocks_lie_evenly_and_overlap() -> None:
    for length, block in itertools.product((24, 25, 37, 64, 101, 200), (6, 13, 24)):
        for seamless in (False, True):
            found = places(length, block, seamless)
            ends = [*found[1:], *([length] if seamless else [])]
            assert all(b - a <= block - block // 6 for a, b in zip(found, ends, strict=False))
            assert found[0] == 0 and (seamless or found[-1] == length - block)
    assert places(5, 5, False) == [0] and places(1, 1, True) == [0]


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
