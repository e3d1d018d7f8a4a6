"""Code: what a layer answers to a photo, and how near another picture's answer comes to it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.make.objective import Bound, Objective, Values
from pellucid.network import Network


@dataclass(frozen=True, eq=False)
class Code(Objective):
    """Minus the squared distance of a layer's output to a given one, over that one's square.

    Mahendran & Vedaldi (2015): 0 where the outputs are the same, -1 for a picture that the layer
    does not answer to at all.

    Attributes:
        layer: "" is the network's own output.
        wanted: (1, …), the output that is to be reached.
    """

    layer: str
    wanted: Float[Tensor, "1 ..."]

    def __post_init__(self) -> None:
        size = self.wanted.float().norm()
        if not bool(size.isfinite()):
            raise PellucidError(
                f"{self}: not finite for this photo; the network's values overflow or are NaN"
            )
        if not bool(size > 0):
            raise PellucidError(
                f"{self}: all of it is zero for this photo, so nothing of the photo is kept there"
            )

    def bind(self, net: Network) -> Bound:
        """Of one layer."""
        return Bound(frozenset({self.layer}), lambda view: -self.distance(view.seen[self.layer]))

    def distance(self, output: Float[Tensor, "batch ..."]) -> Values:
        """Squared, over the square of the wanted code."""
        wanted = self.wanted.to(output.device).float().flatten()
        away = output.float().flatten(1) - wanted
        return away.square().sum(1) / wanted.square().sum()

    def error(self, output: Float[Tensor, "1 ..."]) -> float:
        """The relative error: the distance over the length of the wanted code, not squared."""
        with torch.no_grad():
            return float(self.distance(output)[0].sqrt())

    def __str__(self) -> str:
        return self.layer or "class scores"
