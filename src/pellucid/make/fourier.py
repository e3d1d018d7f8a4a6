"""Fourier: a canvas of waves, whose low frequencies and natural colours come first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from pellucid.make import natural
from pellucid.make.canvas import Canvas, Image, Sheet, grown, said
from pellucid.make.worded import between
from pellucid.network import Network

NOISE = 0.01  # standard deviation of the waves to begin with
CONTRAST = 0.25  # of a step in the waves: lucid divides by 4


class FourierSheet(Sheet):
    """Waves: the real and the imaginary part of each frequency.

    A wave of frequency f counts 1/f: as in photos, the coarse is large and the fine is small, and
    a step in all of them at once changes the whole before the detail. Colours are mixed as photos
    mix them (`natural.colours`), and a sigmoid keeps the pixels between black and white (Olah,
    Mordvintsev, Schubert 2017).
    """

    def __init__(self, net: Network, waves: Tensor, size: tuple[int, int], power: float) -> None:
        super().__init__(net)
        self.parameters = [waves.to(net.device)]
        self.size = size
        self.scale = weights(size, power).to(net.device)
        self.mix = CONTRAST * mixing(net.preprocess.channels).to(net.device)

    def images(self) -> Image:
        """From waves to pixels."""
        waves = torch.view_as_complex(self.parameters[0]) * self.scale
        plain = torch.fft.irfft2(waves, self.size, norm="ortho")
        shades = torch.einsum("ij,bjhw->bihw", self.mix, plain).sigmoid()
        return self.net.preprocess.normalise(shades).to(self.net.dtype)


@dataclass(frozen=True)
class Fourier(Canvas):
    """Waves with decorrelated colours.

    Attributes:
        power: of the frequency that a wave is divided by; 0: all alike.
    """

    first: str = "noise"
    power: float = 1.0
    word: ClassVar[str] = "fourier"

    def __post_init__(self) -> None:
        super().__post_init__()
        between("power of fourier", self.power, 0, 4)

    def start(
        self,
        net: Network,
        random: Generator,
        begin: Float[Tensor, "channels height width"] | None = None,
    ) -> Tensor:
        """See `Canvas.start`."""
        channels, height, width = self.shape(net)
        if begin is None:
            waves = torch.randn(channels, height, width // 2 + 1, 2, generator=random)
            return NOISE * waves * (self.first == "noise")
        shades = grown(begin, (channels, height, width)).cpu().double().clamp(0.02, 0.98)
        plain = torch.linalg.solve(mixing(channels).double(), shades.logit().flatten(1))
        spectrum = torch.fft.rfft2(plain.reshape(shades.shape) / CONTRAST, norm="ortho")
        waves = torch.view_as_real(spectrum / weights((height, width), self.power))
        return waves.float()

    def lay(self, net: Network, numbers: Tensor) -> FourierSheet:
        """See `Canvas.lay`."""
        return FourierSheet(net, numbers, self.shape(net)[1:], self.power)


def weights(size: tuple[int, int], power: float) -> Float[Tensor, "height half"]:
    """What each wave counts: 1/f^power, the constant one as the longest, times the root of pixels.

    With `norm="ortho"` lucid's numbers come out: its inverse transform divides by the number of
    pixels, and its scale multiplies by the root of it.
    """
    down = torch.fft.fftfreq(size[0])[:, None]
    across = torch.fft.rfftfreq(size[1])[None]
    frequency = (down.square() + across.square()).sqrt().clamp(min=1 / max(size))
    counts: Tensor = frequency.pow(-power)
    return counts


def mixing(channels: int) -> Float[Tensor, "channels channels"]:
    """From independent numbers to colours: `natural.colours`, its longest column of length 1."""
    if channels == 1:
        return torch.ones(1, 1)
    _, root = natural.colours()
    mix: Tensor = root / root.norm(dim=0).max()
    return mix


def fourier(size: Any = "", first: str = "noise", power: float = 1.0) -> Fourier:
    """A canvas of waves with natural colours.

    Args:
        size: px of the shorter side, or (height, width); that of the network's input if not given.
        first: "noise" (faint) or "zeros".
        power: waves of frequency f count 1/f^power.
    """
    return Fourier(said(size), first, power)
