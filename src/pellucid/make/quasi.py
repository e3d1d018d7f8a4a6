"""Quasi: steps that know how the slope bends, from the last few of them (limited-memory BFGS)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

TINY = 1e-12
MOST_NUMBERS = 2**27  # that are remembered: fewer steps of a huge picture
Metric = Float[Tensor, "channels channels"]


class Quasi:
    """A way uphill for one picture, by the curvature that its own last steps have met.

    Liu & Nocedal (1989), in the compact form of Byrd, Nocedal, Schnabel (1994): two products with
    the history in place of two loops over it. There is no search along the line: a step is as long
    as the curvature says, and never longer than `longest`. What happened to the numbers since the
    last step, such as being brought back between black and white, counts as part of that step.

    Args:
        parameters: one picture, (1, channels, height, width), changed in place.
        first: root mean square of the first step, in the picture's numbers.
        longest: of any step.
        memory: steps that are remembered, of a picture that is not huge.
        metric: a root mean square step of the colours, as a covariance: axes along which it is
            zero never change. None: all alike.
    """

    def __init__(
        self,
        parameters: Sequence[Tensor],
        *,
        first: float = 0.1,
        longest: float = 0.5,
        memory: int = 10,
        metric: Metric | None = None,
    ) -> None:
        (self.numbers,) = parameters
        self.first, self.longest, self.memory, self.metric = first, longest, memory, metric
        size = self.numbers.numel()
        memory = self.memory = max(3, min(memory, MOST_NUMBERS // (2 * size)))
        self.moves, self.bends = self.numbers.new_zeros(2, memory, size)
        self.products, self.squares = torch.zeros(2, memory, memory, dtype=torch.float64)
        self.order: list[int] = []
        self.last: tuple[Tensor, Tensor] | None = None

    def __call__(self, gradients: Sequence[Tensor]) -> None:
        """A step, given the gradient of what is to grow."""
        down = -gradients[0].float().reshape(-1)
        if self.last is not None:
            before, slope = self.last
            self._remember(self.numbers.reshape(-1) - before, down - slope)
        self.last = self.numbers.reshape(-1).clone(), down.clone()
        step = self._step(down)
        if self.order and float(step @ down) >= 0:
            self.order.clear()  # what is remembered holds no longer
            step = self._step(down)
        size = float(step.square().mean().sqrt())
        wanted = self.first if not self.order else min(self.longest, size)
        if size > 0:
            self.numbers.add_(step.view_as(self.numbers), alpha=wanted / size)

    def carried(self, parameters: Sequence[Tensor]) -> Quasi:
        """The same for the same picture at another size, with all that it remembers resized.

        A gradient is shared out among the pixels: where there are twice as many, each has half.
        """
        more = Quasi(
            parameters, first=self.first, longest=self.longest, memory=self.memory,
            metric=self.metric,
        )  # fmt: skip
        old, new = self.numbers.shape, more.numbers.shape
        share = old[2] * old[3] / (new[2] * new[3])

        def resized(numbers: Tensor) -> Tensor:
            image = numbers.view(old)
            if old != new:
                image = F.interpolate(image, new[2:], mode="bilinear", align_corners=False)
            return image.reshape(-1)

        for place in self.order:
            more._remember(resized(self.moves[place]), share * resized(self.bends[place]))
        return more

    def _remember(self, move: Tensor, bend: Tensor) -> None:
        if float(move @ bend) <= TINY * float(move.norm() * bend.norm()):
            return  # it bends the wrong way: no curvature to go by
        place = self.order.pop(0) if len(self.order) == self.memory else len(self.order)
        self.moves[place], self.bends[place] = move, bend
        self.order.append(place)
        self._multiply(place)

    def _multiply(self, place: int) -> None:
        """Of a new step the products with all others."""
        # Of earlier moves with this bend only: the others are never asked for.
        self.products[:, place] = (self.moves @ self.bends[place]).double().cpu()
        squares = (self.bends @ self._measured(self.bends[place])).double().cpu()
        self.squares[place], self.squares[:, place] = squares, squares

    def _step(self, down: Tensor) -> Tensor:
        """Minus the inverse curvature times the gradient of what is to fall."""
        plain = self._measured(down)
        if not self.order:
            return -plain
        products = self.products[self.order][:, self.order]
        squares = self.squares[self.order][:, self.order]
        upper, gamma = torch.triu(products), float(products[-1, -1] / squares[-1, -1])
        along = (self.moves @ down).double().cpu()[self.order]
        across = gamma * (self.bends @ plain).double().cpu()[self.order]
        inner = torch.linalg.solve_triangular(upper, along[:, None], upper=True)
        right = (torch.diag(torch.diagonal(products)) + gamma * squares) @ inner - across[:, None]
        first = torch.linalg.solve_triangular(upper.mT, right, upper=False)
        weights = torch.zeros(2, self.memory, dtype=torch.float64)
        weights[0, self.order], weights[1, self.order] = first[:, 0], -gamma * inner[:, 0]
        moves, bends = weights.to(down)
        step: Tensor = gamma * plain + moves @ self.moves + self._measured(bends @ self.bends)
        return -step

    def _measured(self, numbers: Tensor) -> Tensor:
        if self.metric is None:
            return numbers
        found: Tensor = self.metric @ numbers.view(len(self.metric), -1)
        return found.reshape(-1)
