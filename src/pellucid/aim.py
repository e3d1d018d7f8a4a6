"""Aim: the kinds of targets, each one number for every image; `target` finds them by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.area import Answers, Area, background
from pellucid.unit import Unit

if TYPE_CHECKING:
    from pellucid.network import Network


class Target(ABC):
    """One number for each image: a unit, the best class of each photo, or one's own function.

    Attributes:
        layers: what has to be recorded; "" is the network's own output.
        what: the kind of number: "score", "activation", "value".
    """

    layers: frozenset[str]
    what: ClassVar[str] = "value"

    @abstractmethod
    def name(self, row: int) -> str:
        """What it is called for the photo of that number."""

    @abstractmethod
    def read(
        self, seen: Mapping[str, Tensor], rows: Int[Tensor, "batch"]
    ) -> Float[Tensor, "batch"]:
        """Its value for each image of a batch.

        Args:
            seen: outputs by layer name.
            rows: for each image the number of the photo that it was made of.
        """

    def alone(self, net: Network, row: int) -> Target:
        """The same for the photo of that number alone."""
        return self

    def told(self, row: int, number: str) -> str:
        """What a caption has to add on how its number is read; mostly nothing.

        Args:
            number: what the caption calls it.
        """
        return ""


@dataclass(frozen=True)
class UnitTarget(Target):
    """A class score, a neuron, or the mean of a channel over its places."""

    net: Network
    unit: Unit

    @property
    def layers(self) -> frozenset[str]:  # type: ignore[override]
        """The unit's own layer."""
        return frozenset({"" if self.unit.is_class else self.unit.layer})

    @property
    def what(self) -> str:  # type: ignore[override]
        """Of a class its score, of another unit its activation."""
        return "score" if self.unit.is_class else "activation"

    def name(self, row: int) -> str:
        """That of the unit."""
        return str(self.unit)

    def read(
        self, seen: Mapping[str, Tensor], rows: Int[Tensor, "batch"]
    ) -> Float[Tensor, "batch"]:
        """The unit's value."""
        (layer,) = self.layers
        return self.unit.value(seen[layer], self.net.layers[layer].layout)


@dataclass(frozen=True)
class BestTarget(Target):
    """The score of the class that each photo is most probably of."""

    units: tuple[Unit, ...]
    layers: frozenset[str] = frozenset({""})
    what: ClassVar[str] = "score"

    def name(self, row: int) -> str:
        """That of the photo's own class."""
        return str(self.units[row])

    def read(
        self, seen: Mapping[str, Tensor], rows: Int[Tensor, "batch"]
    ) -> Float[Tensor, "batch"]:
        """The score of the class of the photo that each image was made of."""
        channels = torch.tensor([unit.channel for unit in self.units], device=rows.device)
        return seen[""].gather(1, channels[rows][:, None])[:, 0]

    def alone(self, net: Network, row: int) -> Target:
        """The class of that photo."""
        return UnitTarget(net, self.units[row])


@dataclass(frozen=True)
class AreaTarget(Target):
    """The mean score of a class over the places where the network answers with it.

    Which these are is settled once for each photo, so that gradients, masks and networks with
    other weights are asked about the same places.

    Attributes:
        units: the class of each photo.
        areas: its places in each photo.
        why: this class, where it was not named; for captions.
    """

    units: tuple[Unit, ...]
    areas: tuple[Area, ...]
    why: str = ""
    layers: frozenset[str] = frozenset({""})
    what: ClassVar[str] = "score"

    @classmethod
    def of(cls, answers: Answers, unit: Unit | None) -> AreaTarget:
        """Of a class that is named, or of that of the largest area in each photo."""
        net, found = answers.net, answers.winners
        units = [unit or net.unit(number) for number in answers.foremost()]
        areas = [Area.of(*each) for each in zip(found, (u.channel for u in units), strict=True)]
        but = " but background" if any(map(background, net.labels)) else ""
        why = "" if unit else f"; of all classes{but} it has the largest area"
        return cls(tuple(units), tuple(areas), why)

    def name(self, row: int) -> str:
        """That of the class."""
        return str(self.units[row])

    def read(
        self, seen: Mapping[str, Tensor], rows: Int[Tensor, "batch"]
    ) -> Float[Tensor, "batch"]:
        """The mean over the places that were settled for the photo that each image was made of."""
        kind = torch.promote_types(seen[""].dtype, torch.float32)
        weights = torch.stack([area.weights(kind) for area in self.areas]).to(rows.device)[rows]
        # One class of all is a slice of the scores, as those can tell who write operations down.
        first, *others = dict.fromkeys(unit.channel for unit in self.units)
        scores = seen[""][:, first]
        if others:
            channels = torch.tensor([unit.channel for unit in self.units], device=rows.device)
            scores = seen[""][torch.arange(len(rows), device=rows.device), channels[rows]]
        return (scores.to(kind) * weights).sum((1, 2))

    def alone(self, net: Network, row: int) -> Target:
        """That photo's class and places."""
        return AreaTarget((self.units[row],), (self.areas[row],), self.why)

    def told(self, row: int, number: str) -> str:
        """Which places it is the mean over, and why this class."""
        return f"; {self.areas[row].told(number)}{self.why}"
