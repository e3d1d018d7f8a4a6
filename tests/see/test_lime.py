"""LIME against its formula, step by step, and where the answer is known."""

from math import exp, sqrt

import pytest
import torch
from sklearn.linear_model import Ridge
from torch import nn

import pellucid as pl
from games import every, game, white
from pellucid.see.lime import _shown
from pellucid.see.regions import cut_up
from planted import evidence, network, photo


@pytest.mark.parametrize("width", [0.25, 0.1])
def test_is_its_slow_twin(width: float, tiny: pl.Network, cat: pl.Photo) -> None:
    """One coalition at a time, and scikit-learn's ridge as the package `lime` calls it."""
    found = pl.lime(tiny, cat, target="bee", regions=12, passes=90, width=width, seed=4)
    inputs = tiny.prepare(cat)[0]
    regions = cut_up(tiny.preprocess, inputs[0], 12, "superpixels")
    shown = _shown(int(regions.max()) + 1, 90, 4)
    assert shown[0].all() and 0.4 < float(shown[1:].float().mean()) < 0.6
    values, weights = [], []
    for one in shown:
        image = inputs.clone()
        for number in (~one).nonzero()[:, 0]:
            image[:, :, regions == number] = inputs.mean()
        with tiny.at_rest(), torch.no_grad():
            values.append(float(tiny.module(image).softmax(1)[0, 1]))
        cosine = int(one.sum()) / sqrt(int(one.sum()) * len(one)) if one.any() else 0.0
        weights.append(sqrt(exp(-((1 - cosine) ** 2) / width**2)))
    design = shown.double().numpy()
    model = Ridge(alpha=1).fit(design, values, sample_weight=weights)
    assert found.facts["values"] == pytest.approx(model.coef_.tolist(), rel=1e-4, abs=1e-8)
    assert found.facts["intercept"] == pytest.approx(model.intercept_, rel=1e-4)
    fidelity = model.score(design, values, sample_weight=weights)
    assert found.facts["fidelity"] == pytest.approx(fidelity, rel=1e-3)
    assert 0.05 < fidelity < 0.999
    assert found.facts["fidelity_beyond"] < found.facts["fidelity"]
    wanted = torch.tensor(model.coef_).float()[regions]
    torch.testing.assert_close(found.values, wanted, rtol=1e-4, atol=1e-7)


def test_what_is_left_out_is_left_out(tiny: pl.Network) -> None:
    """The errors and the fidelity beyond the fit, from fits without each row in turn."""
    from pellucid.see.linear import fitted

    random = torch.Generator().manual_seed(0)
    design = torch.rand(30, 4, generator=random, dtype=torch.float64)
    values = (design**3).sum(1, keepdim=True)
    weights = torch.rand(30, generator=random, dtype=torch.float64)
    penalty = 0.1 * torch.eye(4, dtype=torch.float64)
    whole = fitted(design, values, weights, penalty)
    missed, moved = [], []
    for row in range(30):
        rest = torch.arange(30) != row
        less = fitted(design[rest], values[rest], weights[rest], penalty)
        missed.append(float(values[row] - design[row] @ less.coefficients))
        moved.append(less.coefficients - whole.coefficients)
    mean = (weights[:, None] * values).sum() / weights.sum()
    spread = (weights * (values[:, 0] - mean).square()).sum()
    beyond = 1 - (weights * torch.tensor(missed).double().square()).sum() / spread
    torch.testing.assert_close(whole.beyond[0], beyond)
    torch.testing.assert_close(whole.errors, torch.stack(moved).square().sum(0).sqrt())


def test_of_a_linear_network() -> None:
    """The pixels' own shares, but for what the ridge takes off; the model is all there is."""
    torch.manual_seed(1)
    layer = nn.Linear(3 * 12 * 18, 2)
    net = pl.Network(nn.Sequential(nn.Flatten(), layer), size=(12, 18))
    inputs = net.prepare(pl.open_image("photo:cat"))[0]
    found = pl.lime(net, "photo:cat", target="1", regions=24, passes=2000, measure="score")
    more = (inputs - inputs.mean((2, 3), keepdim=True))[0] * layer.weight[1].view(3, 12, 18)
    values = torch.tensor(found.facts["values"])
    wanted = torch.stack([more.sum(0)[found.values == one].sum() for one in values]).detach()
    torch.testing.assert_close(values, wanted, rtol=0.03, atol=0.02 * float(wanted.abs().max()))
    assert found.facts["fidelity"] > 0.9999
    assert "has a weighted R² of 1.00, of coalitions that it was not fitted to 1.00; " in (
        found.caption
    )


def test_a_poor_model_says_so() -> None:
    sets = every(9)
    net = game(torch.stack([sets.sum(1) % 2, sets.sum(1)], 1).double(), 3, 3)
    given = {"regions": 9, "cut": "squares", "fill": "zero", "measure": "score"}
    odd, count = (pl.lime(net, white(3, 3), target=name, **given) for name in ("0", "1"))
    assert "most of what happens is not linear" in odd.caption
    assert odd.facts["fidelity_beyond"] < 0.1 < 0.99 < count.facts["fidelity_beyond"]
    assert "not linear" not in count.caption and "9 of 9 differ from zero" in count.caption


def test_finds_what_was_planted() -> None:
    net = network()
    found = pl.lime(net, photo(), target="left", regions=36, measure="score", passes=400)
    assert float(found.values[evidence("left")].max()) == float(found.values.max())
    assert float(found.values.max()) > 5 * max(found.facts["errors"])
