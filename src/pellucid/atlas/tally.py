"""Tally: what is counted of every channel, exactly, in however many parts a collection is read."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

BINS = 32
FINE = 24  # bits below a channel's usual size that a mean is rounded to


@dataclass(frozen=True, eq=False)
class Scale:
    """How a channel's numbers are counted; set once, from the first images of a collection.

    Attributes:
        exponent: (channels,), two to the power of it is about the greatest value to be expected.
        low, high: (channels,), the histogram's ends; what lies beyond counts in its end bins.
    """

    exponent: Int[Tensor, "channels"]
    low: Float[Tensor, "channels"]
    high: Float[Tensor, "channels"]

    @classmethod
    def of(cls, highest: Float[Tensor, "batch channels"]) -> Scale:
        """From each map's greatest value, of the first batch."""
        low, high = highest.amin(0).double(), highest.amax(0).double()
        low = torch.where(low > 0, 0.0, low)
        high = torch.where(high > low, low + 1.5 * (high - low), low + 1)
        size = torch.maximum(low.abs(), high.abs())
        return cls(torch.frexp(size)[1].long(), low.float(), high.float())

    @property
    def edges(self) -> Float[Tensor, "channels edges"]:
        """Between the histogram's bins, one more than there are bins."""
        steps = torch.linspace(0, 1, BINS + 1)
        return self.low[:, None] + (self.high - self.low)[:, None] * steps


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts and sums of a layer's channels.

    All are whole numbers, so that adding them up gives the same in whatever order.

    Attributes:
        scale: how the numbers are counted.
        images: seen.
        places: of each image.
        sums: (channels,), of the images' means, in units of 2 ** (exponent - FINE).
        active: (channels,), places where the value is above zero.
        highest: (channels,), the greatest value anywhere.
        lowest: (channels,), the smallest of the images' greatest values.
        counts: (channels, bins), images by their greatest value.
    """

    scale: Scale
    images: int
    places: int
    sums: Int[Tensor, "channels"]
    active: Int[Tensor, "channels"]
    highest: Float[Tensor, "channels"]
    lowest: Float[Tensor, "channels"]
    counts: Int[Tensor, "channels bins"]

    @classmethod
    def none(cls, scale: Scale, places: int) -> Tally:
        """Of no images at all."""
        channels = len(scale.exponent)
        zero, end = torch.zeros(channels, dtype=torch.long), torch.full((channels,), torch.inf)
        counts = torch.zeros(channels, BINS, dtype=torch.long)
        return cls(scale, 0, places, zero, zero.clone(), -end, end, counts)

    def updated(
        self,
        highest: Float[Tensor, "batch channels"],
        means: Float[Tensor, "batch channels"],
        active: Float[Tensor, "batch channels"],
    ) -> Tally:
        """With a batch: each map's greatest value, its mean, and how many of its places are on."""
        low, span = self.scale.low, self.scale.high - self.scale.low
        bins = ((highest - low) / span * BINS).nan_to_num(0).clamp(0, BINS - 1).long()
        counts = torch.zeros_like(self.counts).scatter_add_(1, bins.T, torch.ones_like(bins.T))
        units = torch.ldexp(means.double(), FINE - self.scale.exponent)
        more = Tally(
            self.scale,
            len(highest),
            self.places,
            units.nan_to_num(0, 0, 0).round().long().sum(0),
            active.long().sum(0),
            highest.amax(0),
            highest.amin(0),
            counts,
        )
        return self.merged(more)

    def merged(self, other: Tally) -> Tally:
        """Of the images of both."""
        return replace(
            self,
            images=self.images + other.images,
            sums=self.sums + other.sums,
            active=self.active + other.active,
            highest=torch.maximum(self.highest, other.highest),
            lowest=torch.minimum(self.lowest, other.lowest),
            counts=self.counts + other.counts,
        )

    def statistics(self) -> Statistics:
        """What the counts say."""
        images = max(1, self.images)
        return Statistics(
            images=self.images,
            mean=(torch.ldexp(self.sums.double(), self.scale.exponent - FINE) / images).float(),
            highest=self.highest,
            lowest=self.lowest,
            active=(self.active.double() / (images * self.places)).float(),
            edges=self.scale.edges,
            counts=self.counts,
        )


@dataclass(frozen=True, eq=False)
class Statistics:
    """How a layer's channels answer to a collection.

    Attributes:
        images: seen.
        mean: (channels,), over all images and places.
        highest: (channels,), the greatest value anywhere.
        lowest: (channels,), the smallest of the images' greatest values.
        active: (channels,), the share of places where the value is above zero.
        edges: (channels, bins + 1), of the histogram.
        counts: (channels, bins), images by their greatest value; the end bins hold what lies
            beyond them.
    """

    images: int
    mean: Float[Tensor, "channels"]
    highest: Float[Tensor, "channels"]
    lowest: Float[Tensor, "channels"]
    active: Float[Tensor, "channels"]
    edges: Float[Tensor, "channels edges"]
    counts: Int[Tensor, "channels bins"]
