"""Ball: all pictures within a distance of one, in the largest change or in the length of all."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from pellucid.make.climb import direction

Norm = Literal["linf", "l2"]
Image = Float[Tensor, "1 channels height width"]
LEVELS = 255  # steps from black to white in a file of 8 bits


@dataclass(frozen=True)
class Ball:
    """All pictures that lie near a photo.

    Attributes:
        photo: from 0 to 1, in the middle of it.
        norm: "linf", the largest change of any value; "l2", the root of the sum of their squares.
        radius: in units of the whole range of a pixel, 0 to 1.
    """

    photo: Image
    norm: Norm
    radius: float

    def within(self, picture: Image) -> Image:
        """The picture brought back into the ball, and between black and white.

        Of linf this is the nearest such picture. Of l2 it is near it: what lies beyond black and
        white is cut off after the projection, which only brings it closer to the photo.
        """
        change = picture - self.photo
        if self.norm == "linf":
            change = change.clamp(-self.radius, self.radius)
        else:
            change = change * min(1.0, self.radius / max(length(change, "l2"), 1e-30))
        return (self.photo + change).clamp(0, 1)

    def step(self, picture: Image, gradient: Image, share: float) -> Image:
        """The step of a share of the radius that raises a linear function most, kept within."""
        return self.within(picture + share * self.radius * steepest(gradient, self.norm))


def steepest(gradient: Image, norm: Norm) -> Image:
    """The change of size 1 that raises a linear function most: its gradient's signs, or itself."""
    way: Image = gradient.sign()
    if norm == "l2":
        way = direction(gradient) / sqrt(gradient.numel())
    return way


def anywhere(like: Image, norm: Norm, random: Generator) -> Image:
    """A change drawn evenly from the ball of radius 1."""
    shape = tuple(like.shape)
    if norm == "linf":
        return (2 * torch.rand(shape, generator=random) - 1).to(like)
    way = torch.randn(shape, generator=random)
    far: Tensor = torch.rand((), generator=random) ** (1 / way.numel()) / length(way, "l2")
    return (far * way).to(like)


def length(change: Tensor, norm: Norm) -> float:
    """The size of a change, in units of the whole range of a pixel."""
    return float(change.abs().max() if norm == "linf" else change.norm())
