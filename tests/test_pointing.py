"""The pointing game: hits and misses whose answer is known."""

import math
from typing import Any

import numpy as np
import pytest
import torch

import pellucid as pl


def heatmap(net: pl.Network, row: int, column: int, **looks: object) -> pl.Heatmap:
    """A map with one strong place, on a photo exactly as large as the network's input."""
    values = torch.zeros(40, 60)
    values[row, column] = 1
    if looks.get("clean"):
        values = 5 - values
    photo = pl.open_image(torch.zeros(3, 40, 60))
    return pl.Heatmap(values=values, photo=photo, frame=net.prepare(photo)[1], **looks)


@pytest.fixture
def net() -> pl.Network:
    return pl.Network(torch.nn.Flatten(), size=(40, 60))


@pytest.mark.parametrize("looks", [{}, {"clean": 5.0}, {"scale": "signed"}])
def test_inside_beside_and_away(net: pl.Network, looks: dict[str, object]) -> None:
    box = pl.Box(10, 20, 18, 30)
    inside = pl.pointing(heatmap(net, 12, 25, **looks), box)
    assert inside and inside.hit and (inside.row, inside.column, inside.distance) == (12, 25, 0)
    # The middle of pixel (21, 34) is 3.5 below and 4.5 right of the box's corner.
    beside = pl.pointing(heatmap(net, 21, 34, **looks), box)
    assert beside and beside.distance == pytest.approx(math.hypot(3.5, 4.5))
    assert not pl.pointing(heatmap(net, 21, 34, **looks), box, tolerance=5.7)
    assert pl.pointing(heatmap(net, 21, 34, **looks), box, tolerance=5.8)
    assert not pl.pointing(heatmap(net, 12, 59, **looks), box)


def test_what_speaks_against_is_not_pointed_at(net: pl.Network) -> None:
    found = heatmap(net, 5, 5, scale="signed")
    found.values[30, 50] = -9
    assert (pl.pointing(found, (0, 0, 9, 9)).row, found.values.argmin()) == (5, 30 * 60 + 50)


def test_boxes_of_several_kinds(net: pl.Network) -> None:
    found = heatmap(net, 12, 25)
    rows = [[30, 2, 38, 9], [10, 20, 18, 30]]
    for boxes in (rows, torch.tensor(rows), np.array(rows), [pl.Box(*row) for row in rows]):
        assert pl.pointing(found, boxes, tolerance=0)
    assert pl.pointing(found, torch.tensor(rows[1]), tolerance=0)
    assert not pl.pointing(found, rows[:1], tolerance=0)


def test_in_the_photos_own_pixels(cat: pl.Photo) -> None:
    """The network sees the middle of the photo, at another scale."""
    net = pl.Network(torch.nn.Flatten(), size=30)
    values = torch.zeros(30, 30)
    values[15, 3] = 1
    found = pl.Heatmap(values=values, photo=cat, frame=net.prepare(cat)[1])
    # 300 x 451 px, its middle 300 x 300: 10 px for each of the input's, 75.5 cut off at the left.
    point = pl.pointing(found, (150, 105, 160, 116), tolerance=0)
    assert point.hit and 150 <= point.row < 160 and 105 <= point.column < 116


def test_a_map_without_any_strongest_place_is_a_miss(net: pl.Network) -> None:
    found = heatmap(net, 0, 0)
    found.values.zero_()
    point = pl.pointing(found, (0, 0, 40, 60))
    assert not point and point.row is None and point.distance == math.inf


def test_the_game(net: pl.Network) -> None:
    box = (10, 20, 18, 30)
    rounds = [(heatmap(net, row, 25), box) for row in (12, 39, 14, 38)]
    game = pl.pointing_game(rounds, tolerance=2)
    assert (game.hits, game.accuracy, len(game.rounds)) == (2, 0.5, 4)
    assert pl.pointing_game(rounds, tolerance=99).accuracy == 1


@pytest.mark.parametrize(
    ("boxes", "tolerance", "says"),
    [
        ([], 15, "no box"),
        ((1, 2, 3), 15, "boxes are"),
        ("cat", 15, "boxes are"),
        (None, 15, "boxes are"),
        ((9, 2, 3, 8), 15, "top above its bottom"),
        ((math.nan, 2, 3, 8), 15, "top above its bottom"),
        ((50, 2, 60, 8), 15, "outside of the photo"),
        ((1, 2, 3, 8), -1, "at least 0"),
        ((1, 2, 3, 8), math.nan, "at least 0"),
        ((1, 2, 3, 8), "15", "at least 0 px, not '15'"),
        ((1, 2, 3, 8), None, "at least 0 px, not None"),
        ((1, 2, 3, 8), [1, 2], "at least 0 px, not "),
    ],
)
def test_what_cannot_be_played(net: pl.Network, boxes: object, tolerance: Any, says: str) -> None:
    with pytest.raises(pl.PellucidError, match=says):
        pl.pointing(heatmap(net, 1, 1), boxes, tolerance=tolerance)
    with pytest.raises(pl.PellucidError, match="at least one"):
        pl.pointing_game([])


def test_rounds_are_pairs(net: pl.Network) -> None:
    found = heatmap(net, 1, 1)
    wrong: list[tuple[Any, str]] = [
        ([found], "not on Heatmap, …"),
        ([(found,)], "not on a tuple of 1"),
        ([(found, (0, 0, 5, 5), 3)], "not on a tuple of 3"),
        (found, "not on Heatmap"),
        (5, "not on int"),
        ([(5, (0, 0, 5, 5))], "one map points at a time, not int"),
    ]
    for rounds, says in wrong:
        with pytest.raises(pl.PellucidError, match=says):
            pl.pointing_game(rounds)
    assert pl.pointing_game(iter([[found, (0, 0, 5, 5)]]), tolerance=np.float32(2)).hits == 1


@pytest.mark.parametrize("kind", [np.array, torch.tensor, tuple, list])
def test_boxes_are_taken_in_any_clothes(net: pl.Network, kind: Any) -> None:
    found = heatmap(net, 30, 30)
    boxes = [kind(box) for box in ((0, 0, 5, 5), (1, 1, 9, 9), (2, 2, 9, 9), (20, 20, 40, 40))]
    assert pl.pointing(found, boxes, tolerance=0)
    assert pl.pointing(found, boxes[3], tolerance=0)
    assert not pl.pointing(found, boxes[:3], tolerance=0)


def test_of_several_maps_one_has_to_be_picked(cat: pl.Photo) -> None:
    frame = pl.Preprocess(size=(32, 32), resize=32).frame(cat.size)
    table = pl.Heatmaps(
        values=torch.rand(1, 1, 2, 2), photos=(cat,), frames=(frame,), names=(("a",),),
        captions=(("",),),
    )  # fmt: skip
    with pytest.raises(pl.PellucidError, match=r"not Heatmaps: take maps\[photo, target\]"):
        pl.pointing(table, (0, 0, 5, 5))  # type: ignore[arg-type]
