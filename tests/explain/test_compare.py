"""compare: what is told where a method fails, or has nothing to show."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl

FEW: dict[str, Any] = {"stages": 1, "samples": 1, "pieces": 2, "methods": "saliency; occlusion"}


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
