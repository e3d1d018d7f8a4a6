"""compare: what is told where a method fails, or has nothing to show."""

from typing import Any

import pytest
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
