"""Attempts: an attack of one size after another, until the smallest that works is known."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attacked import Try
from pellucid.errors import PellucidError
from pellucid.images import Photo
from pellucid.make.adversary import Adversary, Uphill, fgsm, pgd
from pellucid.make.ball import LEVELS, Ball, Image, Norm, anywhere, length
from pellucid.network import Network
from pellucid.panels import Opinion
from pellucid.unit import Unit

Way = Literal["pgd", "fgsm"]
DOUBLINGS = 5  # from the smallest size tried to the greatest
HALVINGS = 7  # then between the last that failed and the first that did not: to a hundredth
CLOSE = 1 / 128  # share of a size: nearer it is not looked for
# Of a size, until it outlasts rounding: a change of a tenth of a level hardly moves any value.
GROWTH = (1.02, 1.05, 1.1, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)


@dataclass(frozen=True)
class Attempt:
    """One size tried.

    Attributes:
        picture: from 0 to 1.
        scores: what the network says of it.
    """

    tried: Try
    picture: Image
    scores: Float[Tensor, "classes"]


@dataclass(frozen=True)
class Attack:
    """An attack on one photo that still lacks its size.

    Sizes are said as people say them: of linf in levels of 255, of l2 in pixels from 0 to 1.

    Attributes:
        photo: from 0 to 1, the part of it that the network sees.
        begin: where in a ball of radius 1 the steps of pgd begin.
    """

    adversary: Adversary
    photo: Image
    way: Way
    norm: Norm
    steps: int
    begin: Image
    uphill: Uphill

    @classmethod
    def of(
        cls, net: Network, photo: Photo, target: str | None, way: Way, norm: Norm, steps: int,
        start: bool, seed: int,
    ) -> Attack:  # fmt: skip
        """The attack that is asked for; see `attack`.

        Raises:
            PellucidError: an unknown class, or the network takes the photo for it already.
        """
        wide = torch.float64 if net.dtype == torch.float64 else torch.float32
        picture = net.preprocess.crop(photo)[0][None].to(net.device, wide)
        best = int(Adversary(net, Unit("class", 0), True).scores(picture).argmax())
        unit = net.unit(best if target is None else target)
        if not unit.is_class:
            raise PellucidError(f"an attack aims at a class, and {unit} is none")
        adversary = Adversary(net, unit, away=target is None)
        scores = adversary.scores(picture)
        if adversary.won(scores):
            said = Opinion.of(scores, net.labels)
            raise PellucidError(
                f"there is nothing to do: {net.name} takes the photo for {said} already; choose "
                f"another target, or none, to be led away from it"
            )
        random = torch.Generator().manual_seed(seed)
        begin = anywhere(picture, norm, random) if start else torch.zeros_like(picture)
        uphill = adversary.uphill
        if way == "fgsm":
            # One step from the photo, whatever its size: the gradient is the same for all.
            gradient = uphill(picture)
            return cls(adversary, picture, way, norm, 1, begin, lambda _: gradient)
        return cls(adversary, picture, way, norm, steps, begin, uphill)

    @property
    def unit(self) -> str:
        """Of sizes, for the side of a chart."""
        return "levels of 255" if self.norm == "linf" else "length, pixels 0 to 1"

    @property
    def name(self) -> str:
        """For captions."""
        return "FGSM" if self.way == "fgsm" else f"PGD, {self.steps} steps"

    def said(self, size: float) -> str:
        """A size in words."""
        if self.norm == "linf":
            return f"{size:.3g} of 255 levels in any value"
        spread = size * LEVELS / sqrt(self.photo.numel())
        return f"length {size:.3g} (pixels 0 to 1), {spread:.2g} of 255 levels (root mean square)"

    def size(self, picture: Image) -> float:
        """How far a picture is from the photo, as sizes are said."""
        far = length(picture - self.photo, self.norm)
        return far * LEVELS if self.norm == "linf" else far

    def at(self, size: float) -> Attempt:
        """The attack of a size."""
        ball = Ball(self.photo, self.norm, size / LEVELS if self.norm == "linf" else size)
        if self.way == "fgsm":
            picture = fgsm(self.uphill, ball)
        else:
            picture = pgd(self.uphill, ball, self.steps, self.begin)
        return self.judged(size, picture)

    def judged(self, size: float, picture: Image) -> Attempt:
        """What the network makes of a picture."""
        scores = self.adversary.scores(picture)
        share = float(scores.double().softmax(0)[self.adversary.unit.channel])
        return Attempt(Try(size, share, self.adversary.won(scores)), picture, scores)

    def in_file(self, attempt: Attempt, most: float) -> Attempt:
        """An attempt rounded to 8 bits; of a greater size, where rounding undoes it."""
        first = rounded = self._rounded(attempt)
        for growth in GROWTH:
            if rounded.tried.won or not attempt.tried.won or attempt.tried.size * growth > most:
                break
            rounded = self._rounded(self.at(attempt.tried.size * growth))
        return rounded if rounded.tried.won else first

    def _rounded(self, attempt: Attempt) -> Attempt:
        return self.judged(attempt.tried.size, (attempt.picture * LEVELS).round() / LEVELS)

    def usual_most(self, levels: float) -> float:
        """The size of a change of every value by so many levels."""
        return levels if self.norm == "linf" else levels / LEVELS * sqrt(self.photo.numel())


def smallest(at: Callable[[float], Attempt], most: float) -> Generator[Attempt, None, None]:
    """Sizes from small to great until one works, then between it and the last that did not.

    Doubled from the smallest on, so that it is the first crossing that is found: of a single step
    a greater size need not work where a smaller one does.
    """
    failed, size, left = 0.0, most, DOUBLINGS + 1 + HALVINGS
    for doubling in range(DOUBLINGS, -1, -1):
        size = most / 2**doubling
        attempt = at(size)
        left -= 1
        yield attempt
        if attempt.tried.won:
            break
        failed = size
    else:
        return
    # Where little is enough, the doublings that were not needed are halvings.
    while left and size - failed > CLOSE * size:
        middle = (failed + size) / 2
        attempt = at(middle)
        left -= 1
        yield attempt
        if attempt.tried.won:
            size = middle
        else:
            failed = middle
