"""DeepLIFT: by the formula, Captum's where that keeps the sum, and where answers are known."""

import copy
import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from captum.attr import DeepLift
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import SwinTransformer, VisionTransformer

import pellucid as pl
import planted
from lively import lively
from pellucid.explain.baseline import baseline_of

SIDES = {"pane": 112, "vgg11_bn": 64, "squeezenet1_1": 80, "regnet_x_400mf": 64}


class Saturated(nn.Module):
    """The paper's own example: one minus what is left of one once both parts of a + b are gone."""

    def forward(self, x: Tensor) -> Tensor:
        both = x[:, 0, 0, 0] + x[:, 0, 0, 1]
        return (1 - F.relu(1 - both))[:, None]


def test_the_paper_s_example() -> None:
    """Each is enough, so that the gradient of neither is left; by DeepLIFT each has a half."""
    net = pl.Network(Saturated(), size=(1, 2), mean=[0.0] * 3, std=[1.0] * 3)
    ones = torch.ones(3, 1, 2)
    assert not bool(pl.saliency(net, ones, target="0").values.any())
    made = pl.deeplift(net, ones, target="0")
    assert torch.equal(made.values, torch.tensor([[0.5, 0.5]]))
    assert made.facts == {"difference": 1.0, "completeness_error": 0.0}


def test_all_lies_on_the_evidence_of_a_planted_network() -> None:
    net, photo = planted.network(), planted.photo()
    for dot, other in (("left", "right"), ("right", "left")):
        made = pl.deeplift(net, photo, target=dot)
        assert planted.share(made.values, dot) > 0.999
        assert planted.share(made.values, other) < 0.001


class Apart(nn.Module):
    """Does nothing, but puts out another tensor than it was given.

    Where a module is given the very tensor that another put out, Captum's hook on the one sees the
    multipliers before its hook on the other has changed them: they are the plain gradient then.
    """

    def forward(self, x: Tensor) -> Tensor:
        return x * 1


def captums(module: nn.Module, inputs: Tensor, start: Tensor, target: int) -> tuple[Tensor, float]:
    """Its map and its own completeness error."""
    copied = copy.deepcopy(module)
    with torch.enable_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its hooks
        found, error = DeepLift(copied).attribute(
            inputs, start, target=target, return_convergence_delta=True
        )
    return found.detach(), float(error)


def tidied(module: nn.Module) -> nn.Module:
    """The same layers as Captum can keep the sum of: pools do not overlap, modules lie apart."""
    module = copy.deepcopy(module)
    for part in list(module.modules()):
        for name, child in list(part.named_children()):
            if isinstance(child, nn.MaxPool2d):
                setattr(part, name, nn.Sequential(Apart(), nn.MaxPool2d(2), Apart()))
    return module


@pytest.fixture(scope="module", params=SIDES)
def tidy(request: pytest.FixtureRequest) -> Iterator[pl.Network]:
    net = pl.load(device="cpu") if request.param == "pane" else lively(request.param, 64)
    module = tidied(copy.deepcopy(net.module)).double().eval()
    size, mean, std = SIDES[request.param], net.preprocess.mean, net.preprocess.std
    yield pl.Network(module, size=size, mean=mean, std=std)


def test_it_is_captums(tidy: pl.Network) -> None:
    inputs = tidy.prepare(pl.open_image("photo:cat"))[0]
    wanted, error = captums(tidy.module, inputs, baseline_of("blur", inputs, tidy.preprocess), 3)
    made = pl.deeplift(tidy, "photo:cat", target="3", baseline="blur", reduce="colour")
    assert abs(error) < 1e-9 and abs(made.facts["completeness_error"]) < 1e-9
    away = (made.values - wanted.float()).abs().max() / wanted.abs().max()
    assert float(away) < 1e-6


@pytest.mark.parametrize("kind", [nn.ELU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh, nn.Softplus])
def test_other_activations_are_captums(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 6, 3), kind(), nn.AvgPool2d(2), nn.Conv2d(6, 5, 2), nn.MaxPool2d(2)]
    layers += [nn.Flatten(), nn.Linear(20, 8), kind(), nn.Linear(8, 4)]
    net = pl.Network(nn.Sequential(*layers).double(), size=12)
    inputs = net.prepare(pl.open_image("photo:cat"))[0]
    wanted, _ = captums(net.module, inputs, torch.zeros_like(inputs), 2)
    made = pl.deeplift(net, "photo:cat", target=2, baseline="zero", reduce="colour")
    torch.testing.assert_close(made.values, wanted.float())


def transformer(kind: str) -> nn.Module:
    """Small ones of torchvision's; its heads begin at zero."""
    torch.manual_seed(0)
    if kind == "vit":
        sizes = {"hidden_dim": 24, "mlp_dim": 48, "num_classes": 5}
        module: nn.Module = VisionTransformer(32, 8, 2, 3, **sizes)
        nn.init.normal_(module.heads.head.weight)  # type: ignore[union-attr, arg-type]
        return module
    return SwinTransformer([4, 4], 24, [2, 2], [2, 4], [4, 4], num_classes=5)


# How much of the difference of the scores Captum's map does not add up to, at least.
LOST = {
    "squeezenet1_1": 0.5,
    "densenet121": 0.5,
    "mobilenet_v3_small": 0.9,
    "vit": 0.01,
    "swin": 0.3,
}


@pytest.mark.parametrize("name", [*LOST, "resnet18"])
def test_the_map_adds_up_where_captums_does_not(name: str) -> None:
    """Functions, pools that overlap, pools behind rectifiers, modules used twice, gates, norms."""
    made = transformer(name) if name in ("vit", "swin") else lively(name, 64).module
    module = copy.deepcopy(made).eval()
    net = pl.Network(module, size=32 if name in ("vit", "swin") else 64)
    found = pl.deeplift(net, "photo:cat", target="3", baseline="zero")
    whole = abs(found.facts["difference"])
    assert abs(found.facts["completeness_error"]) < 1e-4 * whole
    assert float(found.values.sum()) == pytest.approx(found.facts["difference"], rel=1e-3)
    inputs = net.prepare(pl.open_image("photo:cat"))[0]
    if name == "resnet18":
        with pytest.raises(RuntimeError, match="used more than once"):
            captums(module, inputs, torch.zeros_like(inputs), 3)
    else:
        _, error = captums(module, inputs, torch.zeros_like(inputs), 3)
        assert abs(error) > LOST[name] * whole
    module.double()
    sharp = pl.deeplift(net, "photo:cat", target="3", baseline="zero")
    assert abs(sharp.facts["completeness_error"]) < 1e-8 * whole


class Gated(nn.Module):
    """A convolution, a rectifier, a pool, a gate, shares: small enough to be counted by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Conv2d(3, 4, 3), nn.Linear(16, 6), nn.Linear(3, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(self.first(x).relu(), 2, 2)
        value, gate = self.second(x.flatten(1)).chunk(2, 1)
        return self.third(value * gate.sigmoid()).softmax(1)


def slowly(module: Gated, photo: Tensor, start: Tensor, target: int) -> Tensor:
    """From the formulas, number by number: multipliers from the answer back to the pixels."""
    seen = []
    for x in (photo, start):
        conv = module.first(x[None])[0]
        rect = conv.relu()
        pool = F.max_pool2d(rect, 2, 2)
        value, gate = module.second(pool.flatten()).chunk(2)
        score = module.third(value * gate.sigmoid())
        seen.append((conv, rect, pool, value, gate, score))
    (conv, rect, pool, value, gate, score), (conv0, rect0, pool0, value0, gate0, score0) = seen
    # A share is exp(score - log of the sum of all exp).
    whole, whole0 = score.exp().sum(), score0.exp().sum()
    one, one0 = score[target] - whole.log(), score0[target] - whole0.log()
    outer = (one.exp() - one0.exp()) / (one - one0)
    logarithm = (whole.log() - whole0.log()) / (whole - whole0)
    m = -outer * logarithm * (score.exp() - score0.exp()) / (score - score0)
    m[target] += outer
    m = m @ module.third.weight
    sigmoid, sigmoid0 = gate.sigmoid(), gate0.sigmoid()
    m_value = m * (sigmoid + sigmoid0) / 2
    m_gate = m * (value + value0) / 2 * (sigmoid - sigmoid0) / (gate - gate0)
    m = (torch.cat([m_value, m_gate]) @ module.second.weight).view(pool.shape)
    m_rect = torch.zeros_like(rect)
    for channel, row, column in torch.cartesian_prod(*map(torch.arange, pool.shape)).tolist():
        window = slice(2 * row, 2 * row + 2), slice(2 * column, 2 * column + 2)
        grows = pool[channel, row, column] > pool0[channel, row, column]
        side = (rect if grows else rect0)[channel][window]
        y, x = divmod(int(side.argmax()), 2)
        step = (rect - rect0)[channel][window][y, x]
        if step:
            rise = (pool - pool0)[channel, row, column]
            m_rect[channel][window][y, x] = m[channel, row, column] * rise / step
    m_conv = m_rect * (rect - rect0) / (conv - conv0)
    blank = torch.zeros_like(photo)[None].requires_grad_()
    (m_photo,) = torch.autograd.grad(module.first(blank), blank, m_conv[None])
    return m_photo[0] * (photo - start)


@pytest.mark.parametrize("baseline", ["black", "noise"])
def test_it_is_the_formula(baseline: Any) -> None:
    torch.manual_seed(0)
    module = Gated().double()
    net = pl.Network(module, size=6)
    photo = torch.rand(3, 6, 6)
    inputs = net.prepare(pl.open_image(photo))[0]
    torch.manual_seed(0)  # for the noise, as the method has it
    start = baseline_of(baseline, inputs, net.preprocess)
    wanted = slowly(module, inputs[0], start[0], 1).detach()
    made = pl.deeplift(net, photo, target=1, baseline=baseline, reduce="colour").values[0]
    torch.testing.assert_close(made, wanted.float(), rtol=1e-5, atol=1e-7)


def test_several_targets_and_photos(bundled: pl.Network) -> None:
    photos = ("photo:cat", "photo:rocket")
    wanted = [
        "class:3",
        "relu4:52",
        "relu4:52@7,7",
        lambda seen: seen["relu5"][:, 124].amax((1, 2)),
    ]
    maps = pl.deeplift(bundled, photos, target=wanted)
    for row, photo in enumerate(photos):
        for column, target in enumerate(wanted):
            alone = pl.deeplift(bundled, photo, target=target)
            assert torch.equal(maps[row, column].values, alone.values)
            assert float(alone.values.abs().max()) > 0
            whole = alone.facts["difference"]
            assert alone.facts["completeness_error"] == pytest.approx(0, abs=1e-4 * abs(whole))


def test_the_sum_is_in_the_caption(bundled: pl.Network) -> None:
    made = pl.deeplift(bundled, "photo:cat", target="3")
    inputs = bundled.prepare(pl.open_image("photo:cat"))[0]
    start = bundled.preprocess.normalise(torch.zeros_like(inputs))
    with torch.no_grad(), bundled.at_rest():
        score, other = bundled.scores(torch.cat([inputs, start]))[:, 3].tolist()
    assert made.facts["difference"] == pytest.approx(score - other, rel=1e-5)
    assert score > other
    told = f"it is {score - other:.4g} more than on the baseline (black), the map adds up to "
    assert told + f"{score - other:.4g}" in made.caption
    white = pl.deeplift(bundled, "photo:cat", target="3", baseline="white")
    assert white.facts["difference"] < 0
    assert f"it is {-white.facts['difference']:.4g} less than on the baseline" in white.caption


def test_half_precision_is_lifted_with_digits() -> None:
    torch.manual_seed(0)
    module, photo = Gated(), torch.rand(3, 6, 6)
    wanted = pl.deeplift(pl.Network(module, size=6), photo, target=1)
    made = pl.deeplift(pl.Network(module.bfloat16(), size=6), photo, target=1)
    away = (made.values - wanted.values).abs().max() / wanted.values.abs().max()
    assert float(away) < 0.1
    assert abs(made.facts["completeness_error"]) < 1e-4 * abs(made.facts["difference"])


def test_the_photo_against_itself_is_told(tiny: pl.Network) -> None:
    grey = torch.full((3, 40, 40), 0.5)
    found = pl.deeplift(tiny, grey, target="dog", baseline="mean")
    assert "zero everywhere, the photo is what it is compared with" in found.caption


def test_a_score_that_is_no_number_is_refused() -> None:
    class Logarithm(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.mean((2, 3)).log()

    net = pl.Network(Logarithm(), size=8, mean=[0.0] * 3, std=[1.0] * 3)
    wrong = re.escape("score of class:1 is -inf")
    with pytest.raises(pl.PellucidError, match=wrong):  # on the baseline
        pl.deeplift(net, torch.rand(3, 8, 8), target=1)
