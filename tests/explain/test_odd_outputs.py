"""Networks that answer with a map, a single number, a dict; or that want more than a photo."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl

SIZE = 24


class Head(nn.Module):
    """A convolution and what is made of it."""

    def __init__(self, made: Callable[[Tensor], Any], channels: int = 4) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            self.conv = nn.Conv2d(3, channels, 5)
        self.made = made

    def forward(self, x: Tensor) -> Any:
        return self.made(self.conv(x).relu())


def network(module: nn.Module) -> pl.Network:
    return pl.Network(module, size=SIZE, mean=[0.4] * 3, std=[0.3] * 3)


def mean(x: Tensor) -> Tensor:
    return x.mean((2, 3))


METHODS: dict[str, Callable[[pl.Network], Any]] = {
    "saliency": lambda net: pl.saliency(net, "photo:cat"),
    "cam": lambda net: pl.cam(net, "photo:cat"),
    "occlusion": lambda net: pl.occlusion(net, "photo:cat", window=7, stride=5),
    "segment": lambda net: pl.segment(net, "photo:cat"),
    "trust": lambda net: pl.trust(net, "saliency", "photo:cat"),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "made", [lambda x: x.flatten(2), lambda x: {"out": x[..., None]}, lambda x: x.mean((1, 2, 3))]
)
def test_without_class_scores_a_unit_has_to_be_named(method: str, made: Any) -> None:
    with pytest.raises(
        pl.PellucidError, match=r"not a row of class scores nor a map.*; ask for a unit"
    ):
        METHODS[method](network(Head(made)))


def test_of_an_only_class_the_score_is_told() -> None:
    """Its share of all classes is 1 under every mask."""
    net = network(Head(mean, 1))
    found = pl.occlusion(net, "photo:cat", window=7, stride=3)
    assert found.caption.startswith("score of class:0: ")
    assert float(found.values.max() - found.values.min()) > 0.01
    judged = pl.trust(net, "saliency", "photo:cat")
    assert "whose score is" in judged.caption or "score" in judged.protocol
    assert judged.judgement.clean == pytest.approx(float(net.scores(net.prepare(
        pl.open_image("photo:cat"))[0]).detach()[0, 0]))  # fmt: skip
    told = pl.predict(net, "photo:cat").caption
    assert told.endswith("; Head knows no other class, so that its share is 100% whatever it sees")


def test_of_a_dict_the_logits_are_the_scores() -> None:
    net = network(Head(lambda x: {"features": x, "logits": mean(x)}))
    assert net.classes == 4
    twin = network(Head(mean))
    found, wanted = (pl.saliency(one, "photo:cat", target=2).values for one in (net, twin))
    assert torch.equal(found, wanted)


def test_a_second_input_is_asked_for_in_words() -> None:
    class Two(Head):
        def forward(self, x: Tensor, other: Tensor) -> Tensor:  # type: ignore[override]
            return mean(self.conv(x) + other)

    with pytest.raises(pl.PellucidError, match=r"does not take an input of .*other"):
        pl.saliency(network(Two(mean)), "photo:cat")


def test_an_empty_map_of_several_photos_where_one_at_a_time_is_taken() -> None:
    net = network(Head(lambda x: 0 * mean(x).view(1, 4)))
    found = pl.saliency(net, ("photo:cat", "photo:flower"))
    assert all("scores all classes alike" in one.caption for one in found)


def test_one_object_is_cut_out_at_a_time() -> None:
    with pytest.raises(pl.PellucidError, match=r"one object is cut out at a time: .* not 2"):
        pl.segment(network(Head(mean)), "photo:cat", target="0; 1")


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({}, "0.[0-9]+$"),
        ({"noise": 0.3}, "on a noisy copy"),
        ({"smooth": 3}, "on average of 3 noisy copies"),
    ],
)
def test_noise_is_told(how: dict[str, Any], told: str) -> None:
    found = pl.saliency(network(Head(mean)), "photo:cat", target=1, **how)
    assert re.search(told, found.caption), found.caption


def test_a_photo_that_is_its_own_baseline_is_told() -> None:
    net = pl.Network(Head(mean), size=SIZE, mean=[0.0] * 3, std=[1.0] * 3)
    net.module.conv.bias.data.fill_(1.0)  # or nothing there would change it
    black = torch.zeros(3, 30, 30)
    told = "zero everywhere, the photo is what it is compared with"
    assert told in pl.integrated(net, black, target=1, baseline="black").caption
    assert told in pl.input_x_gradient(net, black, target=1).caption
    assert "zero" not in pl.saliency(net, black, target=1).caption
    net.module.conv.weight.data.zero_()
    assert "no pixel changes it" in pl.integrated(net, "photo:cat", target=1).caption


def test_layers_that_are_not_there_yet_are_asked_for() -> None:
    lazy = nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(3))
    with pytest.raises(pl.PellucidError, match="lazy layers, which have no weights before"):
        network(lazy)
    lazy(torch.zeros(1, 3, SIZE, SIZE))
    assert pl.saliency(network(lazy), "photo:cat").values.isfinite().all()


def test_pixels_are_deleted_one_by_one_at_most() -> None:
    found = pl.trust(network(Head(mean)), "saliency", "photo:cat", target=1, pieces=10**6)
    assert f"{SIZE * SIZE} pieces of the pixels" in found.caption
    assert found.judgement.curves is not None
    assert len(found.judgement.curves.deletion.values) == SIZE * SIZE + 1
    whole = pl.trust(network(Head(mean)), "saliency", "photo:cat", target=1, pieces=1)
    assert ", 1 piece of the pixels, " in whole.caption


@pytest.mark.parametrize("how", [{"smooth": 2}, {"fill": "noise"}, {"baseline": "noise"}])
def test_noise_is_the_same_whatever_torch_takes_for_usual(how: dict[str, Any]) -> None:
    ask = {"smooth": pl.saliency, "fill": pl.occlusion, "baseline": pl.integrated}[next(iter(how))]
    net = network(Head(mean))
    wanted = ask(net, "photo:cat", target=1, **how).values
    torch.set_default_dtype(torch.float64)
    try:
        found = ask(net, "photo:cat", target=1, **how).values
    finally:
        torch.set_default_dtype(torch.float32)
    torch.testing.assert_close(found, wanted)


class Raises(nn.Module):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def forward(self, x: Tensor) -> Tensor:
        raise self.error


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (KeyError("meta"), r"\(KeyError: 'meta'\)"),
        (AttributeError("no x"), r"\(AttributeError: no x\)"),
        (AssertionError("4 channels"), r"\(AssertionError: 4 channels\)"),
        (RuntimeError("4 channels"), r"\(4 channels\)"),
    ],
)
def test_what_a_network_raises_of_its_input_is_told(error: Exception, says: str) -> None:
    net = pl.Network(Raises(error), size=8)
    asks: list[Callable[[], Any]] = [
        lambda: pl.saliency(net, "photo:cat"),
        lambda: pl.saliency(net, "photo:cat", target=lambda seen: seen[""].sum(1)),
        lambda: pl.rollout(net, "photo:cat"),
    ]
    for ask in asks:
        with pytest.raises(pl.PellucidError, match=r"does not take an input of 3 x 8 x 8 " + says):
            ask()


@pytest.mark.parametrize("output", ["a cat", None, 3])
def test_an_output_that_is_no_tensor(output: object) -> None:
    class Tells(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> object:
            self.conv(x)
            return output

    net = pl.Network(Tells(), size=8)
    for ask in (pl.predict, pl.saliency, pl.cam, pl.occlusion):
        with pytest.raises(pl.PellucidError, match=r"Tells does not put out a tensor"):
            ask(net, "photo:cat")
    assert pl.saliency(net, "photo:cat", target="conv:1").values.any()
