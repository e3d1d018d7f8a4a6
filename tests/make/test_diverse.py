"""diverse(): pictures that differ where they are asked to, and only there."""

import pytest
import torch
from torch import Tensor

import pellucid as pl

QUICK = {"count": 3, "steps": 24, "size": "48"}


def alike(net: pl.Network, layer: str, pictures: Tensor) -> float:
    """The mean cosine of the Gram matrices of each two, from the formula."""
    grams = []
    for picture in pictures:
        with net.at_rest(), torch.no_grad(), pl.recording(net, [layer]) as seen:
            net.module(net.preprocess.normalise(picture)[None])
        maps = seen[layer][0].double()
        grams.append(torch.einsum("chw,dhw->cd", maps, maps))
    found = [
        float((a * b).sum() / (a.square().sum() * b.square().sum()).sqrt())
        for number, a in enumerate(grams)
        for b in grams[number + 1 :]
    ]
    return sum(found) / len(found)


def test_the_pictures_differ_and_the_others_do_not(bundled: pl.Network) -> None:
    made = pl.diverse(bundled, "relu4:50", **QUICK | {"steps": 64}, weight=1)
    assert made.values.shape == (6, 3, 48, 48) and made.columns == 3
    upper, lower = made.values[:3], made.values[3:]
    assert made.facts["alike"] == pytest.approx(alike(bundled, "relu4", upper), abs=0.01)
    assert made.facts["alike without"] == pytest.approx(alike(bundled, "relu4", lower), abs=0.01)
    assert made.facts["alike"] < made.facts["alike without"] - 0.2
    # What is gained in difference is paid in value, but not all of it.
    mean, without = (sum(made.facts[name]) / 3 for name in ("value", "value without"))
    assert 0.2 * without < mean < without
    assert [float(name) for name in made.names[:3]] == pytest.approx(made.facts["value"], rel=0.01)
    assert "alike" in made.caption and made.image().shape[0] == 3


def test_without_weight_both_rows_are_one(bundled: pl.Network) -> None:
    made = pl.diverse(bundled, "relu4:50", **QUICK, weight=0)
    torch.testing.assert_close(made.values[:3], made.values[3:])
    # Each begins with noise of its own.
    assert not torch.equal(made.values[0], made.values[1])


def test_the_lower_row_does_not_know_of_the_upper(bundled: pl.Network) -> None:
    first, second = (pl.diverse(bundled, "relu4:50", **QUICK, weight=weight) for weight in (0.3, 2))
    torch.testing.assert_close(first.values[3:], second.values[3:])
    assert not torch.allclose(first.values[:3], second.values[:3], atol=1e-2)


def test_the_layer_is_the_units_or_the_last_with_places(bundled: pl.Network) -> None:
    for want, settings, layer in [
        ("conv3:4", {}, "conv3"),
        ("class:ant", {}, "relu7"),
        ("flatten:7", {}, "relu7"),
        ("class:ant", {"layer": "conv2"}, "conv2"),
        ("conv3:4 - 0.1 * total_variation", {}, "relu7"),
    ]:
        made = pl.diverse(bundled, want, count=2, steps=1, **settings)
        assert f"textures at {layer} alike" in made.caption


@pytest.mark.parametrize("recipe", ["simple", "maco"])
def test_in_other_manners_too(bundled: pl.Network, recipe: str) -> None:
    made = pl.diverse(bundled, "relu3:9", count=2, steps=6, recipe=recipe, size="40")
    assert not torch.allclose(made.values[0], made.values[1], atol=0.02)


def test_wrong_requests(bundled: pl.Network) -> None:
    for settings, message in [
        ({"count": 1}, "count is from 2 to 64"),
        ({"layer": "relu44"}, "did you mean 'relu4'"),
        ({"want": "relu4:999"}, "channels 0 to 159"),
    ]:
        with pytest.raises(pl.PellucidError, match=message):
            pl.diverse(bundled, **{"want": "relu4:50", **settings})
