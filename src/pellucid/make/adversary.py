"""Adversary: a class that a picture is to be taken for, or no longer, and two classic attacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.make.ascend import slope
from pellucid.make.ball import Ball, Image
from pellucid.network import Network
from pellucid.unit import Unit

PACE = 2.5  # length of all steps together, in radii: each picture of the ball can be reached
Uphill = Callable[[Image], Image]  # from a picture to the gradient there of what is to grow


@dataclass(frozen=True)
class Adversary:
    """What an attack wants of a network. Pictures are from 0 to 1, in front of normalisation.

    Attributes:
        unit: the class.
        away: whether the picture is to be led away from it, not towards it.
    """

    net: Network
    unit: Unit
    away: bool

    def __post_init__(self) -> None:
        if self.net.places:
            raise PellucidError(
                f"{self.net.name} answers place by place, and what is attacked is one answer for "
                f"the whole picture: put a module around it that gives (batch, classes)"
            )

    def scores(self, picture: Image) -> Float[Tensor, "classes"]:
        """What the network says of a picture: unnormalised scores, on the processor."""
        with torch.no_grad():
            return self.net.scores(self._input(picture))[0].float().cpu()

    def won(self, scores: Float[Tensor, "classes"]) -> bool:
        """Whether the network's best class is the wanted one, or no longer the unwanted one."""
        return (int(scores.argmax()) == self.unit.channel) != self.away

    def uphill(self, picture: Image) -> Image:
        """Which way the wanted grows: the gradient of the class's log-odds, turned where unwanted.

        The papers climb the cross-entropy. Its gradient is this one times a number (how improbable
        the wanted is), which vanishes where the network is sure; its direction, the only thing
        that either attack looks at, is the same.
        """
        begin = picture.detach().requires_grad_()
        with torch.enable_grad():
            value = odds(self.net.scores(self._input(begin)), self.unit.channel)
            gradient = slope(-value if self.away else value, begin)
        return gradient

    def _input(self, picture: Image) -> Image:
        return self.net.preprocess.normalise(picture).to(self.net.dtype)


def odds(scores: Float[Tensor, "batch classes"], number: int) -> Float[Tensor, "batch"]:
    """log p / (1 - p) of a class, exact also where p is 0 or 1 up to rounding.

    Raises:
        PellucidError: a score is NaN or infinite, or there is only one class.
    """
    if scores.shape[1] < 2:
        raise PellucidError("the network knows one class only: there is nothing to mistake it for")
    if not bool(scores.isfinite().all()):
        raise PellucidError("the network's scores are not finite: they overflow or are NaN")
    others = torch.arange(scores.shape[1], device=scores.device) != number
    return scores[:, number] - scores[:, others].logsumexp(1)


def fgsm(uphill: Uphill, ball: Ball) -> Image:
    """One step to the rim of the ball: the fast gradient sign method (Goodfellow et al. 2015)."""
    return ball.step(ball.photo, uphill(ball.photo), 1.0)


def pgd(uphill: Uphill, ball: Ball, steps: int, begin: Image, pace: float = PACE) -> Image:
    """Many small steps, each brought back into the ball (Madry et al. 2018).

    Args:
        begin: the change to begin with, in radii.
        pace: length of all steps together, in radii.
    """
    picture = ball.within(ball.photo + ball.radius * begin)
    for _ in range(steps):
        picture = ball.step(picture, uphill(picture), pace / steps)
    return picture
