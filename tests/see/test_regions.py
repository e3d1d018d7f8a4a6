"""Regions: every pixel belongs to one, and superpixels follow the colours."""

import pytest
import torch

from pellucid.preprocess import Preprocess
from pellucid.see.regions import cut_up


def made(channels: int, size: tuple[int, int]) -> Preprocess:
    return Preprocess(size=size, mean=(0.4,) * channels, std=(0.3,) * channels)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("cut", ["superpixels", "squares"])
def test_numbers_without_gaps(channels: int, cut: str) -> None:
    noise = torch.rand(channels, 40, 60, generator=torch.Generator().manual_seed(0)) * 5 - 2
    for many, low, high in [(1, 1, 1), (24, 12, 32), (96, 48, 120), (2400, 2400, 2400)]:
        found = cut_up(made(channels, (40, 60)), noise, many, cut)
        assert found.shape == (40, 60)
        assert found.unique().tolist() == list(range(int(found.max()) + 1))
        assert low <= int(found.max()) + 1 <= high, many
        assert torch.equal(found, cut_up(made(channels, (40, 60)), noise, many, cut))


@pytest.mark.parametrize("channels", [1, 3])
def test_superpixels_keep_to_an_edge(channels: int) -> None:
    image = torch.zeros(channels, 40, 40)
    image[:, :, 17:] = 1
    preprocess = made(channels, (40, 40))
    found = cut_up(preprocess, preprocess.normalise(image), 16, "superpixels")
    left, right = (set(side.unique().tolist()) for side in (found[:, :17], found[:, 17:]))
    assert not left & right
    straight = cut_up(preprocess, preprocess.normalise(image), 16, "squares")
    assert set(straight[:, :17].unique().tolist()) & set(straight[:, 17:].unique().tolist())


def test_squares() -> None:
    found = cut_up(made(1, (4, 6)), torch.zeros(1, 4, 6), 6, "squares")
    assert found.tolist() == [[0, 0, 1, 1, 2, 2]] * 2 + [[3, 3, 4, 4, 5, 5]] * 2


def test_a_photo_of_one_colour_and_half_precision() -> None:
    for kind in (torch.float32, torch.bfloat16, torch.float64):
        found = cut_up(made(3, (20, 28)), torch.zeros(3, 20, 28, dtype=kind), 12, "superpixels")
        assert 6 <= int(found.max()) + 1 <= 20
