"""Guiding: guided gradients of many neurons, each in a photo of its own, in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.explain.gradient import gradients
from pellucid.explain.override import Override
from pellucid.images import Photo
from pellucid.network import Network
from pellucid.preprocess import Frame
from pellucid.progress import finished
from pellucid.question import Question
from pellucid.surroundings import plain
from pellucid.target import Target


@dataclass(frozen=True)
class Spots(Target):
    """Of each photo another neuron of one layer.

    Attributes:
        spots: of each photo the channel, and the place row-major on the layer's grid.
    """

    net: Network
    layer: str
    spots: tuple[tuple[int, int], ...]

    @property
    def layers(self) -> frozenset[str]:  # type: ignore[override]
        """The neurons' own layer."""
        return frozenset({self.layer})

    @property
    def what(self) -> str:  # type: ignore[override]
        """An activation."""
        return "activation"

    def name(self, row: int) -> str:
        """That of the photo's own neuron."""
        channel, place = self.spots[row]
        y, x = divmod(place, self.net.layers[self.layer].layout.grid[1])
        return f"{self.layer}:{channel}@{y},{x}"

    def read(
        self, seen: Mapping[str, Tensor], rows: Int[Tensor, "batch"]
    ) -> Float[Tensor, "batch"]:
        """The neuron's value."""
        maps = self.net.layers[self.layer].layout.maps(seen[self.layer]).flatten(2)
        channels, places = torch.tensor(self.spots, device=rows.device)[rows].T
        return maps[torch.arange(len(maps), device=rows.device), channels, places]


def guided(
    net: Network,
    layer: str,
    photos: Sequence[Photo],
    spots: Sequence[tuple[int, int]],
) -> tuple[Float[Tensor, "photos channels height width"], Float[Tensor, "photos"]]:
    """Guided backpropagation (Springenberg et al. 2015) of each photo's neuron, and its value.

    What the method `guided` finds of one neuron, photo by photo; here they share their passes.

    Raises:
        PellucidError: no rectifier lies on the way, and it would be the plain gradient.
    """
    ready = [net.prepare(photo) for photo in photos]
    frames: tuple[Frame, ...] = tuple(frame for _, frame in ready)
    target = Spots(net, layer, tuple(spots))
    inputs = torch.cat([image for image, _ in ready])
    asked = Question(net, tuple(photos), frames, inputs, (target,), False)
    with net.at_rest(), plain(net.device):
        found = finished(gradients(asked, override=Override("guided", asked)))
    return found.maps[:, 0].float().cpu(), found.values[:, 0].float().cpu()
