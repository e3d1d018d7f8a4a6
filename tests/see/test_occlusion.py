"""Occlusion against a slow twin, and what it says of numbers that are none or all the same."""

from typing import Any

import pytest
import torch
from masked import slowly
from PIL import Image
from torch import Tensor, nn

import pellucid as pl
from pellucid.method import Step
from pellucid.see.incremental import answers
from scarce import scarce


@pytest.mark.parametrize("fill", ["mean", "zero", "blur", "noise", "patch"])
@pytest.mark.parametrize(("window", "stride"), [(5, 4), (8, 7), (1, 9), (19, 15)])
def test_is_its_slow_twin(
    fill: Any, window: int, stride: int, tiny: pl.Network, cat: pl.Photo
) -> None:
    found = pl.occlusion(tiny, cat, target="bee", window=window, stride=stride, fill=fill, seed=5)
    wanted = slowly(tiny, cat, 1, window, stride, fill, 5)
    torch.testing.assert_close(found.values, wanted, atol=1e-5, rtol=1e-4)
    assert wanted.numel() == 1 or float(wanted.max() - wanted.min()) > 1e-6


@pytest.mark.parametrize("batch", [1, 3, 1000, None])
def test_the_batch_does_not_matter(batch: int | None, tiny: pl.Network, cat: pl.Photo) -> None:
    wanted = slowly(tiny, cat, 0, 6, 5, "mean", 0)
    found = pl.occlusion(tiny, cat, target="ant", window=6, stride=5, batch=batch)
    torch.testing.assert_close(found.values, wanted, atol=1e-5, rtol=1e-4)


def test_a_memory_that_is_full_halves_the_batch(
    tiny: pl.Network, cat: pl.Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = scarce(tiny, 3, monkeypatch)
    monkeypatch.setattr(answers, "FEW", 1000)  # the plain way
    steps = []
    work = pl.occlusion.steps(tiny, cat, target="ant", window=6, stride=5, batch=8)
    while True:
        try:
            steps.append(next(work))
        except StopIteration as stop:
            found = stop.value
            break
    torch.testing.assert_close(
        found.values, slowly(tiny, cat, 0, 6, 5, "mean", 0), atol=1e-5, rtol=1e-4
    )
    # Two are written down, then the photo is asked about alone, and again among the first masks.
    assert sizes == [2, 1, 8, 4, *[2] * 12, 1]
    assert all(isinstance(step, Step) for step in steps) and steps[-1].done == 24

    def always(_inputs: Tensor) -> Tensor:
        raise torch.OutOfMemoryError("full")

    monkeypatch.setattr(tiny, "scores", always)
    with pytest.raises(torch.OutOfMemoryError):
        pl.occlusion(tiny, cat, target="ant")


def test_scores_and_units_as_they_are(tiny: pl.Network) -> None:
    """A mask in the photo's own colour changes nothing: all values are the clean one."""
    flat = pl.open_image(torch.full((3, 20, 28), 0.5))
    inputs, _ = tiny.prepare(flat)
    with tiny.at_rest(), torch.no_grad():
        score = float(tiny.module(inputs)[0, 2])
        unit = float(tiny.neurons(inputs, tiny.unit("stem.0:3")))
    found = pl.occlusion(tiny, flat, target="cat", measure="score", stride=9)
    torch.testing.assert_close(found.values, torch.full_like(found.values, score))
    assert "and the same under every 4 px mask: nothing that it covers changes it" in found.caption
    found = pl.occlusion(tiny, flat, target="stem.0:3", stride=9)
    torch.testing.assert_close(found.values, torch.full_like(found.values, unit))
    assert found.caption.startswith("activation of stem.0:3")


def test_the_map_is_low_where_the_network_looks() -> None:
    """A network that sees only the square of light needs only the square of light."""

    class Corner(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            light = x[:, 0, 4:8, 16:20].sum((1, 2))
            return torch.stack([light, torch.zeros_like(light)], 1)

    pixels = torch.zeros(3, 24, 24)
    pixels[:, 4:8, 16:20] = 1
    net = pl.Network(Corner(), size=24, mean=[0.0], std=[1.0], labels=["light", "dark"])
    found = pl.occlusion(net, pixels, target="light", window=4, stride=4, fill="zero").values
    assert found.shape == (6, 6)
    assert float(found[1, 4]) == pytest.approx(0.5)
    found[1, 4] = 1
    torch.testing.assert_close(found, torch.ones(6, 6), atol=1e-5, rtol=0)


def test_defaults_fit_the_input(tiny: pl.Network, cat: pl.Photo) -> None:
    found = pl.occlusion(tiny, cat)
    assert found.values.shape == (20, 28)  # a mask of 4 px, a pixel from mask to mask
    assert "under a 4 px mask" in found.caption
    with tiny.at_rest():
        best = tiny.scores(tiny.prepare(cat)[0]).argmax()
    assert f"class:{tiny.labels[int(best)]}" in found.caption


def test_a_mask_as_large_as_the_input(tiny: pl.Network, cat: pl.Photo) -> None:
    with pytest.raises(pl.PellucidError, match="a mask of 28 px covers the whole input of 20 x 28"):
        pl.occlusion(tiny, cat, window=28)
    with pytest.raises(pl.PellucidError, match="a stride of 50 px leaves one mask on 20 x 28"):
        pl.occlusion(tiny, "photo:cat", stride=50)
    assert pl.occlusion(tiny, cat, window=27, stride=14).values.shape == (1, 2)


def test_a_tiny_input() -> None:
    net = pl.Network(
        torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2)), size=2, mean=[0.5] * 3,
        std=[0.5] * 3,
    )  # fmt: skip
    for fill in ("mean", "zero", "blur", "noise", "patch"):
        assert pl.occlusion(net, torch.rand(3, 5, 5), fill=fill).values.shape == (2, 2)


@pytest.mark.parametrize("few", [0, 1000])
def test_several_targets_from_one_run(
    few: int, tiny: pl.Network, cat: pl.Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Classes, a channel, a neuron and one's own function, in parts and in whole."""
    monkeypatch.setattr(answers, "FEW", few)

    def mine(seen: dict[str, Tensor]) -> Tensor:
        return seen["block"][:, 1].amax((1, 2)) - seen[""][:, 3]

    wanted = ["bee", "grouped:2", "block:1@3,5", mine, "cat"]
    photos = ["photo:cat", torch.rand(3, 30, 40, generator=torch.Generator().manual_seed(0))]
    found = pl.occlusion(tiny, photos, target=wanted, window=6, stride=5, fill="noise", seed=3)
    assert found.values.shape == (2, 5, 4, 6)
    assert ("rectangles in" in found.captions[0][0]) == (few == 0)
    slow = slowly(tiny, cat, 2, 6, 5, "noise", 3)
    torch.testing.assert_close(found.values[0, 4], slow, atol=1e-5, rtol=1e-4)
    for row, photo in enumerate(photos):
        for column, target in enumerate(wanted):
            alone = pl.occlusion(
                tiny, photo, target=target, window=6, stride=5, fill="noise", seed=3
            )
            torch.testing.assert_close(
                found[row, column].values, alone.values, atol=1e-5, rtol=1e-4
            )
            assert float(alone.values.max() - alone.values.min()) > 1e-6


def test_the_best_class_of_each_photo(bundled: pl.Network) -> None:
    found = pl.occlusion(bundled, ["photo:cat", "photo:motorcycle"], stride=28)
    assert [one.caption.split(":")[1] for one in found] == [
        pl.predict(bundled, photo).names[0] for photo in ("photo:cat", "photo:motorcycle")
    ]


def test_roundings_are_not_drawn(cat: pl.Photo) -> None:
    """A channel that looks at nothing differs in the last digit from batch to batch."""

    class Blind(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            noise = (torch.arange(len(x)) % 3) * 1e-7
            return torch.stack([1 + noise, x.mean((1, 2, 3))], 1)

    found = pl.occlusion(pl.Network(Blind(), size=12), cat, target=0, measure="score", stride=2)
    assert bool((found.values == 1).all())
    assert "the same under every 2 px mask: nothing that it covers changes it" in found.caption


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_scores_that_are_no_numbers_are_said(wrong: float, tiny: pl.Network, cat: pl.Photo) -> None:
    tiny.module.head.bias.data[2] = wrong
    for measure in ("score", "probability"):  # the softmax of what is infinite is NaN
        with pytest.raises(pl.PellucidError, match=f"score of class:cat is {wrong}: the network's"):
            pl.occlusion(tiny, cat, target="cat", measure=measure)
    with pytest.raises(pl.PellucidError, match="class:bee has no probability, for another class's"):
        pl.occlusion(tiny, cat, target="bee")

    class Under(torch.nn.Module):
        """Divides by what a mask makes zero."""

        def forward(self, x: Tensor) -> Tensor:
            return torch.stack([1 / x[:, 0, 4:6, 4:6].abs().sum((1, 2)), x.mean((1, 2, 3))], 1)

    net = pl.Network(Under(), size=12)
    for measure in ("score", "probability"):
        with pytest.raises(pl.PellucidError, match="the score of class:0 is inf"):
            pl.occlusion(net, cat, target=0, fill="zero", measure=measure, window=5, stride=3)


def test_numbers_that_are_close_can_be_told_apart_in_the_caption(cat: pl.Photo) -> None:
    class Faint(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 1 + 1e-4 * x.mean((2, 3))

    found = pl.occlusion(
        pl.Network(Faint(), size=12), cat, target=0, measure="score", window=5, stride=4
    )
    low, _, high = found.caption.partition("uncovered, ")[2].partition(" under")[0].split()
    assert float(low) < float(high) and float(low) == pytest.approx(float(found.values.min()))


def test_a_photo_of_one_colour_is_the_same_under_masks_of_it(bundled: pl.Network) -> None:
    plain = Image.new("RGB", (150, 150), (200, 30, 90))
    for fill in ("mean", "blur", "patch"):
        found = pl.occlusion(bundled, plain, fill=fill)
        assert "the same under every" in found.caption and len(found.values.unique()) == 1


def test_each_target_and_photo_has_the_map_that_it_has_alone(bundled: pl.Network) -> None:
    """Though what is asked together shares its passes."""
    how = {"window": 28, "stride": 14, "detail": 2}
    photos = ("photo:cat", "photo:rocket")
    names = ("class:airplanes", "relu3:3@5,5", "class:wild_cat")
    together = pl.occlusion(bundled, photos, target=names, **how)
    for row, photo in enumerate(photos):
        for column, name in enumerate(names):
            alone = pl.occlusion(bundled, photo, target=name, **how)
            one = together[row, column]
            torch.testing.assert_close(one.values, alone.values, rtol=1e-4, atol=1e-6)
            assert one.caption.partition("; ")[0] == alone.caption.partition("; ")[0]


def test_steps_come_to_an_end_where_targets_share_masks(bundled: pl.Network) -> None:
    work = pl.occlusion.steps(
        bundled, ("photo:cat", "photo:rocket"), target=(1, 2, 3), window=28, stride=14, detail=1
    )
    steps = list(work)
    assert steps[-1].done == steps[-1].total
    assert all(step.done <= step.total for step in steps)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_shares_have_digits_in_half_precision(kind: torch.dtype, cat: pl.Photo) -> None:
    """Only the scores are rounded as the network rounds them."""
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 4, 5, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    net = pl.Network(nn.Sequential(*layers).to(kind), size=32)
    shares = pl.occlusion(net, cat, target=1, window=12, stride=4)
    named = pl.predict(net, cat, top=4)
    share = dict(zip(named.names, named.values.tolist(), strict=True))["1"]
    assert shares.clean == pytest.approx(share, rel=1e-3)
    assert bool((shares.values != shares.values.to(kind).float()).any())
