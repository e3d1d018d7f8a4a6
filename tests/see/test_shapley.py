"""Shapley values against all orders, their axioms, and whether their errors tell the truth."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from games import by_orders, by_sets, every, game, white
from planted import evidence, network, photo

SQUARES: dict[str, Any] = {"cut": "squares", "fill": "zero", "measure": "score"}


def table(count: int, seed: int = 0) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.rand(2**count, 2, generator=random, dtype=torch.float64)


def curved(count: int) -> Tensor:
    """As networks are: nothing for long, then all at once, with neighbours that go together."""
    sets = every(count).double()
    pull = sets @ torch.linspace(-1, 3, count, dtype=torch.float64) + sets[:, 0] * sets[:, 1]
    return torch.stack([torch.sigmoid(2 * pull - count), pull], 1)


def test_all_coalitions_are_all_orders() -> None:
    values = table(4)
    found = pl.shapley(game(values, 2, 2), white(2, 2), target="1", regions=4, **SQUARES)
    wanted = by_orders(values[:, 1], 4)
    torch.testing.assert_close(torch.tensor(found.facts["values"]).double(), wanted)
    torch.testing.assert_close(found.values[::2, ::2].flatten().double(), wanted, rtol=1e-5, atol=0)
    torch.testing.assert_close(by_sets(values[:, 1], 4), wanted)
    assert found.facts["errors"] == [0, 0, 0, 0]
    assert found.caption.endswith("4 regions, exactly: all 16 coalitions were tried")


@pytest.mark.parametrize("passes", [16, 12])
def test_efficiency(passes: int) -> None:
    """The sum is known, and so it is exact even where the values are estimates."""
    values, count = table(6), {16: 4, 12: 2}[passes]
    net = game(table(count), count // 2, 2) if count == 4 else game(values, 3, 2)
    given = {"regions": count if count == 4 else 6, "passes": passes if count == 4 else 40}
    found = pl.shapley(net, white(*net.module.grid), target="0", **given, **SQUARES)
    facts = found.facts
    assert sum(facts["values"]) == pytest.approx(facts["uncovered"] - facts["covered"], abs=1e-12)
    assert facts["sum"] == pytest.approx(sum(facts["values"]), abs=1e-12)


@pytest.mark.parametrize("passes", [512, 200])
def test_dummy_symmetry_and_linearity(passes: int) -> None:
    sets = every(9).double()
    alike = (sets[:, 0] + sets[:, 1] + 1) ** 2 * (1 + sets[:, 2]) + sets[:, 4] * sets[:, 5]
    other = torch.sigmoid(3 * sets[:, :6].sum(1) - 8)
    net = game(torch.stack([alike, other, alike + 2 * other], 1), 3, 3)
    found = pl.shapley(
        net, (white(3, 3),), target="0;1;2", regions=9, passes=passes, **SQUARES
    ).facts  # fmt: skip
    one, two, both = torch.tensor(found["values"][0]).double()
    error = torch.tensor(found["errors"][0]).double()
    torch.testing.assert_close(both, one + 2 * two, rtol=0, atol=1e-5)  # linearity: same dice
    exact = passes == 512
    assert bool(error.any()) != exact
    assert float(one[6:].abs().max()) <= (1e-9 if exact else 4 * float(error[0].max()))
    assert abs(float(one[0] - one[1])) <= (1e-9 if exact else 4 * float(error[0].max()))
    assert float(one[0]) > 10 * float(one[6:].abs().max())


@pytest.mark.parametrize("kind", ["curved", "random"])
def test_the_errors_tell_the_truth(kind: str) -> None:
    """Of normal errors, 95 of 100 are within twice the standard error."""
    values = curved(10) if kind == "curved" else table(10)
    wanted, net = by_sets(values[:, 0], 10), game(values, 5, 2)
    far, told = [], []
    for seed in range(40):
        found = pl.shapley.bare(
            net, white(5, 2), target="0", regions=10, passes=300, seed=seed, **SQUARES
        )
        far.append(torch.tensor(found.facts["values"]).double() - wanted)
        told.append(torch.tensor(found.facts["errors"]).double())
    away, error = torch.stack(far), torch.stack(told)
    assert 0.92 < float((away.abs() < 2 * error).double().mean()) < 0.985
    assert 0.8 < float(error.square().mean().sqrt() / away.square().mean().sqrt()) < 1.25
    # No bias: the mean over the seeds is as near as a mean of 40 is.
    assert float(away.mean(0).abs().max()) < 4 * float(error.square().mean().sqrt()) / 40**0.5


def test_of_a_linear_network_no_dice_matter() -> None:
    torch.manual_seed(1)
    layer = nn.Linear(3 * 12 * 18, 2)
    net = pl.Network(nn.Sequential(nn.Flatten(), layer).double(), size=(12, 18))
    inputs = net.prepare(pl.open_image("photo:cat"))[0]
    found = pl.shapley(
        net, "photo:cat", target="1", regions=24, passes=200, measure="score", fill="mean"
    )
    more = (inputs - inputs.mean((2, 3), keepdim=True))[0] * layer.weight[1].view(3, 12, 18)
    more = more.detach()
    values = torch.tensor(found.facts["values"]).double()
    for number, value in enumerate(values):
        here = found.values == value.float()
        assert float(more.sum(0)[here].sum()) == pytest.approx(float(value), abs=1e-7), number
    assert max(found.facts["errors"]) < 1e-9
    assert len(values) > 12


@pytest.mark.parametrize("cut", ["squares", "superpixels"])
def test_finds_what_was_planted(cut: Any) -> None:
    net = network()
    for dot in ("left", "right"):
        found = pl.shapley(
            net, photo(), target=dot, regions=36, cut=cut, measure="score", passes=400
        )
        touched = torch.isin(found.values, found.values[evidence(dot)].unique())
        lost = found.values[~touched].unique().double()
        error = max(found.facts["errors"])
        assert float(lost.abs().max()) < 4 * error + 1e-12
        assert float(found.values[evidence(dot)].max()) == float(found.values.max())
        assert max(found.facts["values"]) > 5 * error
        assert found.facts["uncovered"] > 1 > found.facts["covered"] == 0


def test_one_region_is_everything(tiny: pl.Network) -> None:
    found = pl.shapley(tiny, "photo:cat", regions=1, passes=2)
    value = found.facts["uncovered"] - found.facts["covered"]
    assert found.facts["values"] == [pytest.approx(value)]
    assert len(found.values.unique()) == 1


def test_more_regions_than_pixels() -> None:
    net = pl.Network(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), size=2)
    found = pl.shapley(net, torch.rand(3, 5, 5, generator=torch.Generator().manual_seed(0)))
    assert found.facts["regions"] == 4 and "all 16 coalitions" in found.caption


def test_too_few_passes(tiny: pl.Network) -> None:
    told = "20 regions need at least 120 passes, not 119: ask for more passes, or for fewer regions"
    with pytest.raises(pl.PellucidError, match=told):
        pl.shapley(tiny, "photo:cat", regions=20, cut="squares", passes=119)
    found = pl.shapley(tiny, "photo:cat", regions=20, cut="squares", passes=120)
    assert "among 20 regions" in found.caption


def test_the_caption_counts_what_is_sure() -> None:
    sets = every(9).double()
    net = game(torch.stack([sets[:, 3] * 5 + sets[:, 0], 0.01 * table(9)[:, 0]], 1), 3, 3)
    given = {"regions": 9, "passes": 100, **SQUARES}
    found = pl.shapley(net, white(3, 3), target="class:0", **given)
    assert found.caption.startswith(
        "score of class:0: 6 uncovered, 0 with all covered; the difference shared out among 9 "
        "regions, "
    )
    assert "; 2 of 9 differ from zero by more than two standard errors; " in found.caption
    assert not [one for one in found.facts["values"] if 1e-6 < abs(one) < 0.99]


def test_noise_is_called_chance() -> None:
    """A game in which single squares count for nothing."""
    sets = every(10)
    parity = sets[:, 1:9].sum(1) % 2
    net = game(torch.stack([parity.double()] * 2, 1), 5, 2)
    given = {"regions": 10, "passes": 200, **SQUARES}
    told = "none differs from zero by more than two standard errors: it may be chance"
    seen = [pl.shapley(net, white(5, 2), target="0", seed=n, **given).caption for n in range(8)]
    assert sum(told in one for one in seen) >= 3
