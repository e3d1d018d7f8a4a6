"""facets(): photos of two kinds lead to two pictures, each of its own kind."""

from pathlib import Path

import pytest
import torch
from torch import nn

import pellucid as pl


def stripes() -> pl.Network:
    """Its one unit answers to upright and to level stripes alike."""
    conv = nn.Conv2d(3, 2, 5, bias=False)
    wave = torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0]) - 0.2
    with torch.no_grad():
        conv.weight[0] = wave.expand(3, 5, 5)
        conv.weight[1] = wave[:, None].expand(3, 5, 5)

    class Either(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.relu = conv, nn.ReLU()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.relu(self.conv(x)).mean((2, 3)).sum(1, keepdim=True)

    return pl.Network(Either(), size=24, mean=[0.5] * 3, std=[0.25] * 3)


def photo(level: bool, number: int) -> torch.Tensor:
    random = torch.Generator().manual_seed(number)
    bright = (torch.arange(24) % 2).float() * 0.5 + 0.25
    plain = bright[:, None].expand(24, 24) if level else bright.expand(24, 24)
    return (plain + 0.05 * torch.randn(3, 24, 24, generator=random)).clamp(0, 1)


PHOTOS = [photo(level, number) for number in range(8) for level in (False, True)]


def test_two_kinds_of_photos_are_two_facets() -> None:
    net = stripes()
    made = pl.facets(net, "class:0", PHOTOS, count=2, layer="relu", steps=8)
    assert made.values.shape == (2, 3, 24, 24) and made.sizes == [8, 8]
    # Photos come upright, level, upright, …; the order of the best ones is not that of the list.
    inputs = torch.cat([net.prepare(pl.open_image(one))[0] for one in PHOTOS])
    with torch.no_grad():
        order = net.scores(inputs)[:, 0].argsort(descending=True, stable=True)
    kinds = [
        (int(number) % 2, int(group)) for number, group in zip(order, made.groups, strict=True)
    ]
    assert len(set(kinds)) == 2
    ways = set()
    for picture in made.values:
        down, across = (picture.diff(dim=side).abs().mean() for side in (1, 2))
        ways.add(bool(down > across))
    assert ways == {True, False}
    assert made.facts["lean to their own group"] == 2
    with torch.no_grad():
        starts = net.scores(torch.stack([net.preprocess.normalise(one) for one in made.starts]))
    assert bool((made.scores > starts[:, 0]).all())
    assert made.image().shape[0] == 3


def test_a_folder_of_photos_and_parts(tmp_path: Path) -> None:
    for number, one in enumerate(PHOTOS[:6]):
        pl.Picture(values=one).save(tmp_path / f"{number}.png")
    made = pl.facets(stripes(), "class:0", str(tmp_path), count=2, layer="relu", steps=2)
    assert len(made.groups) == 6
    parts = pl.facets(stripes(), "class:0", PHOTOS[0], count=2, layer="relu", steps=2, parts=3)
    assert len(parts.groups) > 6


def test_the_same_twice_and_wrong_requests() -> None:
    net = stripes()
    settings = {"count": 2, "layer": "relu", "steps": 3}
    first, second = (pl.facets(net, "class:0", PHOTOS, **settings) for _ in range(2))
    assert torch.equal(first.values, second.values)
    with pytest.raises(pl.PellucidError, match="3 facets need at least 3 photos, and here are 2"):
        pl.facets(net, "class:0", PHOTOS[:2], count=3, layer="relu")
    with pytest.raises(pl.PellucidError, match="no layer 'rel'"):
        pl.facets(net, "class:0", PHOTOS, layer="rel")
