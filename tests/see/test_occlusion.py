"""Occlusion against a slow twin: one mask at a time, from the definition."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import pellucid as pl
from pellucid.method import Step


def slowly(
    net: pl.Network, photo: pl.Photo, number: int, window: int, stride: int, fill: str, seed: int
) -> Tensor:
    """The probability of a class under each mask: as many passes as masks, nothing shared."""
    image, _ = net.preprocess.crop(photo)
    inputs = net.preprocess.normalise(image)
    channels, height, width = inputs.shape
    cover = torch.zeros(channels, height, width)
    if fill == "mean":
        for channel in range(channels):
            cover[channel] = sum(inputs[channel].flatten().tolist()) / (height * width)
    if fill == "noise":
        generator = torch.Generator().manual_seed(seed)
        cover = net.preprocess.normalise(
            torch.rand(1, channels, height, width, generator=generator)
        )[0]
    if fill == "blur":
        small = F.adaptive_avg_pool2d(inputs[None], (max(1, height // 16), max(1, width // 16)))
        cover = F.interpolate(small, (height, width), mode="bilinear")[0]
    rows, columns = max(1, round(height / stride)), max(1, round(width / stride))
    found = torch.zeros(rows, columns)
    was = net.module.training
    net.module.eval()
    for row in range(rows):
        for column in range(columns):
            # The mask's centre is the centre of its cell on an even grid.
            top = math.floor((row + 0.5) * height / rows - window / 2 + 0.5)
            left = math.floor((column + 0.5) * width / columns - window / 2 + 0.5)
            masked = inputs.clone()
            for y in range(max(0, top), min(height, top + window)):
                for x in range(max(0, left), min(width, left + window)):
                    masked[:, y, x] = cover[:, y, x]
            with torch.no_grad():
                found[row, column] = net.module(masked[None]).softmax(1)[0, number]
    net.module.train(was)
    return found


@pytest.mark.parametrize("fill", ["mean", "zero", "blur", "noise"])
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
    scores, sizes = tiny.scores, []

    def full(inputs: Tensor) -> Tensor:
        sizes.append(len(inputs))
        if len(inputs) > 3:
            raise torch.OutOfMemoryError("full")
        return scores(inputs)

    monkeypatch.setattr(tiny, "scores", full)
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
    assert sizes == [1, 8, 4, *[2] * 12]
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
    for fill in ("mean", "zero", "blur", "noise"):
        assert pl.occlusion(net, torch.rand(3, 5, 5), fill=fill).values.shape == (2, 2)
