"""Climb: how long a step is, and which way it goes, given the gradient."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.make.worded import Worded, between, read

Stepper = Callable[[Sequence[Tensor]], None]
GREATEST = 1e30  # rate: float32 ends at 3e38, and numbers are to be added up


@dataclass(frozen=True)
class Climb(Worded, ABC):
    """A way of stepping uphill.

    Attributes:
        rate: of a step; each kind has its unit.
    """

    rate: float

    def __post_init__(self) -> None:
        between(f"rate of {self.word}", self.rate, 0, GREATEST)

    @abstractmethod
    def start(self, parameters: Sequence[Tensor]) -> Stepper:
        """A function that changes the parameters in place, given their gradients."""


@dataclass(frozen=True)
class Plain(Climb):
    """`rate` times the gradient, as it is."""

    word: ClassVar[str] = "plain"

    def start(self, parameters: Sequence[Tensor]) -> Stepper:
        """See `Climb.start`."""

        def step(gradients: Sequence[Tensor]) -> None:
            for numbers, gradient in zip(parameters, gradients, strict=True):
                numbers.add_(gradient, alpha=self.rate)

        return step


@dataclass(frozen=True)
class Even(Climb):
    """`rate` times the gradient over its root mean square, for each picture.

    So `rate` is in units of the picture's numbers, whatever the scale of the objective. Numbers
    that have no gradient do not count: a neuron that sees a corner is drawn as fast as a class.
    """

    word: ClassVar[str] = "even"

    def start(self, parameters: Sequence[Tensor]) -> Stepper:
        """See `Climb.start`."""

        def step(gradients: Sequence[Tensor]) -> None:
            for numbers, gradient in zip(parameters, gradients, strict=True):
                inner = tuple(range(1, gradient.dim()))
                share = (gradient != 0).to(gradient).mean(inner, keepdim=True)
                numbers.add_(direction(gradient) * share.sqrt(), alpha=self.rate)

        return step


@dataclass(frozen=True)
class Steady(Climb):
    """`rate` times the gradient over the mean of its size, for each picture.

    So `rate` is how far a number moves in a step, on average (Mordvintsev, Olah, Tyka 2015).
    """

    word: ClassVar[str] = "steady"

    def start(self, parameters: Sequence[Tensor]) -> Stepper:
        """See `Climb.start`."""

        def step(gradients: Sequence[Tensor]) -> None:
            for numbers, gradient in zip(parameters, gradients, strict=True):
                even = direction(gradient)
                size = even.abs().mean(tuple(range(1, even.dim())), keepdim=True)
                numbers.add_(even / size.where(size > 0, 1), alpha=self.rate)

        return step


@dataclass(frozen=True)
class Adam(Climb):
    """Steps of nearly `rate` in every number (Kingma & Ba 2015), with betas 0.9 and 0.999."""

    word: ClassVar[str] = "adam"

    def start(self, parameters: Sequence[Tensor]) -> Stepper:
        """See `Climb.start`."""
        # In one pass over the numbers, where torch has that.
        fused = all(
            numbers.device.type in ("cpu", "cuda") and numbers.is_contiguous()
            for numbers in parameters
        )
        optimiser = torch.optim.Adam(list(parameters), lr=self.rate, maximize=True, fused=fused)

        def step(gradients: Sequence[Tensor]) -> None:
            for numbers, gradient in zip(parameters, gradients, strict=True):
                # The fused pass reads memory in its order, whatever the strides (torch 2.15).
                numbers.grad = gradient.contiguous() if fused else gradient
            optimiser.step()
            optimiser.zero_grad()

        return step


KINDS: tuple[type[Climb], ...] = (Plain, Even, Steady, Adam)


def climb(text: str) -> Climb:
    """The one that a text names, such as "adam 0.05"; see `worded.read`."""
    found = read(text, KINDS, "climb")
    if len(found) != 1:
        raise PellucidError(f"one way to climb is wanted, such as adam 0.05, not {text!r}")
    return found[0]


def direction(gradient: Tensor) -> Tensor:
    """A gradient of root mean square 1 for each image, whatever its own; zeros stay zeros."""
    # Through the greatest first: squares of small numbers would vanish, of great ones overflow.
    inner = tuple(range(1, gradient.dim()))
    greatest = gradient.abs().amax(inner, keepdim=True)
    scaled = gradient / greatest.where(greatest > 0, 1)
    size = scaled.square().mean(inner, keepdim=True).sqrt()
    return scaled / size.where(size > 0, 1)
