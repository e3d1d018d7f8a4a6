"""Which units are alike, which classes they speak for, where they lie: against slow twins."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.atlas.site.alike import alike, profiles, shared
from pellucid.atlas.site.guiding import guided
from pellucid.atlas.site.speaks import LEAST, speech, weights
from pellucid.atlas.site.unit_map import unit_map


def answers(images: int = 40, units: int = 7, seed: int = 0) -> Tensor:
    return torch.randn(images, units, generator=torch.Generator().manual_seed(seed))


def test_profiles_multiply_to_numpys_correlation() -> None:
    values = answers() * 100 + 5000  # far from zero, where rounding would show
    known = torch.from_numpy(np.corrcoef(values.double().numpy().T)).float()
    found = profiles(values)
    assert torch.allclose(found.T @ found, known, atol=1e-5)


def test_a_unit_that_never_changes_is_like_none() -> None:
    values = answers()
    values[:, 3] = 0.1  # whose mean is not just 0.1
    found = profiles(values)
    assert bool((found[:, 3] == 0).all()) and bool(found[:, 2].any())


@pytest.mark.parametrize("rows", [2, 1000])
def test_alike_is_the_sorted_correlation(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.atlas.site.alike.ROWS", rows)
    found = profiles(answers())
    places, values = alike(found, found, 3, same=True)
    table = np.corrcoef(answers().double().numpy().T)
    for unit in range(7):
        order = [other for other in np.argsort(-table[unit]).tolist() if other != unit][:3]
        assert places[unit].tolist() == order
        assert values[unit].tolist() == pytest.approx(table[unit, order].tolist(), abs=1e-5)


def test_alike_of_fewer_than_wanted() -> None:
    found = profiles(answers(units=2))
    assert alike(found, found, 5, same=True)[0].tolist() == [[1], [0]]
    assert alike(found[:, :1], found[:, :1], 5, same=True)[0].shape == (1, 0)
    assert alike(found, found[:, :0], 5)[0].shape == (2, 0)


def test_shared_counts_images_and_not_gaps() -> None:
    assert shared(torch.tensor([4, 9, -1, -1]), torch.tensor([9, 1, 4, -1])) == 2


def test_speech_is_the_formula() -> None:
    values = answers(images=30)
    names = ["ant"] * 10 + ["bee"] * 12 + ["", ""] + ["cat"] * (LEAST - 1) + ["ant"] * 2
    found = speech(values, names)
    assert found.classes == ["ant", "bee"]  # too few cats
    for place, name in enumerate(found.classes):
        of = torch.tensor([one == name for one in names])
        inside, outside = values[of].mean(0), values[~of].mean(0)
        spread = torch.from_numpy(values.numpy().std(0))
        assert torch.allclose(found.inside[:, place], inside, atol=1e-5)
        assert torch.allclose(found.outside[:, place], outside, atol=1e-5)
        assert torch.allclose(found.effect[:, place], (inside - outside) / spread, atol=1e-5)


def test_a_unit_speaks_for_the_class_that_it_answers_to() -> None:
    names = ["ant", "bee", "cat"] * 10
    values = answers(images=30)
    values[:, 2] += torch.tensor([8.0 * (name == "bee") for name in names])
    values[:, 5] = 1.0
    found = speech(values, names)
    (name, effect, inside, outside), *_ = found.best(2, 3)
    assert name == "bee" and effect > 1 and inside > outside + 5
    assert found.best(5, 3) == []


def test_speech_without_classes() -> None:
    assert speech(answers(), [""] * 40).best(0, 3) == []
    assert speech(answers(), ["ant"] * 40).best(0, 3) == []  # there is no rest


class Gated(nn.Module):
    """Reads the mean of a layer, not through a linear classifier alone."""

    def __init__(self, gate: bool) -> None:
        super().__init__()
        self.conv, self.act = nn.Conv2d(3, 6, 3), nn.ReLU()
        self.head, self.gate = nn.Linear(6, 4), gate

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.conv(x)).mean((2, 3))
        return self.head(x.tanh() if self.gate else x)


def test_weights_are_those_of_a_linear_classifier_only() -> None:
    torch.manual_seed(0)
    for gate in (False, True):
        net = pl.Network(Gated(gate), size=12)
        found = weights(net, "act")
        if gate:
            assert found is None
        else:
            assert found is not None and torch.equal(found, net.module.head.weight.detach().T)
            assert weights(net, "conv") is None and weights(net, "head") is None


@pytest.mark.parametrize(("units", "method"), [(8, "PCA"), (32, "t-SNE")])
def test_units_that_answer_alike_lie_together(units: int, method: str) -> None:
    if method == "t-SNE":
        pytest.importorskip("openTSNE")
    kinds = answers(images=50, units=2, seed=1)
    values = torch.cat([kinds[:, [unit % 2]] for unit in range(units)], 1)
    values = profiles(values + 0.2 * answers(50, units))
    places, name = unit_map(values)
    assert name == method and places.shape == (units, 2)
    assert float(places.amin()) == 0 and float(places.amax()) == 1
    near = torch.cdist(places, places) + torch.eye(units) * 9
    assert bool((near.argmin(1) % 2 == torch.arange(units) % 2).all())
    assert torch.equal(unit_map(values)[0], places)


@pytest.mark.parametrize("units", [1, 2])
def test_a_map_of_hardly_any_units(units: int) -> None:
    assert bool(unit_map(profiles(answers(units=units)))[0].isfinite().all())


def test_guided_together_is_guided_one_by_one(tiny: pl.Network, cat: pl.Photo) -> None:
    photos = [cat, pl.Photo(cat.pixels.flip(2)), pl.Photo(cat.pixels[:, :200])]
    spots = [(1, 0), (6, 3), (1, 17)]
    maps, values = guided(tiny, "act", photos, spots)
    width = tiny.layers["act"].layout.grid[1]
    for number, (photo, (channel, at)) in enumerate(zip(photos, spots, strict=True)):
        unit = f"act:{channel}@{at // width},{at % width}"
        alone = pl.guided(tiny, photo, target=unit, reduce="colour")
        assert torch.allclose(maps[number], alone.values[0], atol=1e-6), unit
        assert f"{float(values[number]):.3g};" in alone.caption
    assert bool(maps[1].any())
