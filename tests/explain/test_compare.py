"""compare(): of each explanation what trust says of it, and why one is not there."""

import json

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.judgement import MEASURES


class Cut(nn.Module):
    """A network that no gradient passes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x.detach()).relu().mean((2, 3))


def test_one_that_does_not_suit_the_network_says_why_and_holds_up_nobody(cat: pl.Photo) -> None:
    net = pl.Network(Cut(), size=16)
    few = {"stages": 2, "samples": 1, "pieces": 4, "methods": "saliency, occlusion"}
    steps = list(pl.compare.steps(net, cat, **few))
    assert [step.done for step in steps] == [1, 2, 3, 4, 9, *range(10, 15)]
    assert {step.total for step in steps} == {14}
    found = pl.compare(net, cat, **few)
    assert found.values.shape == (1, len(MEASURES))
    assert [each.name for each in found.judgements] == ["occlusion"]
    assert found.failed["saliency"].startswith("no gradient reaches the image")
    data = json.loads(json.dumps(found.data()))
    assert data["failed"] == found.failed and data["methods"][0]["method"] == "occlusion"
    with pytest.raises(pl.PellucidError, match="no method explains this: saliency: no gradient"):
        pl.compare(net, cat, **few | {"methods": "saliency"})


def test_compare_says_of_each_what_trust_says_of_it(tiny: pl.Network, cat: pl.Photo) -> None:
    """By the defaults of both; whatever stands before it; also where coarse maps are drawn."""
    names = ("saliency", "cam:layercam", "occlusion")
    beside = pl.compare(tiny, cat, methods="; ".join(names))
    for name, row in zip(names, beside.values, strict=True):
        alone = pl.trust(tiny, name, cat)
        assert torch.equal(row, alone.values), name
        assert alone.protocol == beside.protocol
        assert alone.caption.endswith(beside.caption[beside.caption.rindex("(") :])
    assert "trials of noise up to 0.02)" in beside.caption and "stages of shuf" in beside.caption


def test_what_is_empty_is_told_as_a_sentence(cat: pl.Photo) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    nn.init.zeros_(module[0].weight)
    net = pl.Network(module, size=8, labels=list("abcd"))
    found = pl.compare(net, cat, target=0, methods="saliency", stages=1, samples=1, pieces=2)
    assert found.caption == (
        "class:a explained in 1 way; as the weights are shuffled, the map is an empty map: "
        "saliency (1 stage of shuffling, 2 pieces of the pixels, 1 trial of noise up to 0.02)"
    )
