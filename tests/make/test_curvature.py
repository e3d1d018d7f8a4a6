"""Steps by curvature: to the top of a narrow valley, and no picture is asked about twice."""

import itertools

import pytest
import torch
from torch import Tensor

import pellucid as pl
from pellucid.make.ascend import Diverged
from pellucid.make.canvas import Sheet
from pellucid.make.curvature import Lbfgs, way


class Rosen(Sheet):
    """Two numbers, as a picture of one pixel."""

    def __init__(self) -> None:
        self.parameters = [torch.tensor([[[[-1.2, 1.0]]]], dtype=torch.float32)]

    def images(self) -> Tensor:
        return self.parameters[0]


def test_lbfgs_climbs_where_others_crawl() -> None:
    """Rosenbrock's valley, upside down; its top is at (1, 1)."""
    sheet = Rosen()

    def objective(images: Tensor) -> Tensor:
        x, y = images.flatten()
        return -(100 * (y - x**2) ** 2 + (1 - x) ** 2)[None]

    moments = list(Lbfgs().ascend(sheet, objective, steps=100))
    assert len(moments) < 60
    values = [moment.values[0] for moment in moments]
    assert values == sorted(values)
    torch.testing.assert_close(sheet.parameters[0].flatten(), torch.ones(2), atol=1e-3, rtol=0)
    assert not sheet.parameters[0].requires_grad


def test_no_picture_is_asked_about_twice() -> None:
    asked: list[tuple[float, ...]] = []
    sheet = Rosen()

    def objective(images: Tensor) -> Tensor:
        asked.append(tuple(images.flatten().tolist()))
        x, y = images.flatten()
        return -(100 * (y - x**2) ** 2 + (1 - x) ** 2)[None]

    list(Lbfgs().ascend(sheet, objective, steps=12))
    assert len(asked) == len(set(asked))


def test_a_way_in_words() -> None:
    assert str(way("lbfgs 5")) == "lbfgs 5" and str(way("adam 0.2")) == "adam 0.2"
    for wrong, says in (
        ("lbfgz", "did you mean 'lbfgs'"),
        ("none", "one way"),
        ("lbfgs 0", "from 1 to"),
    ):
        with pytest.raises(pl.PellucidError, match=says):
            way(wrong)


def test_a_first_look_that_is_not_finite_is_an_error() -> None:
    sheet = Rosen()
    with pytest.raises(pl.PellucidError, match="overflow or are NaN"):
        list(Lbfgs().ascend(sheet, lambda images: images.sum((1, 2, 3)) * torch.nan, steps=3))
    calls = itertools.count()
    with pytest.raises(Diverged):
        list(
            Lbfgs().ascend(
                sheet,
                lambda images: (
                    -(images.square().sum((1, 2, 3)) ** 2) * (torch.nan if next(calls) > 3 else 1)
                ),
                steps=9,
            )
        )
