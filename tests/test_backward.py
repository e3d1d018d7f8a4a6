"""Backward: networks that overwrite what their own gradient needs."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.backward import backward


class Overwriting(nn.Module):
    """It changes what its rectifier has kept for the way back."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.deep = nn.Conv2d(4, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x).relu()
        kept = x + 1
        x.mul_(2)
        return self.deep(kept).mean((2, 3))


@pytest.mark.parametrize(
    "ask",
    [
        pl.saliency,
        pl.integrated,
        lambda net, photo: pl.cam(net, photo, layer="conv"),
        lambda net, photo: pl.attack(net, photo),
        lambda net, photo: pl.feature(net, "class:1", size=16, steps=2),
        lambda net, photo: pl.dream(net, photo, "class:1", steps=1),
        lambda net, photo: pl.invert(net, photo, layers="deep", steps=2),
        lambda net, photo: pl.texture(net, photo, layers="deep", size=32, steps=2),
    ],
)
def test_a_network_without_a_gradient_is_told_plainly(
    cat: pl.Photo, ask: Callable[[Any, Any], Any]
) -> None:
    net = pl.Network(Overwriting(), size=16)
    with pytest.raises(pl.PellucidError, match="has no gradient: it overwrites numbers in place"):
        ask(net, cat)
    assert pl.occlusion(net, cat).values.isfinite().all()


def test_any_other_error_stays_what_it_is() -> None:
    numbers = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="scalar outputs"), backward():
        torch.autograd.grad(numbers * 2, numbers)


@pytest.mark.parametrize("ask", [pl.saliency, pl.guided, pl.cam, pl.input_x_gradient])
def test_weights_that_were_made_in_inference_mode_are_told_plainly(
    cat: pl.Photo, ask: Callable[[Any, Any], Any]
) -> None:
    with torch.inference_mode():
        module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(784, 3))
    net = pl.Network(module, size=16)
    with pytest.raises(pl.PellucidError, match=r"its weights were made inside .*inference_mode"):
        ask(net, cat)
    assert pl.occlusion(net, cat, window=4).values.isfinite().all()
    found = pl.cam(net, cat, way="scorecam")
    assert found.values.shape == (14, 14) and "Score-CAM of class:" in found.caption
    torch.testing.assert_close(found.values, pl.cam(net, cat, way="scorecam", layer="1").values)


class _Rounded(torch.autograd.Function):
    """Something that has no gradient, as the operations of quantised layers have none."""

    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        return x.round()

    @staticmethod
    def backward(_ctx: Any, _coming: Tensor) -> None:  # type: ignore[override]
        return None


class Rounded(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = _Rounded.apply(9 * self.conv(x).relu())
        return found.mean((2, 3))


@pytest.mark.parametrize(
    "ask", [pl.saliency, pl.guided, pl.deconv, pl.integrated, pl.attack, pl.cam]
)
def test_what_has_no_gradient_is_not_called_zero(
    cat: pl.Photo, ask: Callable[[Any, Any], Any]
) -> None:
    net = pl.Network(Rounded(), size=16)
    with pytest.raises(pl.PellucidError, match=r"no gradient .*the network cuts"):
        ask(net, cat)


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")  # on its way out of torch
@pytest.mark.filterwarnings("ignore:quantized..linear_dynamic")  # what the test is about
def test_a_quantised_layer_has_no_gradient(cat: pl.Photo) -> None:
    class Quantised(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            x = self.conv(x).relu().mean((2, 3))
            # Rows of a table of eight bits, as a layer that is quantised on the fly has them.
            found: Tensor = torch.ops.quantized.linear_dynamic(x, self.packed)
            return found

    module = Quantised()
    weight = torch.quantize_per_tensor(torch.randn(3, 4), 0.1, 0, torch.qint8)
    module.packed = torch.ops.quantized.linear_prepack(weight, None)
    net = pl.Network(module, size=16)
    assert pl.occlusion(net, cat, window=4, target=1).values.isfinite().all()
    for ask in (pl.saliency, pl.deconv, pl.integrated):
        with pytest.raises(pl.PellucidError, match="no gradient reaches the image"):
            ask(net, cat, target=1)
