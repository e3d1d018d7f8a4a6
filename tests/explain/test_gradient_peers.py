"""Captum beside us: equal wherever it is right."""

import copy
import warnings
from typing import Any

import pytest
import torch
from captum.attr import (
    Deconvolution,
    GuidedBackprop,
    InputXGradient,
    IntegratedGradients,
    NoiseTunnel,
    Saliency,
)
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from lively import lively
from pellucid.method import Method

SIDES = {
    "resnet18": 64, "vgg11_bn": 64, "densenet121": 64, "mobilenet_v2": 64, "squeezenet1_1": 80,
    "pane": 112,
}  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:captum")


@pytest.fixture(params=SIDES)
def net(request: pytest.FixtureRequest) -> pl.Network:
    if request.param == "pane":
        found: pl.Network = request.getfixturevalue("bundled")
        return found
    return lively(request.param, SIDES[request.param])


def ours(method: Method[Any], net: pl.Network, **settings: Any) -> Tensor:
    made: Tensor = method(net, "photo:cat", target="3", reduce="colour", **settings).values
    return made


def theirs(kind: type, module: nn.Module, net: pl.Network, **settings: Any) -> Tensor:
    inputs = net.prepare(pl.open_image("photo:cat"))[0]
    before = [part.training for part in module.modules()]
    module.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: Tensor = kind(module).attribute(inputs.requires_grad_(), target=3, **settings)
    for part, mode in zip(module.modules(), before, strict=True):
        part.training = mode
    return found.detach()


def off(made: Tensor, wanted: Tensor) -> float:
    """The greatest difference, as a share of the greatest number."""
    assert bool(wanted.any()) and bool(wanted.isfinite().all())
    return float((made - wanted).abs().max() / wanted.abs().max())


def test_saliency(net: pl.Network) -> None:
    wanted = theirs(Saliency, net.module, net, abs=False)
    assert off(ours(pl.saliency, net), wanted) < 1e-4
    # On purpose: of the three colours the paper takes the greatest; Captum leaves all three.
    shown = pl.saliency(net, "photo:cat", target="3").values
    assert off(shown, theirs(Saliency, net.module, net)[0].amax(0)) < 1e-4


def test_input_x_gradient(net: pl.Network) -> None:
    assert off(ours(pl.input_x_gradient, net), theirs(InputXGradient, net.module, net)) < 1e-4


def test_integrated(net: pl.Network) -> None:
    """Theirs begins at zero after normalising; ours at black, as the paper, unless told."""
    wanted = theirs(
        IntegratedGradients, net.module, net, n_steps=12, internal_batch_size=12
    ).float()
    assert off(ours(pl.integrated, net, steps=12, baseline="zero"), wanted) < 1e-4


@pytest.mark.parametrize(
    ("method", "kind"), [(pl.guided, GuidedBackprop), (pl.deconv, Deconvolution)]
)
def test_guided_and_deconv(method: Method[Any], kind: type, net: pl.Network) -> None:
    made, wanted = ours(method, net), theirs(kind, net.module, net)
    if net.name in HELPED:
        # Captum knows rectifiers by their class: it passes over ReLU6, and over functions.
        assert off(made, wanted) > 1e-2
        wanted = theirs(kind, HELPED[net.name](net.module), net)
    assert off(made, wanted) < 1e-4


class Six(nn.ReLU):
    """ReLU6 of a class that Captum knows."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(x)


def _sixes(module: nn.Module) -> nn.Module:
    same = copy.deepcopy(module)
    for part in same.modules():
        for name, child in part.named_children():
            if isinstance(child, nn.ReLU6):
                setattr(part, name, Six())
    return same


def _last(module: Any) -> nn.Module:
    """DenseNet with the function at its end as a module."""
    pool, flat = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return nn.Sequential(module.features, nn.ReLU(), pool, flat, module.classifier)


HELPED = {"mobilenet_v2": _sixes, "densenet121": _last}


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
@pytest.mark.parametrize(
    ("method", "kind"), [(pl.guided, GuidedBackprop), (pl.deconv, Deconvolution)]
)
def test_where_rectifiers_are_functions_captum_gives_the_plain_gradient(
    method: Method[Any], kind: type, name: str
) -> None:
    net = lively(name, 96 if name == "inception_v3" else 64)
    wanted = theirs(kind, net.module, net)
    assert off(wanted, ours(pl.saliency, net)) < 1e-4
    assert off(ours(method, net), wanted) > 1e-2


def test_noise() -> None:
    """By the same seed the very same noise; without kinks in the network for rounding to tip."""
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 6, 5, stride=2), nn.Tanh(), nn.Conv2d(6, 6, 3), nn.Tanh(), nn.Flatten(),
        nn.Linear(6 * 12 * 12, 4),
    )  # fmt: skip
    net = pl.Network(module.requires_grad_(False), size=32)
    inputs = net.prepare(pl.open_image("photo:cat"))[0]
    deviation = 0.3 * float(inputs.max() - inputs.min())
    torch.manual_seed(4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = NoiseTunnel(Saliency(module)).attribute(
            inputs, nt_type="smoothgrad", nt_samples=8, stdevs=deviation, target=3, abs=False
        )
    made = ours(pl.saliency, net, smooth=8, noise=0.3, seed=4)
    assert off(made, wanted.detach()) < 1e-4
    assert off(ours(pl.saliency, net), wanted.detach()) > 0.1
