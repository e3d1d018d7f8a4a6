"""A GPU gives what the processor gives; where there is none, nothing is tested here."""

from typing import Any

import pytest
import torch

import pellucid as pl
from pellucid.method import Method
from pellucid.register import ours
from pellucid.testing.bench import Bench, small

NEAR = 1 / 512  # of the largest value, on average: half a step of what an eye could see


@pytest.mark.usefixtures("all_digits")
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("method", list(ours()), indirect=True)
class TestEveryMethod(Bench):
    @pytest.fixture
    def device(self) -> str:
        return "cpu"

    def test_a_gpu_gives_what_the_processor_gives(
        self, method: Method[Any], bundled: pl.Network, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Where a picture is climbed, three digits of a number send it another way.
        monkeypatch.setattr(method, "exact", True)
        name, weights = bundled.spec["name"], bundled.spec.get("weights")
        there = pl.load(name, weights=weights, device="cuda")
        arguments = small(method, bundled)
        here, away = method(bundled, **arguments), method(there, **arguments)
        assert away.values.device.type == "cpu"
        assert away.recipe.network["device"].startswith("cuda")
        largest = float(here.values.abs().max())
        assert float((away.values - here.values).abs().mean()) <= NEAR * largest

    def test_a_gpu_takes_photos_that_lie_there(
        self, method: Method[Any], bundled: pl.Network
    ) -> None:
        there = pl.load(bundled.spec["name"], weights=bundled.spec.get("weights"), device="cuda")
        photo = pl.open_image("photo:cat")
        arguments = small(method, there, photo.floats().cuda())
        again = small(method, there, photo)
        assert torch.equal(method(there, **arguments).values, method(there, **again).values)
