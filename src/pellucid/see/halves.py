"""Halves: how answers go with masks, in every other of them by itself, and how far both agree."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.see.readings import rounding


class Halves:
    """The sums over one photo's masks, of every other one by itself, as more are tried.

    Args:
        clean: the targets' values of the whole photo. Sums are of what differs from them, so that
            those of what never changes are exact zeros.
        size: height and width of the masks.
        chance: the mean of the masks.
    """

    def __init__(
        self, clean: Float[Tensor, "targets"], size: tuple[int, int], chance: float
    ) -> None:
        self.clean = clean
        self.size = size
        self.chance = chance
        kind = torch.float64
        self.count = torch.zeros(2, dtype=kind)
        self.changes = torch.zeros(2, len(clean), dtype=kind)
        self.shown = torch.zeros(2, size[0] * size[1], dtype=kind)
        self.together = torch.zeros(2, len(clean), size[0] * size[1], dtype=kind)
        self.greatest = torch.zeros(len(clean))

    def add(
        self,
        numbers: Sequence[int],
        answers: Float[Tensor, "some targets"],
        masks: Float[Tensor, "some height width"],
    ) -> None:
        """Some more masks, by their numbers, and the targets' values under them."""
        change = answers - self.clean
        self.greatest = torch.maximum(self.greatest, change.abs().amax(0))
        for half in (0, 1):
            own = [place for place, number in enumerate(numbers) if number % 2 == half]
            pixels = masks[own].flatten(1)
            self.count[half] += len(own)
            self.changes[half] += change[own].sum(0)
            self.shown[half] += pixels.sum(0).cpu()
            self.together[half] += (change[own].to(pixels).T @ pixels).cpu()

    def mean(self) -> Float[Tensor, "targets"]:
        """Of the targets' values under all masks."""
        return self.clean + (self.changes.sum(0) / self.count.sum()).float()

    def still(self, dtype: torch.dtype) -> Bool[Tensor, "targets"]:
        """Of each target whether no mask changes it by more than roundings."""
        return self.greatest <= rounding(self.clean, dtype)

    def maps(self, halves: Sequence[int] = (0, 1)) -> Float[Tensor, "targets height width"]:
        """How much more of each target there is with a pixel shown than on average."""
        some = list(halves)
        count, changes = self.count[some].sum(), self.changes[some].sum(0)
        shown, together = self.shown[some].sum(0), self.together[some].sum(0)
        found = (together - changes[:, None] / count * shown) / (count * self.chance)
        return found.reshape(len(changes), *self.size)

    def agreement(self) -> Float[Tensor, "targets"]:
        """Linear correlation of the maps of both halves: 1 for the same pattern, 0 for chance."""
        one, other = (self.maps([half]).flatten(1) for half in (0, 1))
        one, other = (each - each.mean(1, keepdim=True) for each in (one, other))
        lengths = one.norm(dim=1) * other.norm(dim=1)
        found: Tensor = (one * other).sum(1) / lengths.where(lengths > 0, 1)
        return found.float()
