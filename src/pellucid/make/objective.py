"""Objective: what a picture is to have more of, one number for each image."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.make.worded import number
from pellucid.network import Network

Image = Float[Tensor, "batch channels height width"]
Values = Float[Tensor, "batch"]


@dataclass(frozen=True)
class View:
    """What an objective looks at.

    Attributes:
        net: the network.
        images: the pictures, normalised, as they are on the canvas.
        seen: outputs by layer ("" the scores) of what the network was shown of each picture.
    """

    net: Network
    images: Image
    seen: Mapping[str, Tensor]

    def only(self, number: int) -> View:
        """One image alone."""
        return self.part(slice(number, number + 1))

    def part(self, place: slice) -> View:
        """Some of the images."""
        seen = {name: output[place] for name, output in self.seen.items()}
        return replace(self, images=self.images[place], seen=seen)

    def each(self) -> list[View]:
        """Every image alone."""
        # Split, not sliced: on the way back the parts are put together once, not each by itself
        # among zeros for all the others.
        images = torch.split(self.images, 1)
        seen = {name: torch.split(output, 1) for name, output in self.seen.items()}
        return [
            replace(self, images=image, seen={name: parts[at] for name, parts in seen.items()})
            for at, image in enumerate(images)
        ]

    def maps(self, layer: str) -> Float[Tensor, "batch channels h w"]:
        """A layer's output as channel maps."""
        return self.net.layers[layer].layout.maps(self.seen[layer])


@dataclass(frozen=True)
class Bound:
    """An objective with the names that it uses found in a network.

    Attributes:
        layers: what has to be recorded; "" is the network's own output.
        value: of what the network was shown.
        fixed: whether it looks at one place of the picture, which must not be moved then.
        channels: the only one that is read for each image, where it is one of a single layer's; of
            more images than channels in turns.
    """

    layers: frozenset[str]
    value: Callable[[View], Values]
    fixed: bool = False
    channels: tuple[int, ...] | None = None


class Objective(ABC):
    """Something that is to grow. Objectives add, subtract and scale; up is good.

    Example:
        >>> channel("layer3.1", 40) - 0.1 * total_variation()
    """

    @abstractmethod
    def bind(self, net: Network) -> Bound:
        """The same for a network.

        Raises:
            PellucidError: unknown layer or unit; the message shows the nearest.
        """

    @abstractmethod
    def __str__(self) -> str:
        """As a caption has it; where it can, as `objectives.read` reads it."""

    @classmethod
    def together(cls, parts: Sequence[Objective], net: Network) -> Callable[[View], Values] | None:
        """A quicker way to the value of each for its image of a batch; None where there is none."""
        return None

    def __add__(self, other: Objective) -> Objective:
        return Sum((self, other))

    def __sub__(self, other: Objective) -> Objective:
        return Sum((self, -other))

    def __mul__(self, times: float) -> Objective:
        return Scaled(self, float(times))

    def __rmul__(self, times: float) -> Objective:
        return self * times

    def __neg__(self) -> Objective:
        return self * -1


@dataclass(frozen=True)
class Sum(Objective):
    """Several together."""

    parts: tuple[Objective, ...]

    def bind(self, net: Network) -> Bound:
        """The sum of their values."""
        bound = [part.bind(net) for part in self.parts]
        return Bound(
            frozenset[str]().union(*(part.layers for part in bound)),
            lambda view: torch.stack([part.value(view) for part in bound]).sum(0),
            any(part.fixed for part in bound),
        )

    def __str__(self) -> str:
        text = str(self.parts[0])
        for part in self.parts[1:]:
            said = str(part)
            text += f" - {said[1:].lstrip()}" if said.startswith("-") else f" + {said}"
        return text


@dataclass(frozen=True)
class Scaled(Objective):
    """One, so many times."""

    part: Objective
    times: float

    def bind(self, net: Network) -> Bound:
        """The value times the number."""
        bound = self.part.bind(net)
        return replace(bound, value=lambda view: self.times * bound.value(view))

    def __str__(self) -> str:
        if isinstance(self.part, Scaled):
            return str(Scaled(self.part.part, self.times * self.part.times))
        if isinstance(self.part, Sum):
            return str(Sum(tuple(Scaled(part, self.times) for part in self.part.parts)))
        sign = "-" if self.times < 0 else ""
        size = abs(self.times)
        return f"{sign}{self.part}" if size == 1 else f"{sign}{number(size)} * {self.part}"


@dataclass(frozen=True)
class Each(Objective):
    """For every image of a batch one of its own: a grid of channels is one run."""

    parts: tuple[Objective, ...]

    def bind(self, net: Network) -> Bound:
        """The value of each for its image."""
        bound = [part.bind(net) for part in self.parts]
        layers = frozenset[str]().union(*(part.layers for part in bound))
        fixed = any(part.fixed for part in bound)
        together = type(self.parts[0]).together(self.parts, net)

        def value(view: View) -> Values:
            if len(view.images) != len(bound):
                raise PellucidError(
                    f"{len(bound)} objectives are for as many pictures, not for {len(view.images)}"
                )
            if together is not None:
                return together(view)
            pairs = zip(bound, view.each(), strict=True)
            return torch.cat([part.value(one) for part, one in pairs])

        read = [channel for part in bound for channel in part.channels or ()]
        alone = len(layers) == 1 and len(read) == len(bound)
        return Bound(layers, value, fixed, tuple(read) if alone else None)

    def __str__(self) -> str:
        return "; ".join(map(str, self.parts))


def each(parts: Sequence[Objective]) -> Objective:
    """For every image of a batch an objective of its own."""
    return Each(tuple(parts))
