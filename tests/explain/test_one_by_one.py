"""Networks that mix the photos of a batch, take only one at a time, or write into it."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from conftest import attentive
from pellucid.explain import curves, evidence

SIZE = 24


class Plain(nn.Module):
    """What the others are for a photo alone."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            self.first, self.second = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.first(x).relu())

    def last(self, x: Tensor) -> Tensor:
        return self.second(x).relu().mean((2, 3))


class Mixing(Plain):
    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x).relu()
        return self.last(x - x.sum(0, keepdim=True) * 0.5)


class Alone(Plain):
    """The same as the mixing one, for a photo alone."""

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.first(x).relu() * 0.5)


class Counting(Plain):
    """By the shape of what it is given."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x * 0.7 if len(x) > 1 else x)


class Single(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).reshape(1, 6)


class Writing(Plain):
    def forward(self, x: Tensor) -> Tensor:
        x.sub_(0.1).div_(1.1)
        return super().forward(x)


class Copying(Plain):
    """The same as the writing one, on a copy of its own."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward((x - 0.1) / 1.1)


def network(module: nn.Module) -> pl.Network:
    return pl.Network(module, size=SIZE, mean=[0.4] * 3, std=[0.3] * 3)


ASKED: dict[str, Callable[[pl.Network], Any]] = {
    "occlusion": lambda net: pl.occlusion(net, "photo:cat", target=1, window=7, stride=3),
    "rise": lambda net: pl.rise(net, "photo:cat", target=1, masks=24, measure="score"),
    "integrated": lambda net: pl.integrated(net, "photo:cat", target=1, steps=5),
    "smooth": lambda net: pl.saliency(net, "photo:cat", target=1, smooth=3),
    "scorecam": lambda net: pl.cam(net, "photo:cat", target=1, way="scorecam", layer="first"),
    "ablationcam": lambda net: pl.cam(
        net, "photo:cat", target=1, way="ablationcam", layer="second"
    ),
    "trust": lambda net: pl.trust(net, "saliency", "photo:cat", target=1),
    "segment": lambda net: pl.segment(net, "photo:cat", target=1),
    "two photos' layers": lambda net: pl.cam(net, ("photo:cat", "photo:flower"), layer="first"),
    "two photos": lambda net: pl.saliency(net, ("photo:cat", "photo:flower")),
}
PAIRS = {
    "mixing": (Mixing, Alone),
    "counting": (Counting, Plain),
    "single": (Single, Plain),
    "writing": (Writing, Copying),
}


@pytest.mark.parametrize("what", ASKED)
@pytest.mark.parametrize("kind", PAIRS)
def test_the_answer_is_that_for_each_photo_alone(kind: str, what: str) -> None:
    awkward, plain = (ASKED[what](network(module())) for module in PAIRS[kind])
    torch.testing.assert_close(awkward.values, plain.values, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("module", "says"),
    [
        (Mixing, "one by one: the network mixes what is given together"),
        (Counting, "one by one: the network mixes what is given together"),
        (Single, "one by one: the network takes no more at a time"),
    ],
)
def test_occlusion_says_so(module: type[Plain], says: str) -> None:
    found = pl.occlusion(network(module()), "photo:cat", target=1, window=7, stride=3, detail=1)
    assert found.caption.endswith(says)


def test_photos_are_left_as_they_were() -> None:
    net = network(Writing())
    inputs, _ = net.prepare(pl.open_image("photo:cat"))
    before = inputs.clone()
    net.scores(inputs)
    net.neurons(inputs, net.unit("first:2"))
    assert torch.equal(inputs, before)


def test_a_curve_is_traced_in_halves_where_memory_is_short() -> None:
    sizes = []

    def score(images: Tensor) -> Tensor:
        sizes.append(len(images))
        if len(images) > 4:
            raise torch.OutOfMemoryError("full")
        return images.mean((1, 2, 3))

    image = torch.ones(1, 1, 4, 4)
    found = curves.deletion(score, image, torch.arange(16), 16)
    assert found.values == pytest.approx([1 - piece / 16 for piece in range(17)])
    assert sizes[:3] == [17, 8, 4]


def test_attention_is_rolled_out_photo_by_photo() -> None:
    photos = ("photo:cat", "photo:flower", "photo:coffee")
    grey = {"size": (20, 28), "mean": [0.4], "std": [0.3]}
    wanted = pl.rollout(pl.Network(attentive(), **grey), photos).values
    lonely = attentive()
    lonely.register_forward_pre_hook(lambda _part, given: given[0].view(1, 1, 20, 28))
    torch.testing.assert_close(pl.rollout(pl.Network(lonely, **grey), photos).values, wanted)


@pytest.mark.parametrize("way", ["gradcam", "guided", "scorecam"])
def test_more_photos_than_fit_are_taken_in_turns(way: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = ("photo:cat", "photo:flower", "photo:coffee")
    net = network(Plain())
    wanted = pl.cam(net, photos, target=(1, 2), way=way, layer="first").values
    monkeypatch.setitem(evidence.MOST_NUMBERS, "cpu", 2 * 3 * SIZE * SIZE)
    sizes: list[int] = []
    net.module.register_forward_hook(lambda _part, inputs, _out: sizes.append(len(inputs[0])))
    found = pl.cam(net, photos, target=(1, 2), way=way, layer="first").values
    torch.testing.assert_close(found, wanted)
    assert sizes[:3] == [2, 1, 1], "two, one of them alone to compare, and the third"
