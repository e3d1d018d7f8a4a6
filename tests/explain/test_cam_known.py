"""Class activation maps where the answer is known: halves, linear heads, objects in a row."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

import pasted
import pellucid as pl
from pasted import share

SLOPED = ["gradcam", "gradcam++", "layercam", "hirescam", "xgradcam"]


class Halves(nn.Module):
    """Two channels that see brightness in the left and in the right half, and a linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.see = nn.Conv2d(3, 2, 1, bias=False)
        self.relu = nn.ReLU()
        self.head = nn.Linear(2, 2)
        nn.init.constant_(self.see.weight, 1)
        nn.init.eye_(self.head.weight)

    def forward(self, x: Tensor) -> Tensor:
        seen = self.see(x)
        sides = torch.zeros_like(seen)
        sides[:, 0, :, :4] = seen[:, 0, :, :4]
        sides[:, 1, :, 4:] = seen[:, 1, :, 4:]
        return self.head(self.relu(sides).mean((2, 3)))


@pytest.mark.parametrize("way", [*SLOPED, "ablationcam"])
def test_each_class_on_its_own_half(way: str) -> None:
    net = pl.Network(Halves(), size=8, mean=[0.0] * 3, std=[1.0] * 3, labels=["left", "right"])
    found = pl.cam(net, torch.ones(3, 8, 8), target=["left", "right"], layer="relu", way=way)
    left, right = found.values[0]
    assert bool((left[:, :4] > 0).all()) and not left[:, 4:].any()
    assert torch.equal(right, left.flip(1))


def test_what_speaks_against_is_cut_off_and_said(cat: pl.Photo) -> None:
    net = pl.Network(Halves(), size=8, mean=[0.0] * 3, std=[1.0] * 3, labels=["left", "right"])
    nn.init.constant_(net.module.head.weight, -1)
    found = pl.cam(net, cat, target="left", layer="relu")
    assert found.caption.endswith(": zero everywhere, nothing there speaks for it")


def test_of_a_linear_head_grad_cam_adds_up_to_the_score(cat: pl.Photo, bundled: pl.Network) -> None:
    """Mean over places, then linear: sum over places of Σ wₖ Aₖ is the score without its bias."""
    net = pl.Network(bundled.module, size=112)
    weight, bias = net.module.classifier.weight, net.module.classifier.bias
    with torch.no_grad(), pl.recording(net, ["relu7"], stop=False) as seen:
        score = net.module(net.prepare(cat)[0])[0, 5]
    maps = seen["relu7"][0]
    evidence = torch.einsum("c,chw->hw", weight[5].detach(), maps) / maps[0].numel()
    torch.testing.assert_close(evidence.sum() + bias[5].detach(), score)
    for way in ("gradcam", "hirescam", "xgradcam"):  # in such a network they are the same
        torch.testing.assert_close(pl.cam(net, cat, target=5, way=way).values, evidence.relu())
    # Without a channel the score loses its weight times its mean.
    found = pl.cam(net, cat, target=5, way="ablationcam").values
    lost = weight[5].detach() * maps.mean((1, 2))
    wanted = torch.einsum("c,chw->hw", lost, maps).relu()
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4 * float(wanted.max()))


def test_the_sum_of_hirescam_and_xgradcam_is_the_same(cat: pl.Photo, bundled: pl.Network) -> None:
    """Of every network: what is cut off is added again by asking for the opposite."""

    def against(seen: Mapping[str, Tensor]) -> Tensor:
        return -seen[""][:, 5]

    sums = {}
    for way in ("hirescam", "xgradcam", "gradcam"):
        both = pl.cam(bundled, cat, target=[5, against], way=way, layer="relu4").values[0]
        sums[way] = float((both[0] - both[1]).double().sum())
    assert sums["hirescam"] == pytest.approx(sums["xgradcam"], rel=1e-4)
    assert abs(sums["gradcam"] - sums["hirescam"]) > 0.1 * abs(sums["hirescam"])


def test_of_a_channel_of_its_own_layer_it_is_the_channel(tiny: pl.Network, cat: pl.Photo) -> None:
    maps = pl.activations(tiny, cat, "block", channel=3).values
    found = pl.cam(tiny, cat, target="block:3", layer="block").values
    torch.testing.assert_close(found, maps.relu() / maps.numel())
    one = pl.cam(tiny, cat, target="block:3@4,6", layer="block", way="layercam").values
    assert float(one[4, 6]) == pytest.approx(float(maps[4, 6]))
    one[4, 6] = 0
    assert not one.any()


# Several at once.


@pytest.mark.parametrize(("left", "right", "classes"), pasted.STOCK)
def test_of_two_objects_each_has_its_half(
    left: str, right: str, classes: list[str], bundled: pl.Network
) -> None:
    """Measured; those that only add up (Grad-CAM++, LayerCAM, Score-CAM) tell less apart."""
    net, photo = pasted.pasted(bundled, left, right)
    least = {"gradcam": 0.8, "guided": 0.85, "gradcam++": 0.55, "layercam": 0.55, "scorecam": 0.5}
    for way, bound in least.items():
        if way == "scorecam" and right != "photo:cat":
            continue  # slow: once is enough
        found = pl.cam(net, photo, target=classes, way=way)
        own = [share(found[0, 0], "left"), share(found[0, 1], "right")]
        assert min(own) > bound, (way, own)


def test_of_two_objects_of_many_kinds_each_has_its_half(bundled: pl.Network) -> None:
    if not pasted.CALTECH.is_dir():
        pytest.skip("the photos of Caltech 101 are not here")
    least = {"gradcam": (0.6, 0.85), "guided": (0.7, 0.9), "gradcam++": (0.55, 0.65)}
    for way, (each, mean) in least.items():
        own = []
        for names in pasted.PAIRS:
            net, photo = pasted.pasted(bundled, *(pasted.CALTECH / name for name in names))
            found = pl.cam(net, photo, target=[name.split("/")[0] for name in names], way=way)
            own += [share(found[0, 0], "left"), share(found[0, 1], "right")]
        assert min(own) > each and sum(own) / len(own) > mean, (way, own)
