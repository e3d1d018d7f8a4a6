"""Class activation maps beside pytorch-grad-cam's and Captum's.

Compared are the maps on the layer's own grid, cut off at zero, before the peers stretch them from
0 to 1 and enlarge them: to 1e-4 of the greatest number.

Where they differ, the formula judges:

- pytorch-grad-cam adds 1e-6 to the denominator of Grad-CAM++, which drowns gradients smaller than
  about 1e-3: it is compared on a score 10,000 times as large.
- Its Score-CAM enlarges masks by corners instead of centres: its masks are put in place of ours.
- DenseNet's last rectifier works in place on the layer in front of it. Both peers then multiply
  gradients of the one by values of the other.
- Its Ablation-CAM divides by the score, which turns the map of a negative one inside out. And where
  a layer is not rectified it sets a channel to ten million below the lowest number instead of zero:
  what the score then loses is no longer the channel's own.
- Which end of Eigen-CAM's component is up is left to chance there: compared is the line.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import partial

import pytest
import torch
from captum.attr import LayerGradCam
from pytorch_grad_cam import (
    AblationCAM,
    EigenCAM,
    GradCAM,
    GradCAMPlusPlus,
    HiResCAM,
    LayerCAM,
    ScoreCAM,
    XGradCAM,
    ablation_cam,
    ablation_layer,
    score_cam,
)
from pytorch_grad_cam.base_cam import BaseCAM
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import models

import pellucid as pl
from pellucid.explain import scorecam

# The layer compared, and for Score-CAM one of fewer channels: each costs a pass.
LAYERS = {
    "resnet18": ("layer4", "layer1"),
    "vgg11_bn": ("features", "features.2"),
    "densenet121": ("features.denseblock4", "features.pool0"),
    "mobilenet_v2": ("features", "features.6"),
    "squeezenet1_1": ("features", "features.3"),
    "bundled": ("relu7", "relu2"),
}
PEERS = {
    "gradcam": GradCAM,
    "gradcam++": GradCAMPlusPlus,
    "layercam": LayerCAM,
    "scorecam": ScoreCAM,
    "hirescam": HiResCAM,
    "xgradcam": XGradCAM,
}


@pytest.fixture(scope="module", params=LAYERS)
def net(request: pytest.FixtureRequest) -> pl.Network:
    if request.param == "bundled":
        return pl.load(device="cpu")
    torch.manual_seed(0)
    module = getattr(models, request.param)(num_classes=8)
    settle(module)
    return pl.Network(module, size=64, name=request.param)


@torch.no_grad()
def settle(module: nn.Module) -> None:
    """Weights that let a signal through, and statistics of real photos in the batch norms."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(part.weight)
            if part.bias is not None:
                nn.init.normal_(part.bias, std=0.1)
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = None  # the mean of all batches
    known = pl.Network(nn.Identity(), size=64).preprocess
    photos = ["photo:cat", "photo:motorcycle", "photo:rocket", "photo:coffee"]
    pixels = [known.normalise(known.crop(pl.open_image(name))[0]) for name in photos]
    module.train()
    module(torch.stack(pixels))
    module.eval()


@pytest.fixture
def photo() -> str:
    return "photo:horse"


@pytest.fixture
def best(net: pl.Network, photo: str) -> int:
    return net.unit(pl.predict(net, photo, top=1).names[0]).channel


def layer_of(net: pl.Network, few: bool = False) -> str:
    return LAYERS.get(net.name, LAYERS["bundled"])[few]


def of_peer(
    kind: type[BaseCAM], net: pl.Network, photo: str, layer: str, target: Callable[..., Tensor]
) -> Tensor:
    """The peer's map before it is stretched and enlarged."""
    inputs = net.prepare(pl.open_image(photo))[0]
    module = deepcopy(net.module).requires_grad_()
    with kind(model=module, target_layers=[module.get_submodule(layer)]) as peer:
        peer.batch_size = 64
        peer(inputs, [target])
        seen = peer.activations_and_grads
        gradients = seen.gradients[0].numpy() if seen.gradients else None
        # Score-CAM runs the network on: the first record is the photo's.
        maps = seen.activations[0].numpy()
        raw = peer.get_cam_image(inputs, layer, [target], maps, gradients, False)
    return torch.from_numpy(raw)[0].relu()


def same(found: Tensor, wanted: Tensor) -> None:
    assert float(wanted.max()) > 0
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-4 * float(wanted.max()))


def score(number: int, times: float, output: Tensor) -> Tensor:
    return times * output[number]


@pytest.mark.parametrize("way", ["gradcam", "layercam", "hirescam", "xgradcam"])
def test_beside_pytorch_grad_cam(way: str, net: pl.Network, photo: str, best: int) -> None:
    layer = layer_of(net)
    found = pl.cam(net, photo, target=best, layer=layer, way=way).values
    same(found, of_peer(PEERS[way], net, photo, layer, partial(score, best, 1.0)))


def plus_plus(
    net: pl.Network, photo: str, layer: str, best: int, times: float
) -> tuple[Tensor, Tensor]:
    """Ours and the peer's, of a score so many times as large."""

    def larger(seen: Mapping[str, Tensor]) -> Tensor:
        return times * seen[""][:, best]

    found = pl.cam(net, photo, target=larger, layer=layer, way="gradcam++").values
    return found, of_peer(GradCAMPlusPlus, net, photo, layer, partial(score, best, times))


def test_beside_its_plus_plus(net: pl.Network, photo: str, best: int) -> None:
    # DenseNet's last blocks are not rectified, and where Σ A < 0 the paper says nothing.
    layer = layer_of(net, few=net.name == "densenet121")
    same(*plus_plus(net, photo, layer, best, 1e4))


def test_its_plus_plus_drowns_small_gradients(bundled: pl.Network, photo: str) -> None:
    """Of a score that hardly changes α is a half: weights are half the positive gradients."""
    found, of_the_peer = plus_plus(bundled, photo, "relu7", 5, 1e-6)
    weight = bundled.module.classifier.weight[5].detach() * 1e-6
    with torch.no_grad(), pl.recording(bundled, ["relu7"]) as seen:
        bundled.module(bundled.prepare(pl.open_image(photo))[0])
    wanted = torch.einsum("c,chw->hw", weight.relu() / 2, seen["relu7"][0])
    same(found, wanted)
    assert float((of_the_peer / of_the_peer.max() - wanted / wanted.max()).abs().max()) > 0.01


@pytest.fixture
def corners(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Our masks enlarged as the peer enlarges its own."""
    enlarged = partial(F.interpolate)

    def by_corners(*args: object, **kwargs: object) -> Tensor:
        return enlarged(*args, **{**kwargs, "align_corners": True})

    class Functional:
        interpolate = staticmethod(by_corners)

    monkeypatch.setattr(scorecam, "F", Functional)
    monkeypatch.setattr(score_cam.tqdm, "tqdm", lambda batches: batches)  # it prints a bar
    yield


def test_beside_its_score_cam(net: pl.Network, photo: str, best: int, corners: None) -> None:
    layer = layer_of(net, few=True)
    found = pl.cam(net, photo, target=best, layer=layer, way="scorecam").values
    wanted = of_peer(ScoreCAM, net, photo, layer, partial(score, best, 1.0))
    # Channels that mark nothing are in its softmax and not in ours: a factor.
    same(found / found.max(), wanted / wanted.max())


def ablated(net: pl.Network, photo: str, layer: str, target: Callable[..., Tensor]) -> Tensor:
    """The peer's weights of the channels, and the map before it is cut off."""
    inputs = net.prepare(pl.open_image(photo))[0]
    module = deepcopy(net.module)
    part = module.get_submodule(layer)
    kind = partial(AblationCAM, ablation_layer=ablation_layer.AblationLayer())
    with kind(model=module, target_layers=[part]) as peer, torch.no_grad():
        peer.batch_size = 64
        peer.activations_and_grads(inputs)
        maps = peer.activations_and_grads.activations[0].numpy()
        return torch.from_numpy(peer.get_cam_image(inputs, part, [target], maps, None, False))[0]


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bars are not printed."""
    monkeypatch.setattr(ablation_cam.tqdm, "tqdm", lambda batches: batches)


def test_beside_its_ablation_cam(net: pl.Network, photo: str, best: int, silent: None) -> None:
    if net.name == "vgg11_bn":
        pytest.skip("slow, and no other operations than the bundled network's")
    # Rectified; mobilenet's few channels are not.
    layer = "features.0" if net.name == "mobilenet_v2" else layer_of(net, few=True)
    found = pl.cam(net, photo, target=best, layer=layer, way="ablationcam").values
    value = float(net.scores(net.prepare(pl.open_image(photo))[0]).detach()[0, best])
    wanted = ablated(net, photo, layer, partial(score, best, 1.0)) * value
    same(found, wanted.relu())


def test_its_ablation_cam_turns_what_has_a_negative_score(
    bundled: pl.Network, photo: str, silent: None
) -> None:
    scores = bundled.scores(bundled.prepare(pl.open_image(photo))[0]).detach()[0]
    worst = int(scores.argmin())
    assert float(scores[worst]) < 0
    found = pl.cam(bundled, photo, target=worst, layer="relu2", way="ablationcam").values
    wanted = ablated(bundled, photo, "relu2", partial(score, worst, 1.0))
    same(found, (wanted * float(scores[worst])).relu())
    assert float((found * wanted.relu()).sum()) == 0, "where ours is bright, theirs is dark"


def test_its_ablation_cam_of_a_layer_that_is_not_rectified(photo: str, silent: None) -> None:
    """The formula judges."""
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3, 2), nn.Conv2d(6, 6, 3), nn.Tanh(), nn.Flatten(), nn.LazyLinear(3)
    )
    module(torch.zeros(1, 3, 24, 24))
    net = pl.Network(module.eval(), size=24)
    with torch.no_grad():
        maps = module[0](net.prepare(pl.open_image(photo))[0])
        lost = torch.zeros(6)
        for channel in range(6):
            less = maps.clone()
            less[:, channel] = 0
            lost[channel] = (module[1:](maps) - module[1:](less))[0, 1]
    wanted = torch.einsum("c,chw->hw", lost, maps[0])
    found = pl.cam(net, photo, target=1, layer="0", way="ablationcam").values
    same(found, wanted.relu())
    theirs = ablated(net, photo, "0", partial(score, 1, 1.0)).flatten()
    together = torch.corrcoef(torch.stack([theirs, wanted.flatten()]))[0, 1]
    assert abs(float(together)) < 0.99


def test_beside_its_eigen_cam(net: pl.Network, photo: str) -> None:
    layer = layer_of(net)
    found = pl.cam(net, photo, target=0, layer=layer, way="eigencam").values
    with torch.no_grad(), pl.recording(net, [layer]) as seen:
        net.module(net.prepare(pl.open_image(photo))[0])
    maps = seen[layer].numpy()
    wanted = torch.from_numpy(EigenCAM.get_cam_image(None, None, None, None, maps, None, False))[0]
    end = 1 if float((wanted * seen[layer][0].abs().sum(0)).sum()) > 0 else -1
    same(found, (end * wanted).relu())


def test_beside_captum(net: pl.Network, photo: str, best: int) -> None:
    inputs = net.prepare(pl.open_image(photo))[0].requires_grad_()
    peer = LayerGradCam(net.module, net.module.get_submodule(layer_of(net)))
    wanted = peer.attribute(inputs, best, relu_attributions=True)[0, 0].detach()
    same(pl.cam(net, photo, target=best, layer=layer_of(net)).values, wanted)


def test_in_front_of_a_rectifier_in_place_the_formula_judges(photo: str) -> None:
    torch.manual_seed(0)
    module = models.densenet121(num_classes=8)
    settle(module)
    net = pl.Network(module, size=64, name="densenet121")
    inputs = net.prepare(pl.open_image(photo))[0]
    with torch.no_grad():
        maps = module.features(inputs)
    given = maps.clone().requires_grad_()
    value = module.classifier(F.adaptive_avg_pool2d(F.relu(given), 1).flatten(1))[0, 2]
    (slopes,) = torch.autograd.grad(value, given)
    weights = slopes.mean((2, 3))[0]
    wanted = torch.einsum("c,chw->hw", weights, maps[0]).relu()
    same(pl.cam(net, photo, target=2, layer="features").values, wanted)
    with GradCAM(model=module, target_layers=[module.features]) as peer:
        peer(inputs, [partial(score, 2, 1.0)])
        rectified = peer.activations_and_grads.activations[0]
    assert torch.equal(rectified, maps.relu()) and not torch.equal(rectified, maps)
