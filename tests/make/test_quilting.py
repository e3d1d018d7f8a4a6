"""Quilting: seams are the best of all paths, blocks overlap and keep their inside."""

import itertools

import pytest
import torch
from chance import generator, some

import pellucid as pl
from pellucid.make.quilting import Quilting, cut, drawn, places
from pellucid.make.seam import beyond, seam


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
