"""RISE against its formula, in expectation, and where the answer is known."""

from itertools import product

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
import planted
from pellucid.see.grids import Grids
from pellucid.see.halves import Halves
from scarce import scarce

CELLS = 3


def one_mask(grids: Grids, number: int) -> Tensor:
    """The paper's: enlarged to a cell more than the input on either side, and cut out."""
    cells = grids.shown[number].float()
    height, width = grids.size
    tall, wide = (
        -(-length // count) for length, count in zip(grids.size, cells.shape, strict=True)
    )
    large = F.interpolate(
        cells[None, None],
        ((cells.shape[0] + 1) * tall, (cells.shape[1] + 1) * wide),
        mode="bilinear",
        align_corners=False,
    )[0, 0]
    down, right = grids.shifts[number].tolist()
    return large[down : down + height, right : right + width]


def slowly(
    net: pl.Network, photo: pl.Photo, number: int, count: int, chance: float, measure: str
) -> tuple[Tensor, float]:
    """The paper's map, one mask at a time, and the mean answer."""
    inputs, _ = net.prepare(photo)
    torch.manual_seed(0)
    grids = Grids.drawn(net.preprocess.size, count, CELLS, chance)
    total = torch.zeros(net.preprocess.size, dtype=torch.double)
    shown, answers = torch.zeros_like(total), 0.0
    with net.at_rest(), torch.no_grad():
        for at in range(count):
            mask = one_mask(grids, at)
            scores = net.module(inputs * mask)[0]
            value = float((scores.softmax(0) if measure == "probability" else scores)[number])
            total += value * mask
            shown += mask
            answers += value
    mean = answers / count
    # Were all pixels shown equally often, that would be the mean at every place.
    return (total - mean * shown) / (count * chance), mean


@pytest.mark.parametrize(
    ("measure", "chance", "batch"), [("probability", 0.5, None), ("score", 0.3, 4)]
)
def test_is_the_papers_formula_less_what_stands_for_nothing(
    measure: str, chance: float, batch: int | None, tiny: pl.Network, cat: pl.Photo
) -> None:
    wanted, mean = slowly(tiny, cat, 2, 30, chance, measure)
    found = pl.rise(
        tiny, cat, target="cat", masks=30, cells=CELLS, chance=chance, measure=measure, batch=batch
    )  # fmt: skip
    assert float(wanted.abs().max()) > 1e-5
    torch.testing.assert_close(
        found.values, wanted.float(), rtol=1e-3, atol=1e-3 * float(wanted.abs().max())
    )
    assert found.facts["mean"] == pytest.approx(mean, rel=1e-4)


def test_masks_are_cut_out_as_in_the_paper_and_show_a_pixel_by_chance() -> None:
    torch.manual_seed(0)
    grids = Grids.drawn((12, 21), 3000, 4, 0.3)
    assert grids.shown.shape == (3000, 4, 7) and len(grids) == 3000
    assert grids.shifts.amax(0).tolist() == [2, 2] and grids.shifts.amin(0).tolist() == [0, 0]
    masks = grids.masks(range(3000), torch.device("cpu"))
    for number in (0, 7, 2999):
        torch.testing.assert_close(masks[number], one_mask(grids, number), atol=1e-6, rtol=1e-5)
    assert float((masks.mean(0) - 0.3).abs().max()) < 0.04
    assert float(masks.min()) >= 0 and float(masks.max()) <= 1 + 1e-6


def test_of_a_linear_network_over_all_grids_it_is_known(
    cat: pl.Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """w x, blurred by how often two pixels are shown together: (1 - p) K W K."""
    torch.manual_seed(0)
    side, cells, cell = 6, 2, 3
    net = pl.Network(nn.Sequential(nn.Flatten(), nn.Linear(3 * side * side, 2)), size=side)
    every = list(product(product([False, True], repeat=4), product(range(cell), repeat=2)))
    shown = torch.tensor([bits for bits, _ in every]).reshape(-1, cells, cells)
    shifts = torch.tensor([shift for _, shift in every])
    grids = Grids((side, side), shown, shifts)
    monkeypatch.setattr(Grids, "drawn", lambda *_: grids)
    line = F.interpolate(torch.eye(cells)[None], 9, mode="linear", align_corners=False)[0].T
    cut = [line[first : first + side] for first in range(cell)]
    alike = torch.stack([one @ one.T for one in cut]).mean(0)
    inputs, _ = net.prepare(cat)
    weight = net.module[1].weight[1].detach().reshape(3, side, side)
    wanted = 0.5 * alike @ (weight * inputs[0]).sum(0) @ alike
    found = pl.rise(net, cat, target=1, masks=len(every), cells=cells, measure="score")
    torch.testing.assert_close(found.values, wanted, rtol=1e-4, atol=1e-6)


def test_it_finds_the_planted_dots() -> None:
    net, photo = planted.network(), planted.photo()
    found = pl.rise(net, photo, target=list(planted.DOTS), masks=600, measure="score")
    for one, (name, (row, column)) in zip(found, planted.DOTS.items(), strict=True):
        highest = divmod(int(one.values.argmax()), planted.SIZE)
        assert abs(highest[0] - row) <= 3 and abs(highest[1] - column) <= 3, name
        assert one.facts["agreement"] > 0.8
        elsewhere = one.values[planted.evidence("right" if name == "left" else "left")]
        assert float(elsewhere.abs().max()) < 0.4 * float(one.values.max())


def test_several_are_those_one_by_one(tiny: pl.Network, cat: pl.Photo) -> None:
    photos, wanted = (cat, pl.open_image("photo:rocket")), ["bee", "stem.0:3"]
    few = {"masks": 20, "cells": CELLS, "seed": 3}
    many = pl.rise(tiny, photos, target=wanted, **few)
    assert many.values.shape == (2, 2, 20, 28)
    for row, photo in enumerate(photos):
        for column, target in enumerate(wanted):
            alone = pl.rise(tiny, photo, target=target, **few)
            torch.testing.assert_close(many[row, column].values, alone.values)
            assert many[row, column].caption == alone.caption
            assert many[row, column].facts == pytest.approx(alone.facts, rel=1e-4)
    other = pl.rise(tiny, photos, target=wanted, **few | {"seed": 4})
    assert not torch.allclose(other.values, many.values)


# How sure it is.


def test_the_agreement_is_that_of_two_halves(tiny: pl.Network, cat: pl.Photo) -> None:
    torch.manual_seed(0)
    grids = Grids.drawn((20, 28), 40, CELLS, 0.5)
    inputs, _ = tiny.prepare(cat)
    halves = []
    for own in (range(0, 40, 2), range(1, 40, 2)):
        masks = torch.stack([one_mask(grids, number) for number in own])
        with tiny.at_rest(), torch.no_grad():
            chances = torch.cat([tiny.module(inputs * mask).softmax(1)[:, 1] for mask in masks])
        halves.append(((chances - chances.mean())[:, None, None] * masks).mean(0).flatten())
    wanted = float(torch.corrcoef(torch.stack(halves))[0, 1])
    found = pl.rise(tiny, cat, target="bee", masks=40, cells=CELLS)
    assert found.facts["agreement"] == pytest.approx(wanted, abs=1e-3)


def test_too_few_masks_are_said_to_be_too_few(bundled: pl.Network, cat: pl.Photo) -> None:
    few = pl.rise(bundled, cat, masks=20)
    assert few.facts["agreement"] < 0.8
    assert few.caption.endswith(f"agree only to {few.facts['agreement']:.2f}: more are needed")


def test_of_chance_alone_halves_do_not_agree() -> None:
    torch.manual_seed(0)
    grids = Grids.drawn((28, 28), 2000, 7, 0.5)
    halves = Halves(torch.zeros(3), grids.size, 0.5)
    for first in range(0, 2000, 100):
        some = range(first, first + 100)
        halves.add(some, torch.randn(100, 3), grids.masks(some, torch.device("cpu")))
    assert float(halves.agreement().abs().max()) < 0.5


def test_what_nothing_changes_is_zero_and_said(cat: pl.Photo) -> None:
    net = pl.Network(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 3)), size=8)
    nn.init.zeros_(net.module[1].weight)
    for measure in ("probability", "score"):
        found = pl.rise(net, cat, target=1, masks=40, cells=4, measure=measure)
        assert not found.values.any() and found.facts["agreement"] == 0
        assert "and the same under every one of 40 masks: nothing they hide" in found.caption
    same = pl.rise(net, torch.full((3, 8, 8), 0.5), target=1, masks=40, cells=4)
    assert not same.values.any()


# What it refuses, and what it gets along with.


def test_more_cells_than_pixels(cat: pl.Photo) -> None:
    net = pl.Network(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 3)), size=8)
    with pytest.raises(pl.PellucidError, match="9 cells along 8 px are less than a pixel each"):
        pl.rise(net, cat, cells=9)


def test_scores_that_are_no_numbers(cat: pl.Photo) -> None:
    class Rare(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            scores = x.mean((2, 3))
            return torch.where(x[:, :1, 0, 0] == 0, torch.nan, scores)

    net = pl.Network(Rare(), size=8)
    with pytest.raises(pl.PellucidError, match="score of class:1 is nan"):
        pl.rise(net, cat, target=1, masks=200, cells=2, chance=0.1)


def test_memory_that_is_full_halves_the_batch(
    tiny: pl.Network, cat: pl.Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {"target": "ant", "masks": 20, "cells": CELLS, "batch": 8}
    wanted = pl.rise(tiny, cat, **few).values
    sizes = scarce(tiny, 3, monkeypatch)
    found = pl.rise(tiny, cat, **few).values
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)
    assert sizes == [1, 8, 4, 2, 1, *[2] * 9]
