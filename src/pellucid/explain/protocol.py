"""Protocol: how thoroughly maps are judged; numbers of another one cannot be compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pellucid.explain import curves
from pellucid.option import Help

Stages = Annotated[
    int, Help("groups of layers whose weights are shuffled, one after the other", low=1)
]
Samples = Annotated[int, Help("photos with noise, of which the greatest change counts", low=1)]
Radius = Annotated[float, Help("of the noise, as a share of black to white", low=0, high=1)]
Pieces = Annotated[int, Help("of the pixels, deleted and inserted one by one", low=1)]
Seed = Annotated[int, Help("of the shuffling, the noise and the random orders")]


@dataclass(frozen=True)
class Protocol:
    """The settings of `trust` and of `compare`, the same for both."""

    stages: Stages = 8
    samples: Samples = 5
    radius: Radius = 0.02
    pieces: Pieces = 28
    seed: Seed = 0

    def told(self, stages: int, what: str) -> str:
        """What is measured, in words.

        Args:
            stages: that there are; a small network has fewer than are asked for.
            what: the answer: a probability, an activation.
        """
        return (
            f"Randomised: mean rank correlation of the map with those of the network whose "
            f"weights are shuffled in {_count(stages, 'step')}, the last layer first, empty maps "
            f"left out; where more than half are empty, the map vanishes; low is good. "
            f"Deletion: the strongest pixels first, 1/{self.pieces} of all at a time, become the "
            f"mean grey of training (zero after normalising); low is good. Insertion: they return "
            f"to the photo blurred by {curves.BLUR} px (sigma {curves.SIGMA:g}); high is good. "
            f"Both are areas under the {what} over the share of pixels, by trapezia; chance is "
            f"the mean of {curves.RANDOM} random orders, and what differs from it by no more than "
            f"these from each other is as chance; the centre goes by the distance from it. "
            f"Noise: greatest change of the map, as a share of it, in "
            f"{_count(self.samples, 'trial')} of uniform noise up to {self.radius:g} of black to "
            f"white; low is good. All maps meet the same shuffled weights and the same noise; of "
            f"methods of many passes the maps for these two are drawn coarsely."
        )

    def brief(self, stages: int) -> str:
        """The same in a few words, for a caption."""
        return (
            f"{_count(stages, 'stage')} of shuffling, "
            f"{_count(self.pieces, 'piece')} of the pixels, "
            f"{_count(self.samples, 'trial')} of noise up to {self.radius:g}"
        )


USUAL = Protocol()


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
