"""Masks: laid evenly, halved where most was lost, and shared out among the pixels under them."""

import math

import numpy as np
import pytest
import torch
from masked import slowly
from torch import Tensor

import pellucid as pl
from pellucid.see.masks import Grid


@pytest.mark.parametrize(("window", "stride"), [(5, 4), (9, 3), (4, 4)])
def test_per_pixel_is_the_mean_over_the_masks_on_it(
    window: int, stride: int, tiny: pl.Network, cat: pl.Photo
) -> None:
    values = slowly(tiny, cat, 1, window, stride, "mean", 0)
    rows, columns = values.shape
    wanted = torch.zeros(20, 28)
    for y in range(20):
        for x in range(28):
            covering = []
            for row in range(rows):
                for column in range(columns):
                    top = math.floor((row + 0.5) * 20 / rows - window / 2 + 0.5)
                    left = math.floor((column + 0.5) * 28 / columns - window / 2 + 0.5)
                    if top <= y < top + window and left <= x < left + window:
                        covering.append(float(values[row, column]))
            wanted[y, x] = sum(covering) / len(covering)
    found = pl.occlusion(tiny, cat, target="bee", window=window, stride=stride, per="pixel")
    torch.testing.assert_close(found.values, wanted, atol=1e-5, rtol=1e-4)


def test_pixels_under_no_mask_have_no_value(tiny: pl.Network, cat: pl.Photo) -> None:
    message = "masks of 3 px on 3 x 5 places leave pixels uncovered.*stride no larger than the w"
    with pytest.raises(pl.PellucidError, match=message):
        pl.occlusion(tiny, cat, window=3, stride=6, per="pixel")


def test_detail_is_added_where_most_was_lost(cat: pl.Photo) -> None:
    """Worked out by hand on a network that adds up a weight for each covered pixel."""
    weight = torch.rand(16, 16, generator=torch.Generator().manual_seed(4))

    class Weighing(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.stack([(x[:, 0] * weight).sum((1, 2)), x.mean((1, 2, 3))], 1)

    white = torch.ones(3, 16, 16)
    net = pl.Network(Weighing(), size=16, mean=[0.0] * 3, std=[1.0] * 3)
    settings = {"target": 0, "window": 8, "stride": 4, "fill": "zero", "measure": "score"}
    coarse = pl.occlusion(net, white, **settings)
    found = pl.occlusion(net, white, detail=1, **settings)
    whole = float(weight.sum())

    def lost(row: int, column: int, side: int, step: int) -> float:
        top, left = (math.floor((n + 0.5) * step - side / 2 + 0.5) for n in (row, column))
        return float(weight[max(0, top) : top + side, max(0, left) : left + side].sum())

    large = {(r, c): lost(r, c, 8, 4) for r in range(4) for c in range(4)}
    worst = sorted(large, key=lambda place: -large[place])[:4]
    wanted = torch.zeros(8, 8)
    for row in range(8):
        for column in range(8):
            small = lost(row, column, 4, 2) if (row // 2, column // 2) in worst else 0
            wanted[row, column] = whole - (large[row // 2, column // 2] + small) / 2
    torch.testing.assert_close(found.values, wanted, rtol=1e-5, atol=1e-4)
    assert coarse.values.shape == (4, 4)
    assert "under a 8, then 4 px mask" in found.caption
    steps = list(pl.occlusion.steps(net, white, detail=1, **settings))
    assert (steps[-1].done, steps[-1].total) == (32, 32)
    pixels = pl.occlusion(net, white, detail=2, per="pixel", **settings)
    assert pixels.values.shape == (16, 16) and float(pixels.values.max()) <= whole + 1e-4


def test_too_much_detail(tiny: pl.Network, cat: pl.Photo) -> None:
    with pytest.raises(pl.PellucidError, match=r"a mask of 1 px on .* cannot be halved once more"):
        pl.occlusion(tiny, cat, window=4, stride=8, detail=3)


def test_the_grid_of_masks_covers_the_input_evenly() -> None:
    grid = Grid.of((20, 28), 6, 5)
    finer = grid.finer()
    assert (len(grid), finer.side, finer.rows, finer.columns) == (24, 3, 8, 12)
    children = grid.children(np.array([0, 7]))
    assert children.tolist() == [0, 1, 12, 13, 26, 27, 38, 39]
