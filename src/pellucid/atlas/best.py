"""Best: of every channel the places in a collection where it answers most."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

NONE = -1  # of image and place, where there are fewer images than places to keep


@dataclass(frozen=True, eq=False)
class Best:
    """The `keep` greatest values of each channel, the greatest first.

    Of equal values the one in the earlier image, and in it at the earlier place, comes first. So
    it is the same in whatever order, and in however many parts, a collection is gone through.

    Attributes:
        values: (channels, keep); minus infinity where there is none.
        images: (channels, keep), the number of the image; -1 where there is none.
        places: (channels, keep), row-major on the layer's grid; -1 where there is none.
    """

    values: Float[Tensor, "channels keep"]
    images: Int[Tensor, "channels keep"]
    places: Int[Tensor, "channels keep"]

    @classmethod
    def none(cls, channels: int, keep: int) -> Best:
        """Of no images at all."""
        nowhere = torch.full((channels, keep), NONE)
        return cls(torch.full((channels, keep), -torch.inf), nowhere, nowhere.clone())

    def negated(self) -> Best:
        """The same places with the sign of their values turned."""
        return replace(self, values=-self.values)

    def telling(self, negative: bool) -> Best:
        """Without those that say nothing: the first zeros of many, and what is not negative.

        Args:
            negative: it is the most negative places.
        """
        # A channel that is 0 where it is greatest never answers.
        answers = (self.values != 0) & (self.values[:, :1] != 0)
        there = self.values < 0 if negative else answers
        return Best(
            self.values.where(there, torch.inf if negative else -torch.inf),
            self.images.where(there, NONE),
            self.places.where(there, NONE),
        )

    def merged(self, other: Best) -> Best:
        """The best of both, of other images or other places."""
        keep = self.values.shape[1]
        values = torch.cat([self.values, other.values], 1)
        images = torch.cat([self.images, other.images], 1)
        places = torch.cat([self.places, other.places], 1)
        order = _order(values, images, places)[:, :keep]
        return Best(values.gather(1, order), images.gather(1, order), places.gather(1, order))

    def updated(
        self,
        maps: Float[Tensor, "batch channels height width"],
        highest: Float[Tensor, "batch channels"],
        images: Int[Tensor, "batch"],
        per_image: int = 1,
    ) -> Best:
        """The best of these and of a batch.

        Args:
            maps: the layer's answer.
            highest: the greatest value in each map, which costs little and tells which maps matter.
            images: the number of each image, rising, greater than those seen before.
            per_image: at most so many places of one image for each channel.
        """
        keep = min(self.values.shape[1], len(images))
        # A map with what is not a number in it has no greatest value.
        highest = highest.nan_to_num(-torch.inf, torch.inf, -torch.inf)
        tops, which = highest.sort(dim=0, descending=True, stable=True)
        tops, which = tops[:keep].T, which[:keep].T  # channels, keep
        # An equal value in a later image does not come in, so "greater" says it all.
        enters = tops > self.values[:, -1:].to(tops.device)
        channels, ranks = enters.nonzero(as_tuple=True)
        if not len(channels):
            return self
        rows = which[channels, ranks]
        flat = maps[rows, channels].flatten(1)
        # Most channels keep what they have once many images were seen: only the others are sorted.
        changed, among = torch.unique(channels.cpu(), return_inverse=True)
        best = Best(self.values[changed], self.images[changed], self.places[changed])
        for _ in range(min(per_image, flat.shape[1])):
            part, at = best._spread(among, images, rows, *_peak(flat))
            best = best.merged(part)
            flat.scatter_(1, at[:, None].to(flat.device), -torch.inf)
        return Best(
            self.values.index_copy(0, changed, best.values),
            self.images.index_copy(0, changed, best.images),
            self.places.index_copy(0, changed, best.places),
        )

    def _spread(
        self, channels: Tensor, images: Tensor, rows: Tensor, values: Tensor, places: Tensor
    ) -> tuple[Best, Tensor]:
        """Single values as a table of channels; several of one channel lie side by side."""
        channels, rows, values, at = (one.cpu() for one in (channels, rows, values, places))
        counts = torch.bincount(channels, minlength=len(self.values))
        column = torch.arange(len(channels)) - (counts.cumsum(0) - counts)[channels]
        made = Best.none(len(self.values), int(counts.max()))
        made.values[channels, column] = values.float()
        there = values > -torch.inf
        made.images[channels, column] = torch.where(there, images.cpu()[rows], NONE)
        made.places[channels, column] = torch.where(there, at, NONE)
        return made, at


def _peak(flat: Float[Tensor, "maps places"]) -> tuple[Tensor, Tensor]:
    """The greatest value of each row, and the first place that has it."""
    values = flat.amax(1)
    places = torch.arange(flat.shape[1], device=flat.device)
    return values, torch.where(flat == values[:, None], places, flat.shape[1]).amin(1)


def _order(values: Tensor, images: Tensor, places: Tensor) -> Tensor:
    """By value, the greatest first; of equal ones by image, then by place."""
    order = places.argsort(dim=1, stable=True)
    order = order.gather(1, images.gather(1, order).argsort(dim=1, stable=True))
    return order.gather(1, values.gather(1, order).argsort(dim=1, descending=True, stable=True))
