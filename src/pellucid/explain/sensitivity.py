"""Sensitivity: how much a map changes when the photo hardly does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.images import Photo
from pellucid.network import Network
from pellucid.preprocess import Frame

Explain = Callable[[Network], Float[Tensor, "height width"]]


class Shaken(Network):
    """A network that is given every photo with the same small noise on it.

    The noise is added to the prepared input: a photo itself has steps of 1/255 and more pixels,
    over which the noise would average out.
    """

    noise: Tensor

    @classmethod
    def of(cls, net: Network, radius: float, chance: torch.Generator | None = None) -> Shaken:
        """With new noise, uniform within `radius` of the pixels' range 0 to 1."""
        same = cls.__new__(cls)
        same.__dict__.update(net.__dict__)
        even = torch.rand(net.blank().shape, dtype=torch.float64, generator=chance)
        pixels = (even * 2 - 1) * radius
        grey = torch.zeros_like(pixels)
        normalise = net.preprocess.normalise
        same.noise = normalise(pixels) - normalise(grey)  # scaled as pixels are, not moved
        return same

    def prepare(self, photo: Photo) -> tuple[Float[Tensor, "1 channels height width"], Frame]:
        """The photo as normalised input, with the noise."""
        inputs, frame = super().prepare(photo)
        return inputs + self.noise.to(inputs), frame


def changes(
    net: Network,
    explain: Explain,
    clean: Float[Tensor, "h w"],
    radius: float,
    samples: int,
    chance: torch.Generator | None = None,
) -> Iterator[float]:
    """The size of the map's change relative to the map, for one noise after the other.

    Their greatest is the max-sensitivity of Yeh et al. (2019), estimated from below.
    """
    size = float(clean.double().norm()) or 1.0  # of a map of zeros, the change itself
    for _ in range(samples):
        yield float((explain(Shaken.of(net, radius, chance)) - clean).double().norm()) / size
