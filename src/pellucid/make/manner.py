"""Manner: how a picture is drawn: on what, seen how, kept in bounds by what, in which steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pellucid.errors import PellucidError, Unknown
from pellucid.make.canvas import Canvas, said
from pellucid.make.climb import Adam, Climb, Even, climb
from pellucid.make.fourier import Fourier
from pellucid.make.phase import Phase
from pellucid.make.pixels import Pixels
from pellucid.make.regularisers import (
    Blur,
    Decay,
    Regulariser,
    SmallContribution,
    SmallNorm,
    regularisers,
)
from pellucid.make.transforms import Crop, Jitter, Noise, Rotate, Scale, Transform, transforms
from pellucid.make.worded import read

CANVASES: tuple[type[Canvas], ...] = (Pixels, Fourier, Phase)


@dataclass(frozen=True)
class Manner:
    """How a picture is drawn.

    Attributes:
        canvas: what numbers it is made of.
        transforms: how it is seen at each step.
        regularisers: what is done to its pixels after each step.
        climb: the steps.
        steps: how many.
        views: how many random views of it are looked at in each step.
    """

    canvas: Canvas
    transforms: tuple[Transform, ...]
    regularisers: tuple[Regulariser, ...]
    climb: Climb
    steps: int
    views: int = 1

    def but(self, **other: Any) -> Manner:
        """The same with some things otherwise, given as themselves or in words; None changes none.

        Args:
            other: any attribute; besides `size`, that of the canvas, and `rate`, that of the climb.

        Raises:
            PellucidError: a word that names nothing.
        """
        given = {name: value for name, value in other.items() if value is not None}
        size, rate = given.pop("size", None), given.pop("rate", None)
        for name, reader in READERS.items():
            if isinstance(given.get(name), str):
                given[name] = reader(given[name])
            elif isinstance(given.get(name), list):
                given[name] = tuple(given[name])
        made = replace(self, **given)
        if size is not None:
            made = replace(made, canvas=made.canvas.sized(said(size)))
        if rate is not None:
            made = replace(made, climb=replace(made.climb, rate=float(rate)))
        return made


def canvas(text: str) -> Canvas:
    """The canvas that a text names, such as "fourier 256"; see `worded.read`."""
    found = read(text, CANVASES, "canvas")
    if len(found) != 1:
        raise PellucidError(f"one canvas is wanted, such as fourier 256, not {text!r}")
    return found[0]


READERS = {
    "canvas": canvas, "transforms": transforms, "regularisers": regularisers, "climb": climb,
}  # fmt: skip

_SEEN = (Jitter(0.036), Scale(0.1), Rotate(10), Jitter(0.018))  # lucid's, as shares of the side

# By name. The published numbers of Yosinski et al. stand as they are, but for the length of a step:
# theirs is so many times the gradient, which depends on the network; ours is even.
MANNERS: dict[str, Manner] = {
    "simple": Manner(Pixels(), (), (Decay(0.02),), Even(0.05), 128),
    "yosinski1": Manner(Pixels(), (), (Blur(0.5, 4), SmallNorm(50)), Even(0.05), 500),
    "yosinski2": Manner(Pixels(), (), (Decay(0.3), SmallNorm(20)), Even(0.5), 750),
    "yosinski3": Manner(Pixels(), (), (Decay(1e-4), Blur(1.0, 4)), Even(0.1), 1000),
    "yosinski4": Manner(Pixels(), (), (Blur(0.5, 4), SmallContribution(90)), Even(0.05), 1000),
    "jitter": Manner(Pixels(), (Jitter(0.04), Scale(0.08)), (Decay(0.02),), Even(0.05), 128),
    "crop": Manner(Fourier(power=1.2), (Jitter(0.036), Crop(0.6), Rotate(10)), (), Adam(0.05), 256),
    "lucid": Manner(Fourier(), _SEEN, (), Adam(0.05), 256),
    "maco": Manner(Phase(), (Crop(0.25, 0.75), Noise(0.08)), (), Adam(0.1), 256, views=8),
}


def manner(name: str) -> Manner:
    """A manner by its name.

    Raises:
        Unknown: no such name; the message shows the nearest.
    """
    if name not in MANNERS:
        raise Unknown("recipe", name, MANNERS)
    return MANNERS[name]
