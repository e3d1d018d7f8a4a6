"""Shapley values and LIME against Captum's, with the same regions as its feature mask."""

from collections.abc import Iterator
from typing import Any

import captum.attr as ca
import pytest
import torch
from captum._utils.models.linear_model import SkLearnRidge
from torch import Tensor

import pellucid as pl
from pellucid.see.lime import _shown
from pellucid.see.regions import cut_up


def theirs(net: pl.Network, photo: pl.Photo, many: int, cut: str = "superpixels") -> dict[str, Any]:
    """Input, mask and cover as Captum takes them."""
    inputs = net.prepare(photo)[0]
    mask = cut_up(net.preprocess, inputs[0], many, cut)
    return {
        "inputs": inputs,
        "baselines": inputs.mean((2, 3), keepdim=True).expand_as(inputs),
        "feature_mask": mask[None, None],
        "target": 1,
        "perturbations_per_eval": 16,
    }


@pytest.mark.parametrize("measure", ["score", "probability"])
def test_all_coalitions_are_captums(measure: Any, tiny: pl.Network, cat: pl.Photo) -> None:
    def forward(x: Tensor) -> Tensor:
        return tiny.scores(x) if measure == "score" else tiny.scores(x).softmax(1)

    given = theirs(tiny, cat, 4, "squares")
    found = pl.shapley(tiny, cat, target="1", regions=4, cut="squares", measure=measure)
    assert found.facts["regions"] == 4 and "exactly" in found.caption
    with tiny.at_rest(), torch.no_grad():
        wanted = ca.ShapleyValues(forward).attribute(**given)[0, 0]
    torch.testing.assert_close(found.values, wanted, rtol=1e-4, atol=1e-7)
    assert float(wanted.abs().min()) > 1e-6


def test_captums_estimates_are_within_their_errors(tiny: pl.Network, cat: pl.Photo) -> None:
    given = theirs(tiny, cat, 12)
    exact = pl.shapley(tiny, cat, target="1", regions=12, measure="score", passes=2**17)
    assert "exactly" in exact.caption
    ours = pl.shapley(tiny, cat, target="1", regions=12, measure="score", passes=400)
    error = torch.tensor(ours.facts["errors"]).double().square().mean().sqrt()
    torch.manual_seed(0)
    with tiny.at_rest(), torch.no_grad():
        kernel = ca.KernelShap(tiny.scores).attribute(**given, n_samples=400)[0, 0]
        sampled = ca.ShapleyValueSampling(tiny.scores).attribute(**given, n_samples=30)[0, 0]
    for other in (kernel, sampled):
        far = float((other - exact.values).square().mean().sqrt())
        assert float((ours.values - exact.values).square().mean().sqrt()) < far
        assert far < 12 * float(error) and far < 0.5 * float(exact.values.abs().max())


def test_lime_on_the_same_coalitions_is_captums(tiny: pl.Network, cat: pl.Photo) -> None:
    given = theirs(tiny, cat, 12)
    mask = given["feature_mask"]
    count = int(mask.max()) + 1
    shown = _shown(count, 120, 0)

    def drawn(*_: Any, **__: Any) -> Iterator[Tensor]:
        yield from shown[:, None].float()

    def near(_one: Tensor, _other: Tensor, some: Tensor, **_: Any) -> Tensor:
        away = 1 - (some.sum() / count).sqrt()
        return torch.exp(-(away**2) / (2 * 0.25**2))

    def image(some: Tensor, original: Tensor, **_: Any) -> Tensor:
        return torch.where(some[0][mask] > 0, original, given["baselines"])

    model = ca.LimeBase(tiny.scores, SkLearnRidge(alpha=1.0), near, drawn, True, image, None)
    with tiny.at_rest(), torch.no_grad():
        wanted = model.attribute(given["inputs"], target=1, n_samples=120)
    found = pl.lime(tiny, cat, target="1", regions=12, measure="score", passes=120)
    torch.testing.assert_close(torch.tensor(found.facts["values"]), wanted[0], rtol=1e-4, atol=1e-6)
