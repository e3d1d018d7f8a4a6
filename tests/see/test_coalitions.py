"""What both methods of regions have in common: photos, targets, batches, and odd numbers."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.explain.explainers import explainer, usual
from pellucid.method import Method
from pellucid.see import coalitions
from scarce import scarce

FEW: dict[str, Any] = {"regions": 10, "cut": "squares", "passes": 70}


@pytest.fixture(params=["shapley", "lime"])
def way(request: pytest.FixtureRequest) -> Method[Any]:
    return getattr(pl, request.param)


def test_several_photos_and_targets(way: Method[Any], tiny: pl.Network) -> None:
    def mine(seen: dict[str, Tensor]) -> Tensor:
        return seen["block"][:, 1].amax((1, 2)) - seen[""][:, 3]

    wanted: list[Any] = ["bee", "grouped:2", mine, "block:1@3,5"]
    photos = ["photo:cat", torch.rand(3, 30, 40, generator=torch.Generator().manual_seed(0))]
    given = {"regions": 12, "passes": 80, "fill": "noise", "seed": 3}
    found = way(tiny, photos, target=wanted, **given)
    assert found.values.shape == (2, 4, 20, 28)
    for row, photo in enumerate(photos):
        for column, target in enumerate(wanted):
            alone = way(tiny, photo, target=target, **given)
            torch.testing.assert_close(found[row, column].values, alone.values)
            assert found[row, column].facts["values"] == pytest.approx(alone.facts["values"])
            assert found.captions[row][column] == alone.caption


def test_each_photo_has_its_own_best_class(way: Method[Any], bundled: pl.Network) -> None:
    found = way(bundled, ["photo:motorcycle", "photo:cat"], **FEW)
    assert "class:Motorbikes" in found.captions[0][0] and "cougar" in found.captions[1][0]


def test_another_seed_another_estimate(way: Method[Any], tiny: pl.Network) -> None:
    one, again, other = (way(tiny, "photo:cat", seed=seed, **FEW).values for seed in (0, 0, 1))
    assert torch.equal(one, again) and not torch.equal(one, other)


def test_nothing_changes_it(way: Method[Any], tiny: pl.Network) -> None:
    """A photo of one colour is covered by itself."""
    flat = way(tiny, torch.full((3, 20, 28), 0.5), **FEW)
    assert not flat.values.any() and flat.flat
    assert "whatever is covered: nothing changes it (" in flat.caption
    assert not any(flat.facts["errors"])


def test_a_network_that_mixes_is_asked_one_by_one(way: Method[Any]) -> None:
    class Mixing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(48, 3)

        def forward(self, x: Tensor) -> Tensor:
            scores: Tensor = self.layer(x.flatten(1))
            return (
                scores - scores.mean(0, keepdim=True) + scores[:1] * 0.5 if len(x) > 1 else scores
            )

    torch.manual_seed(0)
    module = Mixing()
    plain = pl.Network(nn.Sequential(nn.Flatten(), module.layer), size=4)
    mixing = pl.Network(module, size=4)
    given: dict[str, Any] = {"target": "1", "regions": 16, "passes": 100}
    found, wanted = (way(net, "photo:cat", **given).values for net in (mixing, plain))
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-4)


def test_memory_that_runs_out_halves_the_batch(
    way: Method[Any], tiny: pl.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = way(tiny, "photo:cat", target="bee", **FEW).values
    sizes = scarce(tiny, 9, monkeypatch)
    found = way(tiny, "photo:cat", target="bee", **FEW).values
    assert max(sizes) > 9
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-3)


def test_what_comes_twice_is_asked_once(
    way: Method[Any], tiny: pl.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coalitions, "MOST_NUMBERS", {"cpu": 16 * 560})
    steps = list(way.steps(tiny, "photo:cat", regions=3, cut="squares", passes=500))
    assert steps[-1].done == steps[-1].total <= 2**4


def test_scores_that_are_no_numbers(way: Method[Any]) -> None:
    class Broken(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            light = x.mean((1, 2, 3))
            return torch.stack([0 * light.log(), light], 1)

    net = pl.Network(Broken(), size=8, mean=[0.0], std=[1.0])
    given: dict[str, Any] = {"fill": "zero", "regions": 2, "cut": "squares", "passes": 40}
    for measure in ("score", "probability"):
        with pytest.raises(pl.PellucidError, match="the score of class:0 is nan: the network's"):
            way(net, torch.ones(3, 8, 8), target="0", measure=measure, **given)


def test_compared_where_named_with_fewer_passes(way: Method[Any], tiny: pl.Network) -> None:
    assert way.name not in usual()
    assert explainer(way.name).quick(tiny).settings == {"passes": 400}
