"""Relevance: shared out by the formula, equal to zennit's where that sees the network, and kept."""

import copy
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from zennit.attribution import Gradient
from zennit.canonizers import Canonizer, SequentialMergeBatchNorm
from zennit.composites import EpsilonAlpha2Beta1Flat, EpsilonGammaBox, EpsilonPlusFlat
from zennit.torchvision import ResNetCanonizer, VGGCanonizer

import pellucid as pl
from lively import lively
from pellucid.explain.relevance.rules import Composite
from pellucid.fields import fields

COMPOSITES = get_args(Composite)
SIDES = {"vgg11_bn": 64, "resnet18": 64, "squeezenet1_1": 80, "pane": 112}
CANONIZERS: dict[str, list[type[Canonizer]]] = {
    "vgg11_bn": [VGGCanonizer], "resnet18": [ResNetCanonizer]
}  # fmt: skip


@pytest.fixture(scope="module", params=SIDES)
def named(request: pytest.FixtureRequest) -> Iterator[tuple[str, pl.Network]]:
    """In double precision, and with no small number in batch normalisation.

    Zennit leaves it there after it has folded the rest of the layer away: that is 1e-4 off.
    """
    known = pl.load(device="cpu") if request.param == "pane" else None
    net = known or lively(request.param, SIDES[request.param])
    module = copy.deepcopy(net.module).double().eval()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d) and part.running_var is not None:
            part.running_var += part.eps
            part.eps = 0.0
    size, mean, std = net.preprocess.size, net.preprocess.mean, net.preprocess.std
    yield request.param, pl.Network(module, size=size, mean=mean, std=std)


def zennits(name: str, net: pl.Network, composite: str) -> Tensor:
    inputs = net.prepare(pl.open_image("photo:cat"))[0]
    low, high = (
        net.preprocess.normalise(torch.full(inputs.shape[1:], end))[None].to(inputs)
        for end in (0.0, 1.0)
    )
    canonizers = [kind() for kind in CANONIZERS.get(name, [])]
    kinds: dict[str, Callable[[], Any]] = {
        "epsilon_gamma_box": lambda: EpsilonGammaBox(low, high, canonizers=canonizers),
        "epsilon_plus_flat": lambda: EpsilonPlusFlat(canonizers=canonizers),
        "epsilon_alpha2_beta1_flat": lambda: EpsilonAlpha2Beta1Flat(canonizers=canonizers),
    }
    with Gradient(net.module, kinds[composite]()) as gradient:
        _, found = gradient(inputs, lambda out: out * torch.eye(out.shape[1])[[3]].to(out))
    relevance: Tensor = found.detach()
    return relevance


@pytest.mark.parametrize("composite", COMPOSITES)
def test_it_is_zennits(named: tuple[str, pl.Network], composite: Any) -> None:
    name, net = named
    made = pl.lrp(net, "photo:cat", target="3", composite=composite, reduce="colour").values
    wanted = zennits(name, net, composite).float()
    assert bool(wanted.any())
    assert float((made - wanted).abs().max() / wanted.abs().max()) < 1e-6


def normed() -> nn.Sequential:
    """Each kind of layer with batch normalisation behind it, as after training."""
    torch.manual_seed(0)
    layers = [
        *(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU()),
        *(nn.Flatten(2), nn.Conv1d(4, 6, 4, 4), nn.BatchNorm1d(6), nn.ReLU()),
        *(nn.Unflatten(1, (2, 3, 1)), nn.Conv3d(2, 5, (2, 1, 3)), nn.BatchNorm3d(5), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(5 * 2 * 23, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, 5)),
    ]
    for part in layers:
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            assert part.running_mean is not None and part.running_var is not None
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.uniform_(part.bias, -0.3, 0.3)
            part.running_mean.uniform_(-0.2, 0.2)
            part.running_var.uniform_(0.5, 1.5)
            part.eps = 0.0
    return nn.Sequential(*layers).double().eval()


@pytest.mark.parametrize("composite", COMPOSITES)
def test_norms_behind_layers_of_any_dimension_are_folded(
    composite: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CANONIZERS, "normed", [SequentialMergeBatchNorm])
    net = pl.Network(normed(), size=12)
    made = pl.lrp(net, "photo:cat", target=3, composite=composite, reduce="colour").values
    wanted = zennits("normed", net, composite).float()
    assert float((made - wanted).abs().max() / wanted.abs().max()) < 1e-6


def test_a_norm_over_places_is_not_folded() -> None:
    """Behind a linear layer of 16 places BatchNorm1d has a channel for each place, not number."""
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 4, 3), nn.Flatten(2), nn.Linear(16, 4), nn.BatchNorm1d(4), nn.Flatten()
    layers[3].running_mean.uniform_(-1, 1)  # type: ignore[union-attr, operator]
    net = pl.Network(nn.Sequential(*layers).double().eval(), size=6)
    photo = torch.rand(3, 6, 6)
    score = float(net.scores(net.prepare(pl.open_image(photo))[0])[0, 3].detach())
    assert pl.lrp(net, photo, target=3).facts["score"] == pytest.approx(score, rel=1e-6)


class Plain(nn.Module):
    """A convolution, a rectifier, a dense layer: small enough to be counted by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 3, 2, stride=2)
        self.head = nn.Linear(3 * 2 * 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.second(self.first(x).relu()).relu().flatten(1))


def matrix(layer: Callable[[Tensor], Tensor], shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """A linear layer as a table of weights (outputs, inputs), and its biases, flattened."""
    blank = torch.zeros(1, *shape, dtype=torch.double)
    bias = layer(blank).flatten()
    columns = []
    for place in range(blank.numel()):
        one = blank.clone()
        one.view(-1)[place] = 1
        columns.append(layer(one).flatten() - bias)
    return torch.stack(columns, 1), bias


def handed(shares: Tensor, bias: Tensor, relevance: Tensor) -> Tensor:
    """What each input has, one by one, from what it adds to each output: (outputs, inputs)."""
    found = torch.zeros(shares.shape[1], dtype=torch.double)
    for k in range(len(relevance)):
        whole = shares[k].sum() + bias[k]
        whole = whole + (1e-6 if whole >= 0 else -1e-6)
        for j in range(shares.shape[1]):
            found[j] += shares[k, j] / whole * relevance[k]
    return found


def slowly(module: Plain, inputs: Tensor, low: Tensor, high: Tensor, composite: str) -> Tensor:
    """From the formulas, neuron by neuron."""
    x = inputs.flatten()
    one, b1 = matrix(module.first, inputs.shape[1:])
    hidden = (one @ x + b1).relu()
    two, b2 = matrix(module.second, (4, 4, 4))
    z2 = two @ hidden + b2
    three, b3 = matrix(module.head, (12,))
    scores = three @ z2.relu() + b3
    relevance = torch.zeros(2, dtype=torch.double)
    relevance[1] = scores[1]
    relevance = handed(three * z2.relu(), b3, relevance)
    up, down = two.clamp(min=0), two.clamp(max=0)
    if composite == "epsilon_gamma_box":
        # Behind the rectifier no relevance lies on outputs below zero.
        more = (two + 0.25 * up) * hidden
        relevance = handed(more, b2 + 0.25 * b2.clamp(min=0), relevance)
        below = one * x - one.clamp(min=0) * low.flatten() - one.clamp(max=0) * high.flatten()
        return handed(below, b1 - b1.clamp(min=0) - b1.clamp(max=0), relevance).view(inputs.shape)
    plus = handed(up * hidden, b2.clamp(min=0), relevance)
    minus = handed(down * hidden, b2.clamp(max=0), relevance)
    relevance = plus if composite == "epsilon_plus_flat" else 2 * plus - minus
    return handed((one != 0).double(), b1 * 0, relevance).view(inputs.shape)


@pytest.mark.parametrize("composite", COMPOSITES)
def test_it_is_the_formula(composite: Any) -> None:
    torch.manual_seed(0)
    module = Plain().double()
    net = pl.Network(module, size=4, mean=[0.4, 0.5, 0.6], std=[0.2, 0.3, 0.25])
    photo = torch.rand(3, 4, 4)
    inputs, _ = net.prepare(pl.open_image(photo))
    low, high = (
        net.preprocess.normalise(torch.full((3, 4, 4), end))[None].double() for end in (0.0, 1.0)
    )
    made = pl.lrp(net, photo, target=1, composite=composite, reduce="colour").values
    with torch.no_grad():
        wanted = slowly(module, inputs, low, high, composite).float()
    assert bool(wanted.any())
    torch.testing.assert_close(made, wanted, rtol=1e-5, atol=1e-7)


class Inside(nn.Module):
    """Normalises the photo itself, as GoogLeNet does, and turns its colours round."""

    def __init__(self, rest: nn.Module) -> None:
        super().__init__()
        self.rest = rest

    def forward(self, x: Tensor) -> Tensor:
        red, green, blue = ((x[:, n : n + 1] - 0.4) / (0.2 + 0.1 * n) for n in (2, 1, 0))
        return self.rest(F.pad(torch.cat([red, green, blue], 1), (0, 0, 0, 0)))


@pytest.mark.parametrize("composite", COMPOSITES)
def test_what_is_done_to_the_photo_first_makes_no_difference(composite: Any) -> None:
    torch.manual_seed(1)
    module = Plain().double()
    photo = torch.rand(3, 4, 4)
    outside = pl.Network(module, size=4, mean=[0.4] * 3, std=[0.4, 0.3, 0.2])
    inside = pl.Network(Inside(module), size=4, mean=[0.0] * 3, std=[1.0] * 3)
    settings = {"target": 0, "composite": composite, "reduce": "colour"}
    wanted = pl.lrp(outside, photo.flip(0), **settings).values.flip(1)
    torch.testing.assert_close(pl.lrp(inside, photo, **settings).values, wanted)


def test_several_targets_and_photos(bundled: pl.Network) -> None:
    photos = ("photo:cat", "photo:rocket")
    wanted = ["class:3", "relu4:52", lambda seen: seen["relu5"][:, 124].amax((1, 2))]
    maps = pl.lrp(bundled, photos, target=wanted)
    for row, photo in enumerate(photos):
        for column, target in enumerate(wanted):
            alone = pl.lrp(bundled, photo, target=target)
            assert torch.equal(maps[row, column].values, alone.values)
            assert float(alone.values.abs().max()) > 0
    best = pl.lrp(bundled, photos)
    name = pl.predict(bundled, "photo:rocket", top=1).names[0]
    assert name in best.captions[1][0]


def test_a_neuron_is_explained_inside_its_field(bundled: pl.Network) -> None:
    found = pl.lrp(bundled, "photo:cat", target="relu4:52@7,7").values
    box = fields(bundled.module, bundled.blank())["relu4"].box(7, 7)
    inside = torch.zeros_like(found, dtype=torch.bool)
    inside[box.top : box.bottom, box.left : box.right] = True
    assert float(found[~inside].abs().sum()) == 0 < float(found[inside].abs().sum())


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_half_precision_is_shared_out_with_digits(kind: torch.dtype) -> None:
    torch.manual_seed(0)
    module = Plain()
    photo = torch.rand(3, 4, 4)
    wanted = pl.lrp(pl.Network(module, size=4), photo, target=1).values
    made = pl.lrp(pl.Network(module.to(kind), size=4), photo, target=1).values
    assert bool(made.isfinite().all())
    assert float((made - wanted).abs().max() / wanted.abs().max()) < 0.1


def test_what_no_pixel_changes_is_told() -> None:
    class Constant(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.mean((2, 3)) * 0 + torch.tensor([1.0, 2.0, 3.0])

    found = pl.lrp(pl.Network(Constant(), size=8), torch.rand(3, 8, 8), target=1)
    assert "zero everywhere, no pixel changes it" in found.caption
    assert found.facts == {"score": 2.0, "arrived": 0.0}
