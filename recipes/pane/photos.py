"""Caltech-101 as tensors: a fixed split, and random crops of it."""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

STORED_SIDE = 136  # px of the shorter side in memory: enough for sharp 112-px crops
HELD_OUT = 5  # one photo in five


@dataclass(frozen=True)
class Photos:
    """Photos in memory: uint8 tensors (3, height, width) of different sizes, and class numbers."""

    images: list[Tensor]
    classes: Tensor
    labels: list[str]

    def __len__(self) -> int:
        return len(self.images)


def files(root: Path) -> dict[str, list[Path]]:
    """The photos of each class, in an order that depends on nothing but their names."""
    folder = root / "101_ObjectCategories"
    found = {
        entry.name: sorted(entry.glob("*.jpg"), key=lambda path: _digest(entry.name, path.name))
        for entry in sorted(folder.iterdir())
        if entry.is_dir() and entry.name != "BACKGROUND_Google"
    }
    if len(found) != 101:
        raise SystemExit(f"{folder} holds {len(found)} classes; Caltech-101 has 101")
    return found


def load(root: Path, held_out: bool) -> Photos:
    """The training photos, or the held-out fifth of each class."""
    images, classes = [], []
    grouped = files(root)
    for number, paths in enumerate(grouped.values()):
        cut = len(paths) // HELD_OUT
        for path in paths[:cut] if held_out else paths[cut:]:
            images.append(_read(path))
            classes.append(number)
    return Photos(images, torch.tensor(classes), list(grouped))


def epoch(
    photos: Photos, size: int, batch: int, most_per_class: int, random: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Augmented batches, values 0 to 1: random crops, flips, light and colour.

    A class gives at most `most_per_class` photos, drawn afresh: a quarter of Caltech-101 is faces,
    motorbikes and airplanes, which are learned early.
    """
    classes = photos.classes.numpy()
    chosen = np.concatenate(
        [
            random.permutation(np.flatnonzero(classes == number))[:most_per_class]
            for number in range(len(photos.labels))
        ]
    )
    random.shuffle(chosen)
    for start in range(0, len(chosen) - batch + 1, batch):
        picked = chosen[start : start + batch]
        crops = torch.stack([_crop(photos.images[i], size, random) for i in picked])
        yield _light(crops, random), photos.classes[torch.from_numpy(picked)]


def centre(image: Tensor, resize: int, size: int) -> Tensor:
    """One photo as used outside of training: shorter side to `resize`, its centre of `size`."""
    height, width = image.shape[1:]
    scale = resize / min(height, width)
    shape = [max(size, round(height * scale)), max(size, round(width * scale))]
    small = _resized(image, shape)
    top, left = (shape[0] - size) // 2, (shape[1] - size) // 2
    return small[:, top : top + size, left : left + size]


def _digest(folder: str, name: str) -> str:
    return hashlib.sha256(f"{folder}/{name}".encode()).hexdigest()


def _read(path: Path) -> Tensor:
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    scale = STORED_SIDE / min(picture.size)
    shape = [max(STORED_SIDE, round(side * scale)) for side in picture.size]
    small = picture.resize((shape[0], shape[1]), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.asarray(small).copy()).permute(2, 0, 1).contiguous()


def _resized(image: Tensor, shape: list[int]) -> Tensor:
    batch = image[None].float() / 255
    return F.interpolate(batch, shape, mode="bilinear", antialias=True, align_corners=False)[0]


def _crop(image: Tensor, size: int, random: np.random.Generator) -> Tensor:
    height, width = image.shape[1:]
    area = height * width * random.uniform(0.3, 1.0)
    ratio = math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3)))
    tall = min(height, round(math.sqrt(area / ratio)))
    wide = min(width, round(math.sqrt(area * ratio)))
    top, left = random.integers(height - tall + 1), random.integers(width - wide + 1)
    crop = _resized(image[:, top : top + tall, left : left + wide], [size, size])
    return crop.flip(2) if random.random() < 0.5 else crop


def _light(batch: Tensor, random: np.random.Generator) -> Tensor:
    def factor(spread: float) -> Tensor:
        return torch.from_numpy(
            random.uniform(1 - spread, 1 + spread, (len(batch), 1, 1, 1))
        ).float()

    batch = batch * factor(0.3)
    grey = batch.mean(1, keepdim=True)
    batch = grey + (batch - grey) * factor(0.4)
    mean = batch.mean((1, 2, 3), keepdim=True)
    return (mean + (batch - mean) * factor(0.3)).clamp(0, 1)
