"""Regularisers: what is done to the pixels between the steps of a climb."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torchvision.transforms.v2.functional import gaussian_blur

from pellucid.make.worded import Worded, between, read

Image = Float[Tensor, "batch channels height width"]


class Regulariser(Worded, ABC):
    """Something done to the pixels after a step; the mean grey is zero."""

    @abstractmethod
    def __call__(self, pixels: Image, gradient: Image, step: int) -> Image:
        """The pixels after it.

        Args:
            pixels: normalised.
            gradient: of the objective, before this step.
            step: from 1.
        """


@dataclass(frozen=True)
class Decay(Regulariser):
    """L2 decay: every step takes back a share of the picture (Simonyan et al. 2014).

    Attributes:
        share: 0 to 1.
    """

    share: float
    word: ClassVar[str] = "decay"

    def __post_init__(self) -> None:
        between("share of decay", self.share, 0, 1)

    def __call__(self, pixels: Image, gradient: Image, step: int) -> Image:
        """Nearer to grey."""
        return pixels * (1 - self.share)


@dataclass(frozen=True)
class Blur(Regulariser):
    """A Gaussian blur every few steps, against fine patterns (Yosinski et al. 2015).

    Attributes:
        sigma: px.
        every: steps.
    """

    sigma: float
    every: int = 4
    word: ClassVar[str] = "blur"

    def __post_init__(self) -> None:
        between("sigma of blur", self.sigma, 0.01, 100)
        between("every of blur", self.every, 1)

    def __call__(self, pixels: Image, gradient: Image, step: int) -> Image:
        """Blurred in some of the steps, as it was in the others."""
        if step % self.every:
            return pixels
        reach = max(1, round(4 * self.sigma))
        # Reflection at the rim reaches as far as the picture, no further.
        reach = min(reach, min(pixels.shape[2:]) - 1)
        if not reach:
            return pixels
        blurred: Tensor = gaussian_blur(pixels, [2 * reach + 1] * 2, [self.sigma] * 2)
        return blurred


@dataclass(frozen=True)
class SmallNorm(Regulariser):
    """Clips the pixels of small value to 0 (Yosinski et al. 2015).

    Attributes:
        percent: so many of the pixels, those of the smallest norm over the colours.
    """

    percent: float
    word: ClassVar[str] = "small_norm"

    def __post_init__(self) -> None:
        between("percent of small_norm", self.percent, 0, 100)

    def __call__(self, pixels: Image, gradient: Image, step: int) -> Image:
        """Zero where the picture says least."""
        return _kept(pixels, pixels.square().sum(1, keepdim=True), self.percent)


@dataclass(frozen=True)
class SmallContribution(Regulariser):
    """Clips the pixels of small pixel x gradient to 0 (Yosinski et al. 2015).

    Attributes:
        percent: so many of the pixels, those of the smallest |sum over the colours|.
    """

    percent: float
    word: ClassVar[str] = "small_contribution"

    def __post_init__(self) -> None:
        between("percent of small_contribution", self.percent, 0, 100)

    def __call__(self, pixels: Image, gradient: Image, step: int) -> Image:
        """Zero where the objective would hardly notice."""
        return _kept(pixels, (pixels * gradient).sum(1, keepdim=True).abs(), self.percent)


@dataclass(frozen=True)
class SmallGradient(Regulariser):
    """Clips the pixels of small gradient to 0: where a change would change nothing.

    Attributes:
        percent: so many of the pixels, those of the smallest gradient over the colours.
    """

    percent: float
    word: ClassVar[str] = "small_gradient"

    def __post_init__(self) -> None:
        between("percent of small_gradient", self.percent, 0, 100)

    def __call__(self, pixels: Image, gradient: Image, step: int) -> Image:
        """Zero where the objective does not look."""
        return _kept(pixels, gradient.square().sum(1, keepdim=True), self.percent)


KINDS: tuple[type[Regulariser], ...] = (Decay, Blur, SmallNorm, SmallContribution, SmallGradient)


def regularisers(text: str) -> tuple[Regulariser, ...]:
    """Those that a text names, such as "decay 0.01; blur 0.5 4"; see `worded.read`."""
    return read(text, KINDS, "regulariser")


def _kept(pixels: Image, size: Float[Tensor, "batch 1 h w"], percent: float) -> Image:
    count = round(size[0].numel() * percent / 100)
    if count == size[0].numel():
        return torch.zeros_like(pixels)
    # Of equal sizes all are kept: a picture of one shade is not cut at random.
    least = size.flatten(1).kthvalue(count + 1, 1).values[:, None, None, None]
    return pixels * (size >= least)
