"""Terms: what a picture is held against, as sums over places: of parts they add up to the whole."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.make.canvas import Image
from pellucid.make.gram import products

LEAST = 1e-6  # of what an error is a share of


@dataclass(frozen=True)
class Seen:
    """A part of a picture, as layers see it.

    Attributes:
        maps: by layer, of the places that belong to the part.
        places: by layer the first row and column of these, in the whole.
    """

    maps: Mapping[str, Float[Tensor, "1 channels h w"]]
    places: Mapping[str, tuple[int, int]]

    def cut(self, whole: Float[Tensor, "channels height width"], layer: str) -> Tensor:
        """The same places of something that is there for all places of a layer."""
        top, left = self.places[layer]
        height, width = self.maps[layer].shape[2:]
        return whole[:, top : top + height, left : left + width].to(self.maps[layer].device)


class Term(ABC):
    """Something that is to become small.

    Attributes:
        layer: that it looks at.
        name: for people.
        weight: of its loss in the sum of all.
    """

    layer: str
    name: str
    weight: float

    @abstractmethod
    def sums(self, seen: Seen) -> tuple[Tensor, float]:
        """Sums over the places of a part, and how many places those are."""

    @abstractmethod
    def loss(self, sums: Tensor, places: float) -> Float[Tensor, ""]:
        """From the sums over all places; before its weight."""


@dataclass(frozen=True)
class GramTerm(Term):
    """The Gram matrix of a layer, as far from a wanted one as that is great: 1 is as far as none.

    Attributes:
        wanted: the mean over places.
        mask: how much each place counts; None: all alike.
    """

    layer: str
    wanted: Float[Tensor, "channels channels"]
    weight: float = 1.0
    mask: Float[Tensor, "height width"] | None = None
    name: str = ""

    def sums(self, seen: Seen) -> tuple[Tensor, float]:
        """See `Term.sums`."""
        return gram_sums(seen, self.layer, self.mask)

    def loss(self, sums: Tensor, places: float) -> Float[Tensor, ""]:
        """See `Term.loss`."""
        wanted = self.wanted.to(sums)
        away = (sums / max(places, 1e-12) - wanted).square().sum()
        return away / wanted.square().sum().clamp(min=LEAST)


@dataclass(frozen=True)
class NearTerm(Term):
    """A layer place by place, as far from a wanted one as that differs from its own mean."""

    layer: str
    wanted: Float[Tensor, "channels height width"]
    weight: float = 1.0
    name: str = ""

    def sums(self, seen: Seen) -> tuple[Tensor, float]:
        """See `Term.sums`."""
        maps = seen.maps[self.layer][0]
        away = F.mse_loss(maps, seen.cut(self.wanted, self.layer), reduction="sum")
        return away, float(maps.shape[1] * maps.shape[2])

    def loss(self, sums: Tensor, places: float) -> Float[Tensor, ""]:
        """See `Term.loss`."""
        return sums / max(places, 1.0) / self.spread

    @cached_property
    def spread(self) -> float:
        """How much the wanted maps differ from their mean, at a place."""
        wanted = self.wanted.flatten(1)
        spread = float((wanted - wanted.mean(1, keepdim=True)).square().sum(0).mean())
        whole = float(wanted.square().sum(0).mean())
        # A picture of one shade differs from nothing.
        return max(whole if spread <= 1e-6 * whole else spread, 1e-12)


@dataclass(frozen=True)
class SmoothTerm(Term):
    """Total variation: mean square of the difference between neighbours."""

    layer: str  # the pixels
    weight: float = 1.0
    name: str = "smoothness"

    def sums(self, seen: Seen) -> tuple[Tensor, float]:
        """See `Term.sums`."""
        maps = seen.maps[self.layer][0]
        below, right, corner = maps.chunk(3)  # means over two neighbours, and half their change
        away = (right - corner).square().sum() + (below - corner).square().sum()
        return away, float(maps.shape[1] * maps.shape[2])

    def loss(self, sums: Tensor, places: float) -> Float[Tensor, ""]:
        """See `Term.loss`."""
        return sums / max(places, 1.0)


def gram_sums(
    seen: Seen,
    layer: str,
    mask: Float[Tensor, "height width"] | None = None,
) -> tuple[Float[Tensor, "channels channels"], float]:
    """Sums over places of the products of each two channels, and how many places those are.

    As `gram.gram`, not yet divided: a part of a picture may have no place of a coarse layer.
    """
    maps = seen.maps[layer]
    if mask is None:
        return products(maps)[0], float(maps.shape[2] * maps.shape[3])
    here = seen.cut(mask[None], layer)
    return products(maps * here.sqrt())[0], float(here.sum())


def details(images: Image) -> Float[Tensor, "batch three_times height width"]:
    """Of each 2 x 2 pixels, upper left first, how they differ: downward, across, and crosswise.

    Haar's details, at every pixel; beyond the rim it goes on as it ends. Colours and larger forms
    are for the network to see: beside them what varies from pixel to pixel would be drowned.
    """
    wide = F.pad(images, (0, 1, 0, 1), mode="replicate")
    left, right = wide[:, :, :, :-1], wide[:, :, :, 1:]
    both, change = left + right, right - left
    return (
        torch.cat(
            [
                both[:, :, 1:] - both[:, :, :-1],
                change[:, :, 1:] + change[:, :, :-1],
                change[:, :, 1:] - change[:, :, :-1],
            ],
            1,
        )
        / 2
    )


def fitted(mask: Float[Tensor, "height width"], size: tuple[int, int]) -> Float[Tensor, "h w"]:
    """A mask at another size: of each place the mean."""
    return F.interpolate(mask[None, None], size, mode="area")[0, 0]
