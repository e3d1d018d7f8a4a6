"""Area: where in a photo a network that answers place by place answers with a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

if TYPE_CHECKING:
    from pellucid.network import Network

# Labels of what is no thing of its own, without the underscores around them.
BACKGROUND = ("background", "bg")


def background(label: str) -> bool:
    """Whether a label says that there is none of the other classes."""
    return label.strip().strip("_").casefold() in BACKGROUND


def winners(
    scores: Float[Tensor, "batch classes height width"],
) -> Int[Tensor, "batch height width"]:
    """The most probable class of each place.

    Of an only class 0 where its score is above 0, else -1: with a sigmoid behind it, one half.
    """
    if scores.shape[1] == 1:
        return (scores[:, 0] > 0).long() - 1
    return scores.argmax(1)


def sizes(winners: Int[Tensor, "height width"], classes: int) -> Int[Tensor, "classes"]:
    """The number of places of each class."""
    return torch.bincount(winners.flatten() + 1, minlength=classes + 1)[1:]


def foremost(winners: Int[Tensor, "height width"], labels: Sequence[str]) -> int:
    """The class of the largest area; background only where there is nothing else."""
    counts = sizes(winners, len(labels)).cpu()
    things = [not background(label) for label in labels]
    among = counts * torch.tensor(things)
    return int((among if bool(among.any()) else counts).argmax())


@dataclass(frozen=True)
class Answers:
    """What a network answers for photos, place by place; asked for when it is needed, and once.

    Attributes:
        inputs: the photos.
    """

    net: Network
    inputs: Float[Tensor, "photos channels height width"]

    @cached_property
    def winners(self) -> Int[Tensor, "photos height width"]:
        """The class of each place; see `winners`."""
        with torch.no_grad():
            return torch.cat([winners(self.net.scores(one[None])) for one in self.inputs])

    def foremost(self) -> list[int]:
        """The class of the largest area in each photo; see `foremost`."""
        return [foremost(one, self.net.labels) for one in self.winners]


@dataclass(frozen=True)
class Area:
    """Places whose scores are averaged.

    Attributes:
        places: where the network answers with the class; nowhere, all.
        nowhere: whether it does so at no place.
    """

    places: Bool[Tensor, "height width"]
    nowhere: bool

    @classmethod
    def of(cls, winners: Int[Tensor, "height width"], number: int) -> Area:
        """Of a class, in one photo."""
        places = winners == number
        nowhere = not bool(places.any())
        return cls(torch.ones_like(places) if nowhere else places, nowhere)

    def weights(self, kind: torch.dtype) -> Float[Tensor, "height width"]:
        """That make the mean of a sum."""
        return self.places.to(kind) / self.places.sum().to(kind)

    def told(self, number: str) -> str:
        """For captions: what the number of the class is the mean of."""
        rows, columns = self.places.shape
        if self.nowhere:
            return f"{number} is the mean over all {rows} x {columns} places, for it wins at none"
        share = float(self.places.float().mean())
        shown = f"{share:.0%}" if share >= 0.005 else str(int(self.places.sum()))
        return f"{number} is the mean over the {shown} of {rows} x {columns} places where it wins"
