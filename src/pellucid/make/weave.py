"""Weave: a texture's sample, and how a picture of any size is held against it."""

from __future__ import annotations

from math import ceil

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.images import Photo
from pellucid.make.canvas import GREY, Image
from pellucid.make.mosaic import Mosaic, reach
from pellucid.make.octaves import resized
from pellucid.make.runner import Runner, runs
from pellucid.make.strata import PIXELS, steps
from pellucid.make.synthesis import Edge, Look
from pellucid.make.terms import GramTerm
from pellucid.make.tiling import Part, mirrored
from pellucid.network import Network

NOISE = 0.5  # of the noise that is begun with, share of the sample's own contrast
FAINT = 1e-4  # variance of colours along an axis, share of the greatest, that counts as none


class Weave:
    """A sample at every size that is worked on.

    What lies near the rim is seen by the network with nothing beside it. So of the sample only
    places farther inside count, and the picture is continued on all sides: by its mirror, or by
    itself where its copies are to fit together.

    Args:
        sample: normalised.
        weights: of the layers; see `strata`.
        size: of the finished picture.
        seamless: whether its copies are to fit together.
        tile: see `Mosaic`.
    """

    def __init__(
        self,
        net: Network,
        sample: Image,
        weights: dict[str, float],
        size: tuple[int, int],
        seamless: bool,
        tile: int | None,
    ) -> None:
        self.net, self.sample, self.weights = net, sample, weights
        self.size, self.seamless, self.tile = size, seamless, tile
        hidden = frozenset(weights) - {PIXELS}
        self.reach = reach(net, hidden)
        self.free = not hidden or not Runner(net, hidden, _wider(net), copied=False).resized
        stride = max(round(steps(net, name)) for name in weights)
        # Half of what is seen: what lies farther off counts little.
        self.rim = ceil(self.reach / 2 / stride) * stride if self.free else 0

    def look(self, size: tuple[int, int]) -> Look:
        """How a picture is held against the sample at the same scale."""
        scale = (size[0] * size[1] / (self.size[0] * self.size[1])) ** 0.5
        rim = max(self.rim, room(self.net, frozenset(self.weights) - {PIXELS}, size))
        rows, columns = (Part(rim, rim + side, 0) for side in size)
        shown = size[0] + 2 * rim, size[1] + 2 * rim
        mosaic = Mosaic(self.net, list(self.weights), shown, tile=self.tile)
        window = (rows, columns) if rim else None
        edge: Edge = "wrap" if self.seamless else "mirror"
        return Look(mosaic, self._terms(scale), window, rim, edge)

    def _terms(self, scale: float) -> list[GramTerm]:
        """The sample's Gram matrices."""
        size = tuple(max(8, round(side * scale)) for side in self.sample.shape[2:])
        image = resized(self.sample, (size[0], size[1]))
        image = roomy(self.net, image, frozenset(self.weights) - {PIXELS})
        tall, wide = image.shape[2:]
        trim = min(self.reach // 2, min(tall, wide) // 4) if self.free else 0
        mosaic = Mosaic(self.net, list(self.weights), (tall, wide), tile=self.tile)
        window = (Part(trim, tall - trim, 0), Part(trim, wide - trim, 0)) if trim else None
        found = grams(mosaic, image.to(self.net.dtype), window)
        return [
            GramTerm(name, found[name], weight, name=name) for name, weight in self.weights.items()
        ]


def grams(
    mosaic: Mosaic, images: Image, window: tuple[Part, Part] | None = None
) -> dict[str, Float[Tensor, "channels channels"]]:
    """The Gram matrix of each layer, of a picture of any size."""
    terms = [GramTerm(name, torch.zeros(0, 0)) for name in mosaic.layers]
    found = mosaic.sums(images, terms, window)
    return {name: sums / places for name, (sums, places) in zip(mosaic.layers, found, strict=True)}


def laid(net: Network, photo: Photo, longest: int, exact: bool = False) -> Image:
    """A photo as the network's input at its own size, or with its longer side so long.

    Args:
        exact: enlarged too, where it is smaller.
    """
    image = photo.floats()[None]
    if net.preprocess.channels == 1:
        image = (image * GREY).sum(1, keepdim=True)
    longer = max(photo.size)
    wanted = longest if exact else min(longer, longest)
    height, width = (max(1, round(side * wanted / longer)) for side in photo.size)
    return net.preprocess.normalise(resized(image, (height, width)).clamp(0, 1)).to(net.device)


def room(net: Network, layers: frozenset[str], size: tuple[int, int]) -> int:
    """Px that a picture is to be continued by on each side, for the network to take it."""
    own = net.preprocess.size
    if min(size) >= min(own) or not layers or runs(net, layers, size):
        return 0
    return -(-(max(own) - min(size)) // 32) * 16


def roomy(
    net: Network, images: Image, layers: frozenset[str]
) -> Float[Tensor, "batch channels tall wide"]:
    """Mirrored around the rim, where the network takes nothing so small."""
    size = images.shape[2], images.shape[3]
    own = net.preprocess.size
    if not layers or size == own or runs(net, layers, size):
        return images
    if min(size) >= min(own):  # it takes its own size only, and what it is shown is resized
        return images
    rows, columns = (
        mirrored(length, max(length, side)).to(images.device)
        for length, side in zip(size, own, strict=True)
    )
    return images[:, :, rows][:, :, :, columns]


def noise(
    sample: Image, size: tuple[int, int], seed: int
) -> tuple[Float[Tensor, "1 channels tall wide"], Float[Tensor, "channels channels"]]:
    """Noise in the sample's colours, and these: their covariance, of greatest variance 1.

    Along an axis on which the sample's colours do not differ the noise does not either: of a grey
    sample it is grey.
    """
    channels = sample.shape[1]
    colours = sample[0].flatten(1).double().cpu()
    mean = colours.mean(1)
    away = colours - mean[:, None]
    values, vectors = torch.linalg.eigh(away @ away.mT / away.shape[1])
    values = values.clamp(min=0)
    greatest = float(values.max())
    values = values * (values > FAINT * greatest)
    if greatest <= 1e-8:  # of one shade
        values, greatest = torch.ones_like(values), 1.0
    random = torch.Generator().manual_seed(seed)
    draws = torch.randn(channels, size[0] * size[1], generator=random).double()
    root = vectors @ torch.diag(values.sqrt())
    begin = mean[:, None] + NOISE * root @ draws
    # Rare colours take smaller steps, though not as small as they are rare.
    gentle = vectors @ torch.diag((values / greatest).sqrt()) @ vectors.mT
    image = begin.reshape(1, channels, *size).float()
    return image.to(sample.device), gentle.float().to(sample.device)


def _wider(net: Network) -> tuple[int, int]:
    height, width = net.preprocess.size
    return height + 64, width + 64
