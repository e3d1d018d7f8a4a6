"""Explanations of a network that answers place by place: where it is known, and beside the peers.

pytorch-grad-cam adds the scores of a mask up where pellucid takes their mean, so that its maps are
compared by their shape. Captum is given a module around the network, as in its tutorial on
segmentation, that adds up each class's scores where it wins.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam, Saliency
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import SemanticSegmentationTarget
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
import segmenter

# What draws a map, and how many times more of it lies on the shape than would by area.
MAPS: dict[str, tuple[Callable[..., Any], float]] = {
    "saliency": (pl.saliency, 3),
    "input_x_gradient": (pl.input_x_gradient, 3),
    "integrated": (pl.integrated, 2),  # the baseline is black, and the ground is not
    "deeplift": (partial(pl.deeplift, reduce="max"), 2),
    "guided": (pl.guided, 3),
    "deconv": (pl.deconv, 3),
    "lrp": (partial(pl.lrp, reduce="max"), 3),
    "cam": (pl.cam, 2),
    "cam:layercam": (partial(pl.cam, way="layercam"), 3),
    "cam:scorecam": (partial(pl.cam, way="scorecam"), 1.5),
    "occlusion": (partial(pl.occlusion, window=8, stride=4), 2),
}


@pytest.fixture(scope="module")
def net() -> pl.Network:
    return segmenter.network()


@pytest.fixture(scope="module")
def some() -> segmenter.Scenes:
    return segmenter.scenes(8, torch.Generator().manual_seed(20))


def shown(some: segmenter.Scenes, name: str) -> list[int]:
    """Photos with such a shape."""
    number = segmenter.NAMES.index(name)
    return [row for row, answers in enumerate(some.answers) if (answers == number).any()]


def around(some: segmenter.Scenes, row: int, name: str) -> Tensor:
    """1 on the shape and 4 px around it."""
    inside = (some.answers[row] == segmenter.NAMES.index(name)).float()
    return F.max_pool2d(inside[None, None], 9, 1, 4)[0, 0]


@pytest.mark.parametrize("method", MAPS)
def test_what_is_said_of_a_shape_lies_on_it(
    method: str, net: pl.Network, some: segmenter.Scenes
) -> None:
    """Of two shapes in the photo the one that is asked about, and more than by area."""
    draw, least = MAPS[method]
    for name in ("disc", "cross"):
        shares, sizes = [], []
        for row in shown(some, name)[:3]:
            found = draw(net, some.photo(row), target=name)
            fall = found.values if found.clean is None else found.clean - found.values
            strong = F.interpolate(fall.clamp(min=0)[None, None], (48, 48), mode="bilinear")[0, 0]
            there = around(some, row, name)
            shares.append(float((strong * there).sum() / strong.sum()))
            sizes.append(float(there.mean()))
            assert "places where it wins" in found.caption
        assert sum(shares) > least * sum(sizes), (name, shares, sizes)


def test_masks_ask_about_the_same_places(net: pl.Network, some: segmenter.Scenes) -> None:
    """The twin: masks laid by hand, and the mean share over the places of the photo without."""
    row = shown(some, "ring")[0]
    photo = some.photo(row)
    found = pl.occlusion(net, photo, target="ring", window=12, stride=12, fill="zero")
    inputs, _ = net.prepare(pl.open_image(photo))
    with torch.no_grad():
        there = net.scores(inputs)[0].argmax(0) == 3
        clean = net.scores(inputs).softmax(1)[0, 3][there].mean()
        for down, across in np.ndindex(*found.values.shape):
            masked = inputs.clone()
            top, left = (12 * at - 6 + 6 * (48 % 12 == 0) for at in (down, across))
            masked[:, :, max(0, top) : top + 12, max(0, left) : left + 12] = 0
            wanted = net.scores(masked).softmax(1)[0, 3][there].mean()
            assert float(found.values[down, across]) == pytest.approx(float(wanted), abs=1e-5)
    assert found.clean == pytest.approx(float(clean), abs=1e-6)
    assert found.caption.startswith("probability of class:ring: ")
    assert "; probability is the mean over the " in found.caption


def test_relevance_adds_up_to_the_score(some: segmenter.Scenes) -> None:
    """Without biases nothing is lost on the way."""
    torch.manual_seed(0)
    parts = nn.Conv2d(3, 6, 3, bias=False), nn.ReLU(), nn.Conv2d(6, 4, 3, bias=False)
    net = pl.Network(nn.Sequential(*parts, nn.Upsample(scale_factor=2, mode="bilinear")), size=20)
    found = pl.lrp(net, some.photo(0), composite="epsilon_plus_flat")
    assert found.facts["arrived"] == pytest.approx(found.facts["score"], rel=1e-3)


def test_several_photos_and_classes_are_as_each_alone(
    net: pl.Network, some: segmenter.Scenes
) -> None:
    photos = tuple(map(some.photo, range(3)))
    for method in (pl.saliency, pl.occlusion):
        together = method(net, photos, target="disc; ring; disc@12,12")
        for row, column in np.ndindex(3, 3):
            name = ("disc", "ring", "disc@12,12")[column]
            alone = method(net, photos[row], target=name)
            torch.testing.assert_close(together[row, column].values, alone.values)
            assert together[row, column].caption == alone.caption
    chosen = pl.saliency(net, photos)
    for row, one in enumerate(chosen):
        torch.testing.assert_close(one.values, pl.saliency(net, photos[row]).values)
        assert one.caption.endswith("of all classes but background it has the largest area")


def test_where_it_wins_nowhere_it_is_asked_everywhere(net: pl.Network) -> None:
    found = pl.saliency(net, torch.full((3, 48, 48), 0.5), target="ring")
    assert "the mean over all 24 x 24 places, for it wins at none" in found.caption


def test_one_place(net: pl.Network, some: segmenter.Scenes) -> None:
    """The gradient of one place is that of its score, by hand."""
    found = pl.saliency(net, some.photo(0), target=pl.Unit("class", 1, (7, 9), label="disc"))
    inputs, _ = net.prepare(pl.open_image(some.photo(0)))
    inputs.requires_grad_()
    (slope,) = torch.autograd.grad(net.scores(inputs)[0, 1, 7, 9], inputs)
    torch.testing.assert_close(found.values, slope.abs().amax(1)[0])
    assert "class:disc@7,9" in found.caption and "mean over" not in found.caption


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_other_precisions(dtype: torch.dtype, some: segmenter.Scenes) -> None:
    net = segmenter.network()
    exact = pl.saliency(net, some.photo(0), target="disc").values
    other = net.with_module(segmenter.Segmenter().eval().to(dtype))
    other.module.load_state_dict(net.module.state_dict())
    found = pl.saliency(other, some.photo(0), target="disc").values
    near = 1e-4 if dtype == torch.float64 else 0.2
    assert float((found - exact).abs().max() / exact.max()) < near
    assert pl.occlusion(other, some.photo(0), target="disc").values.isfinite().all()


def test_scores_that_are_no_numbers_are_refused(some: segmenter.Scenes) -> None:
    net = segmenter.network()
    broken = net.with_module(segmenter.Segmenter().eval())
    broken.module.load_state_dict(net.module.state_dict())
    broken.module.head.bias.data[1] = float("nan")
    for method in (pl.saliency, pl.occlusion, pl.cam, pl.lrp):
        with pytest.raises(pl.PellucidError, match=r"class:disc.* is nan"):
            method(broken, some.photo(0), target="disc")


def test_an_explanation_is_judged_at_the_same_places(
    net: pl.Network, some: segmenter.Scenes
) -> None:
    """Shuffled networks win elsewhere; they are asked where the trained one wins."""
    row = shown(some, "disc")[0]
    found = pl.trust(net, "saliency", some.photo(row), target="disc", stages=3, samples=2)
    curves = found.judgement.curves
    assert "; probability is the mean over the " in found.caption
    assert " The probability is the mean over the " in found.protocol
    assert found.protocol.endswith("which holds their maps to the same place.")
    inputs, _ = net.prepare(pl.open_image(some.photo(row)))
    scores = net.scores(inputs)[0]
    there = scores.argmax(0) == 1
    assert curves.deletion.values[0] == pytest.approx(
        float(scores.detach().softmax(0)[1][there].mean()), abs=1e-5
    )
    assert found.judgement.curves.deletion.area < found.judgement.bases.random.deletion.area
    # It stays where it was asked for, which is no failure; one that is elsewhere has changed.
    randomised = found.judgement.badges[0]
    assert (randomised.mark, randomised.words) == ("fair", "stays in place")
    assert "holds the map there" in found.judgement.meaning(randomised)
    moved = replace(found.judgement, correlations=(0.1, 0.1, 0.1))
    assert (moved.badges[0].mark, moved.badges[0].words) == ("good", "changes")


def test_one_place_is_judged_there(net: pl.Network, some: segmenter.Scenes) -> None:
    row = shown(some, "disc")[0]
    inputs, _ = net.prepare(pl.open_image(some.photo(row)))
    shares = net.scores(inputs)[0].detach().softmax(0)[1]
    down, across = divmod(int(shares.argmax()), 24)
    name = f"disc@{down},{across}"
    found = pl.trust(net, "saliency", some.photo(row), target=name, stages=1, samples=1, pieces=4)
    assert found.target == f"class:{name}"
    assert found.judgement.curves.deletion.values[0] == pytest.approx(float(shares.max()), abs=1e-5)
    alone = pl.saliency(net, some.photo(row), target=name)
    torch.testing.assert_close(found.judgement.heatmap.values, alone.values)


def test_compare_leaves_out_nothing_but_what_needs_attention(
    net: pl.Network, some: segmenter.Scenes
) -> None:
    found = pl.compare(net, some.photo(0), target="disc", stages=1, samples=1, pieces=4)
    assert set(found.failed) <= {"attention", "rollout"}


class Added(nn.Module):
    """Captum's tutorial: the scores of each class, added up where it wins."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        scores = self.module(x)
        where = torch.zeros_like(scores).scatter_(1, scores.argmax(1, keepdim=True), 1)
        return (scores * where).sum((2, 3))


@pytest.mark.parametrize("name", ["disc", "cross"])
def test_equal_to_the_peers(name: str, net: pl.Network, some: segmenter.Scenes) -> None:
    number, row = segmenter.NAMES.index(name), shown(some, name)[0]
    inputs, _ = net.prepare(pl.open_image(some.photo(row)))
    with torch.no_grad():
        mask = (net.scores(inputs)[0].argmax(0) == number).float()
    size = float(mask.sum())
    module = net.module
    ours = pl.cam(net, some.photo(row), target=name, layer="wide.2").values
    with GradCAM(model=module, target_layers=[module.wide[2]]) as peer:
        peer(inputs, [SemanticSegmentationTarget(number, mask.numpy())])
        features = torch.as_tensor(peer.activations_and_grads.activations[0])
        slopes = torch.as_tensor(peer.activations_and_grads.gradients[0])
        theirs = peer.get_cam_image(
            inputs, module.wide[2], None, features.numpy(), slopes.numpy(), False
        )
    near(ours, torch.as_tensor(theirs)[0].relu() / size)
    added = Added(module)
    captum = LayerGradCam(added, module.wide[2]).attribute(inputs, target=number)
    near(ours, captum[0, 0].detach().relu() / size)
    slope = Saliency(added).attribute(inputs.requires_grad_(), target=number, abs=True)
    near(pl.saliency(net, some.photo(row), target=name).values, slope[0].amax(0) / size)


def near(ours: Tensor, theirs: Tensor) -> None:
    """To 1e-4 of the greatest number."""
    assert float((ours - theirs).abs().max()) <= 1e-4 * float(theirs.max())
