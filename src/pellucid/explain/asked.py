"""Asked: one photo and one target, settled once for all the networks that are to be compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.aim import AreaTarget, UnitTarget
from pellucid.errors import PellucidError
from pellucid.images import Photo
from pellucid.network import Network
from pellucid.option import Help
from pellucid.target import Target, observe, targets, values

One = Annotated[
    str | None, Help("class or unit; the most probable class where not given", names="units")
]


@dataclass(frozen=True)
class Asked:
    """What is explained.

    Attributes:
        inputs: the photo as the network takes it.
        target: of which the network is asked.
        word: the same as a method takes it. Not None: a network with other weights would take
            another class for the best, and other places for its own.
    """

    net: Network
    photo: Photo
    inputs: Float[Tensor, "1 channels height width"]
    target: Target
    word: Any

    @classmethod
    def of(cls, net: Network, photo: Photo, wanted: Any) -> Asked:
        """A photo made ready and a target resolved.

        Raises:
            PellucidError: unknown target, or several.
        """
        inputs, _ = net.prepare(photo)
        found = targets(net, wanted, inputs)
        if len(found) > 1:
            raise PellucidError(f"one target at a time is judged, not {len(found)}")
        (target,) = found
        target = target.alone(net, 0)
        word = wanted[0] if isinstance(wanted, list | tuple) else wanted
        if isinstance(target, AreaTarget):
            word = target
        elif isinstance(target, UnitTarget):
            unit = target.unit  # a class by its number: two may bear one label
            word = str(replace(unit, label="") if unit.is_class else unit)
        return cls(net, photo, inputs, target, word)

    @property
    def name(self) -> str:
        """Of the target."""
        return self.target.name(0)

    @property
    def what(self) -> str:
        """What `score` gives."""
        return self.net.measure if self.target.what == "score" else self.target.what

    def score(self, inputs: Tensor) -> Float[Tensor, "batch"]:
        """Of a class among several the probability, else its value, for each image."""
        rows = torch.zeros(len(inputs), dtype=torch.long, device=inputs.device)
        if self.what == "probability":
            scores = observe(self.net, inputs, {""})[""].float()
            found = self.target.read({"": scores.softmax(1)}, rows)
        else:
            found = values(self.net, inputs, [self.target], rows)[0].float()
        if not bool(found.isfinite().all()):
            raise PellucidError(
                f"the {self.what} of {self.name} is not finite: the network's values overflow or "
                f"are NaN"
            )
        return found
