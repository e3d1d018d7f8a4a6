"""Several gauges side by side find what one finds, bit by bit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import pellucid as pl
from pellucid.atlas.crew import MOST, Crew
from pellucid.atlas.plan import Plan

LAYERS = "conv1; relu4; classifier"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Of several sizes; one cannot be read."""
    folder, random = tmp_path / "photos", np.random.default_rng(0)
    folder.mkdir()
    for number in range(30):
        pixels = random.integers(0, 256, (40 + number, 60, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
    (folder / "07.png").write_bytes(b"no image")
    return folder


@pytest.fixture(params=[2, 3, 9])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """torch's own number of threads while a test runs."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def built(place: Path, photos: Path) -> pl.Atlas:
    net = pl.load(device="cpu")
    return pl.Atlas.build(place, net, photos, layers=LAYERS, batch=4, keep=3, per_image=2)


def test_it_is_the_same_as_by_one(photos: Path, tmp_path: Path, threads: int) -> None:
    with_crew = built(tmp_path / "many", photos)
    assert torch.get_num_threads() == threads
    torch.set_num_threads(threads // min(MOST, threads))  # as many as each of them has
    alone = built(tmp_path / "one", photos)
    assert with_crew.images.uris == alone.images.uris and len(alone) == 29
    for layer in alone.layers:
        assert torch.equal(with_crew.features(layer), alone.features(layer))
        for mine, theirs in zip(
            vars(with_crew.best(layer)).values(), vars(alone.best(layer)).values(), strict=True
        ):
            assert torch.equal(mine, theirs)
        for mine, theirs in zip(
            vars(with_crew.statistics(layer)).values(),
            vars(alone.statistics(layer)).values(),
            strict=True,
        ):
            assert mine == theirs if isinstance(mine, int) else torch.equal(mine, theirs)


def test_one_works_alone_where_the_network_cannot_be_copied(threads: int) -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return self.conv(image).mean((2, 3))

        def __deepcopy__(self, memo: object) -> nn.Module:
            raise TypeError("not this one")

    net = pl.Network(Odd(), size=16)
    crew = Crew(net, Plan.of(net, "conv"), None)
    crew.close()
    assert len(crew.gauges) == 1 and crew.threads == threads


def test_they_share_their_weights(threads: int) -> None:
    net = pl.load(device="cpu")
    crew = Crew(net, Plan.of(net, LAYERS), None)
    crew.close()
    assert len(crew.gauges) == min(MOST, threads)
    first, second = (
        [weight.data_ptr() for weight in gauge.fast.module.parameters()]
        for gauge in crew.gauges[:2]
    )
    assert first == second
    assert crew.gauges[0].fast.module is not crew.gauges[1].fast.module
