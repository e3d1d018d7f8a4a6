"""Synthesis: a picture made to fulfil terms, at several sizes, the smallest first."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.make.ascend import ascend
from pellucid.make.canvas import Image
from pellucid.make.climb import Adam, Climb, Stepper
from pellucid.make.mosaic import Mosaic, Values, Window
from pellucid.make.octaves import resized
from pellucid.make.pixels import PixelSheet
from pellucid.make.quasi import Metric, Quasi
from pellucid.make.terms import Term
from pellucid.make.tiling import mirrored
from pellucid.method import Step
from pellucid.network import Network

Edge = Literal["wrap", "mirror"]
PREVIEW = 10  # steps between two pictures on the way


@dataclass(frozen=True)
class Look:
    """How a picture of one size is held against what is wanted.

    Attributes:
        mosaic: that sees it.
        terms: what it is to fulfil.
        window: the part of it that counts.
        rim: px that it is continued by on each side.
        edge: how: by itself, as on a torus, or by its mirror.
    """

    mosaic: Mosaic
    terms: Sequence[Term]
    window: Window = None
    rim: int = 0
    edge: Edge = "mirror"

    def value(self, images: Image) -> Values:
        """Minus the loss, ready for gradients."""
        return self.mosaic.value(continued(images, self.rim, self.edge), self.terms, self.window)

    def losses(self, images: Image) -> list[float]:
        """Of each term."""
        return self.mosaic.losses(continued(images, self.rim, self.edge), self.terms, self.window)

    def loss(self, images: Image) -> float:
        """The weighted sum."""
        found = zip(self.terms, self.losses(images), strict=True)
        return sum(term.weight * loss for term, loss in found)


class Synthesis:
    """A picture under way.

    At each size it is kept where its loss was least: a step too far costs nothing but itself, and
    what diverges ends with the last good picture.

    Args:
        look: of a size.
        sizes: height and width, the smallest first.
        begin: the picture to begin with, normalised, of the last size; it is made smaller.
        steps: at each size.
        rate: of Adam; None: by curvature, see `Quasi`.
        metric: see `Quasi`.
        mean: share of the last steps, at the last size, whose pictures are averaged.

    Attributes:
        done: steps made.
        curve: the loss before each.
        trouble: why it ended early, where it did.
    """

    def __init__(
        self,
        net: Network,
        look: Callable[[tuple[int, int]], Look],
        sizes: Sequence[tuple[int, int]],
        begin: Image,
        *,
        steps: int,
        rate: float | None = None,
        metric: Metric | None = None,
        mean: float = 0.0,
    ) -> None:
        self.net, self.make, self.sizes = net, look, list(sizes)
        self.steps, self.rate, self.metric, self.mean = steps, rate, metric, mean
        self.done: int = 0
        self.curve: list[float] = []
        self.trouble = ""
        self.numbers = begin.to(net.device, torch.float32)
        self.stepper: Stepper | None = None
        self.best: Tensor = self.numbers
        self._enter(self.sizes[0])

    @property
    def total(self) -> int:
        """Steps at all sizes."""
        return self.steps * len(self.sizes)

    def run(self, name: str, stop: int | None = None, before: int = 0, of: int | None = None) -> (
        Generator[Step, None, bool]
    ):  # fmt: skip
        """Makes the steps; Ctrl-C, once there is a picture, ends it early and loses nothing.

        Args:
            name: for the steps' texts.
            stop: after so many steps, as Ctrl-C would.
            before, of: steps of the whole work before it, and of all.

        Returns:
            Whether it came to its end.
        """
        total = min(self.total, stop or self.total)
        try:
            for number, size in enumerate(self.sizes):
                if number:
                    self._enter(size)
                climb: Climb = Adam(1.0 if self.rate is None else self.rate)
                work = ascend(
                    self.sheet, self._value, steps=self.steps, climb=climb, stepper=self.stepper
                )
                for _ in work:
                    self.done += 1
                    self._average(number)
                    shown = self.picture() if self.done % PREVIEW == 0 else None
                    text = f"{name}, {size[1]} x {size[0]} px: loss {self.curve[-1]:.3g}"
                    yield Step(before + self.done, of or total, text, shown)
                    if self.done >= total:
                        self._settle()
                        return stop is None or stop >= self.total
        except KeyboardInterrupt:
            if not self.done:
                raise
        except PellucidError as error:
            if not self.done:
                raise
            self.trouble = str(error)
        self._settle()
        return False

    def so_far(self) -> Image:
        """The best picture at the size that is worked on, normalised."""
        return self.best

    def picture(self) -> Float[Tensor, "channels height width"]:
        """The same, from 0 to 1, on the processor."""
        return self.net.preprocess.denormalise(self.best)[0].clamp(0, 1).float().cpu()

    def _enter(self, size: tuple[int, int]) -> None:
        """Lays the picture out at a size, with the steps' memory."""
        if self.done:
            self._settle()
            self.numbers = self.best
        numbers = resized(self.numbers, size).clone().contiguous()
        self.sheet = PixelSheet(self.net, numbers)
        self.sheet.settle()
        self.look = self.make(size)
        if self.rate is not None:
            self.stepper = _adam(self.sheet.parameters, self.rate, self.stepper)
        elif isinstance(self.stepper, Quasi):
            self.stepper = self.stepper.carried(self.sheet.parameters)
        else:
            self.stepper = Quasi(self.sheet.parameters, metric=self.metric)
        self.best, self.least = self.sheet.parameters[0].clone(), float("inf")
        self.averaged, self.count = torch.zeros_like(self.best), 0

    def _value(self, images: Image) -> Values:
        values = self.look.value(images)
        loss = -float(values.detach())
        self.curve.append(loss)
        if loss < self.least:
            self.least = loss
            self.best.copy_(self.sheet.parameters[0].detach())
        return values

    def _average(self, number: int) -> None:
        here = self.done - number * self.steps
        if self.mean and number == len(self.sizes) - 1 and here > (1 - self.mean) * self.steps:
            self.count += 1
            self.averaged += (self.sheet.parameters[0] - self.averaged) / self.count

    def _settle(self) -> None:
        """The last step, whose loss nobody has seen yet, and the mean, where one is better."""
        others = [self.sheet.parameters[0], *([self.averaged] if self.count else [])]
        for numbers in others:
            if bool(numbers.isfinite().all()):
                loss = self.look.loss(numbers.to(self.net.dtype))
                if loss < self.least:
                    self.least = loss
                    self.best.copy_(numbers)


def continued(images: Image, by: int, edge: Edge) -> Float[Tensor, "batch channels tall wide"]:
    """Continued on all sides by so many px."""
    if not by:
        return images
    rows, columns = (
        (torch.arange(-by, side + by) % side if edge == "wrap" else mirrored(side, side + 2 * by))
        for side in images.shape[2:]
    )
    return images[:, :, rows.to(images.device)][:, :, :, columns.to(images.device)]


def roots(size: tuple[int, int], least: int, most: int, ratio: float = 2**0.5) -> (
    list[tuple[int, int]]
):  # fmt: skip
    """Sizes to work on, each `ratio` times the one before, the last as given.

    Args:
        least: px of the shorter side, below which nothing is worked on.
        most: sizes.
    """
    found = [size]
    while len(found) < most:
        down = ratio ** len(found)
        smaller = max(1, round(size[0] / down)), max(1, round(size[1] / down))
        if min(smaller) < least:
            break
        found.append(smaller)
    return found[::-1]


def _adam(parameters: list[Tensor], rate: float, before: Stepper | None) -> Stepper:
    return Moments(parameters, rate, before if isinstance(before, Moments) else None)


class Moments:
    """Adam (Kingma & Ba 2015), whose moments are carried over from a picture of another size.

    A gradient is shared out among the pixels: its mean shrinks with their number, and the mean of
    its square with the square of it.
    """

    def __init__(self, parameters: list[Tensor], rate: float, before: Moments | None) -> None:
        (self.numbers,) = parameters
        self.rate = rate
        self.done: int = before.done if before else 0
        self.mean, self.square = torch.zeros_like(self.numbers), torch.zeros_like(self.numbers)
        if before is not None:
            old, new = before.numbers.shape, self.numbers.shape
            share = old[2] * old[3] / (new[2] * new[3])
            size = new[2], new[3]
            self.mean = torch.nn.functional.interpolate(before.mean, size, mode="bilinear") * share
            square = torch.nn.functional.interpolate(before.square, size, mode="bilinear")
            self.square = square.clamp(min=0) * share**2

    def __call__(self, gradients: Sequence[Tensor]) -> None:
        """A step, given the gradient of what is to grow."""
        gradient = gradients[0].float()
        self.done += 1
        self.mean.lerp_(gradient, 0.1)
        self.square.lerp_(gradient.square(), 0.01)
        mean = self.mean / (1 - 0.9**self.done)
        root = (self.square / (1 - 0.99**self.done)).sqrt()
        self.numbers += self.rate * mean / root.clamp(min=1e-30)
