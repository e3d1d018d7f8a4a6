"""Transforms: small random changes of view, so that a picture holds up from more than one.

Each is called with images and a generator, and draws its numbers there, on the processor: the same
on every device. All images of a batch are moved alike, so that a picture does not depend on those
beside it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn import functional as F

from pellucid.make.sampling import moved
from pellucid.make.worded import Worded, between, read

Images = Float[Tensor, "batch channels height width"]
Seen = Float[Tensor, "batch channels h w"]


class Transform(Worded, ABC):
    """A random change of view."""

    @abstractmethod
    def __call__(self, images: Images, random: Generator) -> Seen:
        """The images seen otherwise; zeros, the mean grey, where there was nothing."""


class Affine(Transform):
    """One that turns, stretches or moves the whole; several in a row are done in one go."""

    @abstractmethod
    def matrix(self, size: tuple[int, int], random: Generator) -> Float[Tensor, "3 3"]:
        """From where each point comes, both from -1 to 1 across and down.

        Args:
            size: height and width.
        """

    def __call__(self, images: Images, random: Generator) -> Images:
        """Of the same size, zeros beyond the rim."""
        return _moved(images, self.matrix((images.shape[2], images.shape[3]), random))


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
class Scale(Affine):
    """Enlarged or shrunk around the centre by up to a share.

    Attributes:
        share: 0 to 0.9: 0.1 is from 0.9 to 1.1 times as large.
    """

    share: float
    word: ClassVar[str] = "scale"

    def __post_init__(self) -> None:
        between("share of scale", self.share, 0, 0.9)

    def matrix(self, size: tuple[int, int], random: Generator) -> Float[Tensor, "3 3"]:
        """See `Affine.matrix`."""
        times = 1 + self.share * (2 * _uniform(random) - 1)
        return torch.tensor([[1 / times, 0, 0], [0, 1 / times, 0], [0, 0, 1]])


@dataclass(frozen=True)
class Rotate(Affine):
    """Turned around the centre by up to some degrees.

    Attributes:
        degrees: either way.
    """

    degrees: float
    word: ClassVar[str] = "rotate"

    def __post_init__(self) -> None:
        between("degrees of rotate", self.degrees, 0, 180)

    def matrix(self, size: tuple[int, int], random: Generator) -> Float[Tensor, "3 3"]:
        """See `Affine.matrix`."""
        angle = self.degrees * (2 * _uniform(random) - 1) * pi / 180
        # In the grid's units a pixel is as wide as it is tall only where the image is square.
        height, width = size
        across, down = -sin(angle) * height / width, sin(angle) * width / height
        return torch.tensor([[cos(angle), across, 0], [down, cos(angle), 0], [0, 0, 1]])


@dataclass(frozen=True)
class Crop(Affine):
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

    def matrix(self, size: tuple[int, int], random: Generator) -> Float[Tensor, "3 3"]:
        """See `Affine.matrix`."""
        part = self.low + (self.high - self.low) * _uniform(random)
        across, down = ((1 - part) * (2 * _uniform(random) - 1) for _ in range(2))
        return torch.tensor([[part, 0, across], [0, part, down], [0, 0, 1]])


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

    def __call__(self, images: Images, random: Generator) -> Seen:
        """Larger by the paper, which is of zeros."""
        return F.pad(images, [int(self.share * min(images.shape[2:]))] * 4)


KINDS: tuple[type[Transform], ...] = (Jitter, Scale, Rotate, Crop, Noise, Pad)


def transforms(text: str) -> tuple[Transform, ...]:
    """Those that a text names, such as "jitter 0.04; rotate 5"; see `worded.read`."""
    return read(text, KINDS, "transform")


def told(some: Sequence[Transform]) -> str:
    """The text that names them."""
    return "; ".join(map(str, some)) or "none"


def seen(images: Images, some: Sequence[Transform], random: Generator) -> Seen:
    """Images after one transform and another.

    Affine ones in a row are joined: pixels are mixed once, so the image stays sharper, and nothing
    is lost at the rim in between.
    """
    waiting: Float[Tensor, "3 3"] | None = None
    for transform in some:
        if isinstance(transform, Affine):
            matrix = transform.matrix((images.shape[2], images.shape[3]), random)
            waiting = matrix if waiting is None else waiting @ matrix
            continue
        images = images if waiting is None else _moved(images, waiting)
        waiting = None
        images = transform(images, random)
    return images if waiting is None else _moved(images, waiting)


def _uniform(random: Generator) -> float:
    return float(torch.rand((), generator=random))


def _moved(images: Images, matrix: Float[Tensor, "3 3"]) -> Images:
    # Places in half precision would be off by up to half a pixel.
    exact = images if images.dtype == torch.float64 else images.float()
    return moved(exact, matrix).to(images.dtype)
