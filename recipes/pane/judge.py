"""Figures for the model card: accuracy, robustness, dead channels, and legible class pictures."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid import tiles
from pellucid.pictures import png_bytes
from pellucid.writing import write_whole
from recipes.pane import photos as data
from recipes.pane import training


@dataclass(frozen=True)
class Verdict:
    """What is thought of one class picture.

    Attributes:
        own: probability of the class, says the network that drew the picture.
        place: of the class in another network's ranking; 0 is first.
    """

    label: str
    picture: Tensor
    own: float
    place: int


def verdicts(net: pl.Network, other: pl.Network, steps: int) -> Iterator[Verdict]:
    """The picture of every class by `pl.feature`, judged by a network that had no part in it."""
    for label in net.labels:
        made = pl.feature(net, f"class:{label}", steps=steps)
        own = pl.predict(net, made.values, top=net.classes)
        theirs = pl.predict(other, made.values, top=other.classes)
        yield Verdict(
            label,
            made.values,
            float(own.values[own.names.index(label)]),
            theirs.names.index(label),
        )


def sheet(found: list[Verdict], path: Path) -> None:
    """All class pictures on one page, the place that the other network gave beside the name."""
    names = [f"{verdict.label} · {verdict.place + 1}" for verdict in found]
    pictures = torch.stack([verdict.picture for verdict in found])
    write_whole(path, png_bytes(tiles.arranged(pictures, names, 112, 12)))


def robust_accuracy(network: nn.Module, photos: data.Photos, radius: float, steps: int) -> float:
    """Share of photos still right after projected gradient ascent within an L2 ball (Madry 2018).

    `radius` is in units of the pixel range 0 to 1.
    """
    right = 0
    for start in range(0, len(photos), 64):
        images = torch.stack([data.centre(i, 112, 112) for i in photos.images[start : start + 64]])
        classes = photos.classes[start : start + 64]
        shift = torch.zeros_like(images)
        for _ in range(steps):
            shift.requires_grad_()
            loss = F.cross_entropy(network(training.normalised(images + shift)), classes)
            (gradient,) = torch.autograd.grad(loss, shift)
            length = gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1).clamp(min=1e-12)
            shift = shift.detach() + 2.5 * radius / steps * gradient / length
            length = shift.flatten(1).norm(dim=1).view(-1, 1, 1, 1).clamp(min=1e-12)
            shift = (images + shift * (radius / length).clamp(max=1)).clamp(0, 1) - images
        with torch.no_grad():
            scores = network(training.normalised(images + shift))
        right += int((scores.argmax(1) == classes).sum())
    return right / len(photos)


def silent_channels(net: pl.Network, photos: data.Photos) -> dict[str, int]:
    """Channels of each rectified layer that fire on none of the photos."""
    names = [name for name in net.layers if name.startswith("relu")]
    fired: dict[str, Tensor] = {}
    with torch.no_grad():
        for start in range(0, len(photos), 64):
            images = photos.images[start : start + 64]
            batch = torch.stack([data.centre(image, 112, 112) for image in images])
            with pl.recording(net, names) as seen:
                net.module(training.normalised(batch))
            for name, maps in seen.items():
                now = (maps > 0).flatten(2).any(2).any(0)
                fired[name] = fired.get(name, torch.zeros_like(now)) | now
    return {name: int((~channels).sum()) for name, channels in fired.items()}
