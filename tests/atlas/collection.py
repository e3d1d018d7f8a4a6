"""A small collection of photos, and a small network to send it through."""

from pathlib import Path

import torch
from PIL import Image
from torch import nn

import pellucid as pl
from pellucid.atlas.atlas import Atlas


def network(seed: int = 3) -> pl.Network:
    """Convolutions, one with batch normalisation, and five classes; grey-scale drawings suit it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1),
            nn.BatchNorm2d(6),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 8, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, 5),
        )
    return pl.Network(module.eval(), size=24, labels=list("abcde"), name="small")


def photo(seed: int, height: int = 30, width: int = 40) -> Image.Image:
    """Colours that change smoothly, another way for every seed."""
    draw = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 5, 7, generator=draw)
    fine = nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)[0]
    return Image.fromarray((fine.permute(1, 2, 0) * 255).byte().numpy())


def folder(place: Path, count: int = 20, classes: str = "xy") -> Path:
    """Photos in a folder for each class."""
    for number in range(count):
        into = place / classes[number % len(classes)]
        into.mkdir(parents=True, exist_ok=True)
        photo(number, 24 + number % 9, 40 - number % 7).save(into / f"{number:03}.png")
    return place


def clusters(count: int, seed: int = 0) -> torch.Tensor:
    """Places on a map, in twelve heaps."""
    random = torch.Generator().manual_seed(seed)
    centres = 10 * torch.randn(12, 2, generator=random)
    which = torch.randint(0, 12, (count,), generator=random)
    return centres[which] + torch.randn(count, 2, generator=random)


LAYERS = ("0", "2", "5", "7")


def damaged(place: Path) -> Path:
    """A folder of photos, two of which cannot be read."""
    made = folder(place)
    (made / "x" / "broken.png").write_bytes(b"\x89PNG broken")
    (made / "y" / "empty.jpg").write_bytes(b"")
    return made


def surveyed(place: Path, photos: Path) -> Atlas:
    """What a survey takes down of them."""
    return Atlas.build(place, network(), photos, layers=LAYERS, keep=4, negative=True, batch=7)
