"""compare(): of each explanation what trust says of it, and why one is not there."""

import json
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.explain.explainers import explainer, explainers, usual
from pellucid.judgement import MEASURES

FEW: dict[str, Any] = {"stages": 1, "samples": 1, "pieces": 2, "methods": "saliency; occlusion"}


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


class Fussy(nn.Module):
    """A network that raises an error of its own where a gradient is asked for."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.error = error

    def forward(self, x: Tensor) -> Tensor:
        if x.requires_grad:
            raise self.error
        return self.conv(x).relu().mean((2, 3))


def test_an_unexpected_error_of_one_method_is_told_in_its_place(cat: pl.Photo) -> None:
    net = pl.Network(Fussy(ValueError("not\nlike this")), size=16)
    found = pl.compare(net, cat, **FEW)
    assert [each.name for each in found.judgements] == ["occlusion"]
    assert found.failed == {"saliency": "unexpected ValueError: not like this"}
    assert found.image().shape[0] == 3
    with pytest.raises(pl.PellucidError, match="explains this: saliency: unexpected ValueError"):
        pl.compare(net, cat, **FEW | {"methods": "saliency"})


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), MemoryError(), RuntimeError("out of memory")]
)
def test_whoever_stops_the_work_stops_all_of_it(cat: pl.Photo, error: BaseException) -> None:
    with pytest.raises(type(error)):
        pl.compare(pl.Network(Fussy(error), size=16), cat, **FEW)


def test_what_is_empty_already_is_not_said_to_become_so(bundled: pl.Network, cat: pl.Photo) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    nn.init.zeros_(module[0].weight)
    net = pl.Network(module, size=8, labels=list("abcd"))
    brief = "(1 stage of shuffling, 2 pieces of the pixels, 1 trial of noise up to 0.02)"
    found = pl.compare(net, cat, target=0, **FEW)
    assert found.caption == (
        "class:a explained in 2 ways; the map is empty from the start, nothing to judge: "
        f"saliency, occlusion {brief}"
    )
    grey = torch.full((3, 64, 64), 0.5)
    assert pl.compare(bundled, grey, **FEW).caption.partition("; ")[2] == (
        "as the weights are shuffled, the map changes: saliency; the map is empty from the start, "
        f"nothing to judge: occlusion {brief}"
    )


def test_what_takes_long_or_says_the_same_is_compared_where_it_is_named(cat: pl.Photo) -> None:
    aside = {
        f"cam:{way}" for way in ("scorecam", "ablationcam", "hirescam", "xgradcam", "eigencam")
    }
    assert aside <= explainers().keys() and not aside & usual().keys()
    assert {"cam", "cam:gradcam++", "cam:layercam", "cam:guided", "occlusion"} <= usual().keys()
    assert "rise" in explainers() and "rise" not in usual()
    assert explainer("cam:ablationcam").long and not explainer("cam:hirescam").long
    net = pl.Network(Cut(), size=16)
    found = pl.compare(net, cat, **FEW | {"methods": "cam:ablationcam; cam:eigencam"})
    assert [each.name for each in found.judgements] == ["cam:ablationcam", "cam:eigencam"]
