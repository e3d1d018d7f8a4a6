"""Five styles drawn by code: nobody's painting, and everybody may look how they are made.

Each has light and dark places, so that a photo's own light and dark can be said in it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

SIDE = 256  # px of each style
FINE = 2  # times finer while drawn, then averaged: edges without steps
Field = NDArray[np.float64]


def _clouds(random: np.random.Generator, cells: int, octaves: int = 3) -> Field:
    """Smooth noise from 0 to 1, the largest lumps a picture's side divided by `cells`."""
    side = SIDE * FINE
    total = torch.zeros(side, side, dtype=torch.float64)
    for octave in range(octaves):
        count = cells * 2**octave + 3
        grid = torch.from_numpy(random.standard_normal((1, 1, count, count)))
        smooth = F.interpolate(grid, (side, side), mode="bicubic", align_corners=False)[0, 0]
        total += smooth / 2**octave
    values = total.numpy()
    ranks = values.ravel().argsort().argsort().reshape(values.shape)  # every tone equally often
    return np.asarray(ranks / ranks.size)


def _grid() -> tuple[Field, Field]:
    down, right = np.mgrid[: SIDE * FINE, : SIDE * FINE] / FINE
    return down, right


def _ramp(tone: Field, *stops: str) -> Field:
    """Colours for tones 0 to 1: between the stops, the first for 0."""
    colours = np.array([[int(stop[at : at + 2], 16) / 255 for at in (0, 2, 4)] for stop in stops])
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(tone, at, colours[:, part]) for part in range(3)])


def mosaic(random: np.random.Generator) -> Field:
    """Small bright stones with dark joints: the cells of a Voronoi diagram."""
    down, right = _grid()
    pitch = 15.0
    rows, columns = np.mgrid[-2 : SIDE / pitch + 2, -2 : SIDE / pitch + 2]
    seeds = np.stack([rows.ravel(), columns.ravel()], 1) * pitch
    seeds += random.uniform(-0.42, 0.42, seeds.shape) * pitch
    where = torch.from_numpy(np.stack([down.ravel(), right.ravel()], 1))
    nearest, second, owner = [], [], []
    for part in where.split(2**15):
        found = torch.cdist(part, torch.from_numpy(seeds)).topk(2, largest=False)
        nearest.append(found.values[:, 0])
        second.append(found.values[:, 1])
        owner.append(found.indices[:, 0])
    cell = torch.cat(owner).numpy().reshape(down.shape)
    gap = (torch.cat(second) - torch.cat(nearest)).numpy().reshape(down.shape)
    ramps = (
        ("0d1b4c", "1f4fd8", "63b3ff"), ("5c0f16", "d8232f", "ff8a5c"),
        ("7a4b00", "f2b01e", "fff1b0"), ("0b3b2e", "159e6b", "9be8c0"),
        ("1b1b24", "8f8aa0", "ffffff"),
    )  # fmt: skip
    tone = _clouds(random, 4)
    light = np.bincount(cell.ravel(), tone.ravel(), len(seeds))
    light /= np.maximum(1, np.bincount(cell.ravel(), minlength=len(seeds)))
    light = np.clip(light + random.normal(0, 0.06, len(seeds)), 0, 1)
    which = random.integers(len(ramps), size=len(seeds))
    stones = np.zeros((3, len(seeds)))
    for number, stops in enumerate(ramps):
        stones[:, which == number] = _ramp(light[which == number], *stops)
    joint = np.clip((gap - 1.6) / 1.4, 0, 1)
    shine = 1 + 0.12 * np.clip((gap - 5) / 6, 0, 1)
    return np.clip(stones[:, cell] * shine, 0, 1) * joint + 0.07 * (1 - joint)


def waves(random: np.random.Generator) -> Field:
    """Bands that flow around each other, from deep blue to foam."""
    bend = _clouds(random, 2, 2)
    turn = _clouds(random, 3, 2)
    down, right = _grid()
    phase = (down + 90 * bend) / 13 + 0.9 * np.sin(right / 21 + 9 * turn)
    band = 0.5 + 0.5 * np.sin(2 * np.pi * phase)
    tone = np.clip(0.55 * _clouds(random, 3) + 0.45 * band, 0, 1)
    colour = _ramp(tone, "04122e", "0b3a78", "1d7fb8", "7cc9d6", "f4f1de")
    crest = np.clip((band - 0.93) / 0.05, 0, 1) * np.clip(tone * 1.6, 0, 1)
    return colour * (1 - crest) + np.array([0.99, 0.97, 0.9])[:, None, None] * crest


def ink(random: np.random.Generator) -> Field:
    """Hatching with a pen: the darker, the more directions of strokes lie over each other."""
    down, right = _grid()
    dark = 1 - _clouds(random, 4)
    sway = 5 * (_clouds(random, 4) - 0.5)
    page = np.ones_like(down)
    for number, angle in enumerate((0.8, 2.35, 1.57, 0.05)):
        across = right * np.cos(angle) + down * np.sin(angle) + sway
        distance = np.abs((across / 6.0 + 0.5 * number) % 1 - 0.5) * 6.0
        width = np.clip((dark - 0.1 - 0.2 * number) * 5.5, 0, 2.6)
        press = np.clip(2 * width, 0, 1) * (0.8 + 0.2 * _clouds(random, 24, 2))
        page *= 1 - press * np.clip(width / 2 - distance + 0.5, 0, 1)
    return _ramp(page, "17130f", "f7efdc")


def dots(random: np.random.Generator) -> Field:
    """A coarse halftone on flat colours, as comics were printed."""
    down, right = _grid()
    tone = _clouds(random, 3)
    ground = _clouds(random, 2, 2)
    paper = np.stack([np.full_like(down, part) for part in (1.0, 0.96, 0.86)])
    for low, high, stops in (
        (0.00, 0.28, "ffd23c"), (0.28, 0.50, "fff6dc"),
        (0.50, 0.74, "5ec8ec"), (0.74, 1.01, "fff6dc"),
    ):  # fmt: skip
        inside = (ground >= low) & (ground < high)
        paper[:, inside] = _ramp(np.zeros(int(inside.sum())), stops, stops)
    pitch = 7.5
    for angle, colour, amount in ((0.78, "e4002b", tone), (0.26, "14213d", 1 - tone)):
        along = (right * np.cos(angle) + down * np.sin(angle)) / pitch
        across = (down * np.cos(angle) - right * np.sin(angle)) / pitch
        distance = np.hypot(along % 1 - 0.5, across % 1 - 0.5) * pitch
        radius = pitch * 0.66 * np.sqrt(np.clip(1.9 * (amount - 0.45), 0, 1))
        cover = np.clip(radius - distance + 0.5, 0, 1) * (radius > 0.4)
        paint = _ramp(np.zeros_like(down), colour, colour)
        paper = paper * (1 - cover) + paint * cover
    return paper


def embers(random: np.random.Generator) -> Field:
    """Glowing cracks in dark crust."""
    first, second = _clouds(random, 6, 3), _clouds(random, 6, 3)
    ridge = 1 - np.abs(2 * first - 1)
    veins = np.maximum(ridge, 1 - np.abs(2 * second - 1)) ** 5
    tone = np.clip(0.75 * veins + 0.45 * _clouds(random, 4) - 0.1, 0, 1)
    return _ramp(tone, "0b0508", "3a0a12", "a3180f", "f0640c", "ffc640", "fff7d6")


STYLES: dict[str, Callable[[np.random.Generator], Field]] = {
    "mosaic": mosaic, "waves": waves, "ink": ink, "dots": dots, "embers": embers,
}  # fmt: skip


def drawn(name: str, seed: int = 0) -> Tensor:
    """A style as a picture (3, 256, 256), 0 to 1."""
    fine = STYLES[name](np.random.default_rng([seed, list(STYLES).index(name)]))
    picture = torch.from_numpy(np.clip(fine, 0, 1)).float()
    return F.avg_pool2d(picture, FINE)
