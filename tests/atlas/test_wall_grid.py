"""The wall's grid: an assignment near the best."""

import numpy as np
import pytest
import torch

import pellucid as pl
from atlas.collection import clusters
from pellucid.atlas.wall import grid
from pellucid.atlas.wall.kept import kept
from pellucid.atlas.wall.scatter import scattered


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, 12, 50, 97, 1000, 8677])
def test_a_grid_has_a_cell_for_each_photo_and_few_more(count: int) -> None:
    rows, columns = grid.shape(count)
    assert rows <= columns <= max(2, 1.5 * rows) and 0 <= rows * columns - count < columns
    free = grid.cells(count)
    assert len({tuple(cell) for cell in free.tolist()}) == count
    assert bool((free >= 0).all()) and bool((free < torch.tensor([rows, columns])).all())
    if count > 20:  # what is empty is at the corners
        board = torch.zeros(rows, columns, dtype=torch.bool)
        board[free[:, 0], free[:, 1]] = True
        assert bool(board[rows // 3 : -rows // 3].all()) and bool(board[:, columns // 2].all())


def test_a_map_that_is_a_grid_stays_as_it_is() -> None:
    down, across = np.mgrid[:5, :6].reshape(2, -1)
    points = torch.from_numpy(np.stack([across * 3.0, -down * 2.0], 1)).float()
    order = torch.randperm(30, generator=torch.Generator().manual_seed(1))
    given = grid.assigned(points[order])
    assert given.tolist() == np.stack([down, across], 1)[order].tolist()
    assert grid.cost(points[order], given) == pytest.approx(0)


def test_windows_come_within_a_hundredth_of_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    points = clusters(700)
    best = grid.cost(points, grid.assigned(points))
    monkeypatch.setattr(grid, "EXACT", 0)
    near = grid.assigned(points)
    assert len({tuple(cell) for cell in near.tolist()}) == 700
    assert best <= grid.cost(points, near) <= 1.01 * best
    assert torch.equal(near, grid.assigned(points))  # the same twice
    monkeypatch.setattr(grid, "ROUNDS", 0)
    assert grid.cost(points, grid.assigned(points)) > 1.02 * best  # so the windows do something


@pytest.mark.parametrize("points", [torch.zeros(9, 2), torch.arange(18.0).reshape(9, 2) // 4 * 4])
def test_maps_without_extent_or_with_equal_places_have_a_grid(points: torch.Tensor) -> None:
    assert len({tuple(cell) for cell in grid.assigned(points).tolist()}) == 9
    assert bool(scattered(points).isfinite().all())


def test_places_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(pl.PellucidError, match="not numbers"):
        grid.assigned(torch.tensor([[0.0, torch.nan]]))


def test_scattered_photos_lie_as_on_the_map_and_are_small_where_it_is_crowded() -> None:
    random = torch.Generator().manual_seed(3)
    crowd = torch.randn(60, 2, generator=random)
    sparse = 40 + 30 * torch.randn(20, 2, generator=random)
    points = torch.cat([crowd, sparse])
    places = scattered(points)
    assert places[:60, 2].median() < places[60:, 2].median() / 1.8
    assert float((places[:, :2] - places[:, 2:] / 2).amin()) == pytest.approx(0, abs=1e-5)
    flat = torch.stack([points[:, 0], -points[:, 1]], 1)
    ratio = torch.pdist(places[:, :2]) / torch.pdist(flat)
    assert torch.allclose(ratio, ratio[0].expand_as(ratio), rtol=1e-3)
    assert scattered(points[:1]).tolist() == [[0.5, 0.5, 1.0]]


def test_what_a_grid_keeps_is_what_a_slow_count_says() -> None:
    points = clusters(120, 5)
    labels = [("a", "b", "")[row % 3] for row in range(120)]
    given = grid.assigned(points)
    away = torch.cdist(points.double(), points.double())
    near, alike = [], []
    for one in range(120):
        others = away[one].argsort()[1:11].tolist()
        for other in range(120):
            if one != other and int((given[one] - given[other]).abs().max()) == 1:
                near.append(other in others)
                if labels[one] and labels[other]:
                    alike.append(labels[one] == labels[other])
    made = kept(given, points, labels)
    assert made.near == pytest.approx(np.mean(near)) and made.alike == pytest.approx(np.mean(alike))
    assert made.chance == pytest.approx(2 * 40 * 39 / (80 * 79))
    without = kept(given, points, [""] * 120)
    assert without.alike != without.alike and "label" not in without.told()
