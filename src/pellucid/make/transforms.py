"""Transforms: small random changes of view, so that a picture holds up from more than one.

Each is called with images and a generator, and draws its numbers there, on the processor: the same
on every device. All images of a batch are moved alike, so that a picture does not depend on those
beside it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import pi
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn import functional as F

from pellucid.make.worded import Worded, between, read

Images = Float[Tensor, "batch channels height width"]


class Transform(Worded, ABC):
    """A random change of view."""

    @abstractmethod
    def __call__(self, images: Images, random: Generator) -> Images:
        """The images seen otherwise; zeros, the mean grey, where there was nothing."""


@dataclass(frozen=True)
class Jitter(Transform):
    """Moved by up to a share of the shorter side; what leaves on one side comes back on the other.

    Attributes:
        share: 0 to 1.
    """

    share: float
    word: ClassVar[str] = "jitter"

    def __post_init__(self) -> None:
        between("share of jitter", self.share, 0, 1)

    def __call__(self, images: Images, random: Generator) -> Images:
        """Rolled by whole pixels."""
        most = int(self.share * min(images.shape[2:]))
        if not most:
            return images
        down, right = torch.randint(-most, most + 1, (2,), generator=random).tolist()
        return images.roll((down, right), (2, 3))


@dataclass(frozen=True)
class Scale(Transform):
    """Enlarged or shrunk around the centre by up to a share.

    Attributes:
        share: 0 to 0.9: 0.1 is from 0.9 to 1.1 times as large.
    """

    share: float
    word: ClassVar[str] = "scale"

    def __post_init__(self) -> None:
        between("share of scale", self.share, 0, 0.9)

    def __call__(self, images: Images, random: Generator) -> Images:
        """Of the same size, zeros beyond the rim."""
        times = 1 + self.share * (2 * _uniform(random) - 1)
        return _turned(images, torch.eye(2) / times)


@dataclass(frozen=True)
class Rotate(Transform):
    """Turned around the centre by up to some degrees.

    Attributes:
        degrees: either way.
    """

    degrees: float
    word: ClassVar[str] = "rotate"

    def __post_init__(self) -> None:
        between("degrees of rotate", self.degrees, 0, 180)

    def __call__(self, images: Images, random: Generator) -> Images:
        """Of the same size, zeros beyond the rim."""
        angle = torch.tensor(self.degrees * (2 * _uniform(random) - 1) * pi / 180)
        height, width = images.shape[2:]
        # In the grid's units a pixel is as wide as it is tall only where the image is square.
        turn = torch.stack(
            [
                torch.stack([angle.cos(), -angle.sin() * height / width]),
                torch.stack([angle.sin() * width / height, angle.cos()]),
            ]
        )
        return _turned(images, turn)


@dataclass(frozen=True)
class Crop(Transform):
    """A random part, enlarged to the whole.

    Attributes:
        low, high: its side as a share of the whole, drawn between them.
    """

    low: float
    high: float = 1.0
    word: ClassVar[str] = "crop"

    def __post_init__(self) -> None:
        between("low of crop", self.low, 0.01, 1)
        between("high of crop", self.high, self.low, 1)

    def __call__(self, images: Images, random: Generator) -> Images:
        """Of the same size."""
        part = self.low + (self.high - self.low) * _uniform(random)
        across, down = ((1 - part) * (2 * _uniform(random) - 1) for _ in range(2))
        return _turned(images, part * torch.eye(2), torch.tensor([[across], [down]]))


@dataclass(frozen=True)
class Noise(Transform):
    """Noise added to every pixel.

    Attributes:
        deviation: standard, in that of the network's input.
    """

    deviation: float
    word: ClassVar[str] = "noise"

    def __post_init__(self) -> None:
        between("deviation of noise", self.deviation, 0)

    def __call__(self, images: Images, random: Generator) -> Images:
        """The same noise on every image of the batch."""
        drawn = torch.randn(images.shape[1:], generator=random)
        return images + self.deviation * drawn.to(images)


@dataclass(frozen=True)
class Pad(Transform):
    """Paper around the image; the network sees all of it, a little smaller.

    Attributes:
        share: of the shorter side, on each side.
    """

    share: float
    word: ClassVar[str] = "pad"

    def __post_init__(self) -> None:
        between("share of pad", self.share, 0, 1)

    def __call__(self, images: Images, random: Generator) -> Images:
        """Larger by the paper, which is of zeros."""
        return F.pad(images, [int(self.share * min(images.shape[2:]))] * 4)


KINDS: tuple[type[Transform], ...] = (Jitter, Scale, Rotate, Crop, Noise, Pad)


def transforms(text: str) -> tuple[Transform, ...]:
    """Those that a text names, such as "jitter 0.04; rotate 5"; see `worded.read`."""
    return read(text, KINDS, "transform")


def told(some: Sequence[Transform]) -> str:
    """The text that names them."""
    return "; ".join(map(str, some)) or "none"


def seen(images: Images, some: Sequence[Transform], random: Generator) -> Images:
    """Images after one transform and another."""
    for transform in some:
        images = transform(images, random)
    return images


def _uniform(random: Generator) -> float:
    return float(torch.rand((), generator=random))


def _turned(
    images: Images, turn: Float[Tensor, "2 2"], shift: Float[Tensor, "2 1"] | None = None
) -> Images:
    matrix = torch.cat([turn, torch.zeros(2, 1) if shift is None else shift], 1)
    # Places in half precision would be off by up to half a pixel.
    exact = images if images.dtype == torch.float64 else images.float()
    matrix = matrix.to(exact).expand(len(images), 2, 3)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    moved: Images = F.grid_sample(exact, grid, mode="bilinear", align_corners=False)
    return moved.to(images.dtype)
