"""Phase: a canvas whose frequencies are as strong as in photos, and stay so (MACO)."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from pellucid.make import natural
from pellucid.make.canvas import Canvas, Image, Sheet, grown, said
from pellucid.make.fourier import mixing
from pellucid.network import Network

CONTRAST = 1.2  # standard deviation of the strongest colour axis in front of the sigmoid


class PhaseSheet(Sheet):
    """Only where each wave begins: its phase, in radians.

    The magnitudes are the mean ones of photos (`natural.magnitudes`) in independent colours, so
    that no frequency can grow into noise (Fel et al. 2023, MACO).
    """

    def __init__(self, net: Network, phases: Tensor, size: tuple[int, int]) -> None:
        super().__init__(net)
        self.parameters = [phases.to(net.device)]
        self.size = size
        channels = net.preprocess.channels
        self.strength = natural.magnitudes(*size, channels).to(net.device)
        self.mix = CONTRAST * mixing(channels).to(net.device)

    def images(self) -> Image:
        """From phases to pixels."""
        waves = torch.polar(self.strength.expand_as(self.parameters[0]), self.parameters[0])
        plain = torch.fft.irfft2(waves, self.size, norm="ortho")
        shades = torch.einsum("ij,bjhw->bihw", self.mix, plain).sigmoid()
        return self.net.preprocess.normalise(shades).to(self.net.dtype)


@dataclass(frozen=True)
class Phase(Canvas):
    """Phases under the magnitudes of photos. There are no zeros to begin with: only noise."""

    first: str = "noise"
    word: ClassVar[str] = "phase"

    def start(
        self,
        net: Network,
        random: Generator,
        begin: Float[Tensor, "channels height width"] | None = None,
    ) -> Tensor:
        """See `Canvas.start`."""
        channels, height, width = self.shape(net)
        if begin is None:
            turns = torch.rand(channels, height, width // 2 + 1, generator=random)
            return pi * (2 * turns - 1)
        shades = grown(begin, (channels, height, width)).cpu().clamp(0.02, 0.98)
        plain = torch.linalg.solve(mixing(channels), shades.logit().flatten(1))
        phases: Tensor = torch.fft.rfft2(plain.reshape(shades.shape)).angle()
        return phases

    def lay(self, net: Network, numbers: Tensor) -> PhaseSheet:
        """See `Canvas.lay`."""
        return PhaseSheet(net, numbers, self.shape(net)[1:])


def phase(size: Any = "") -> Phase:
    """A canvas of phases under the mean magnitudes of photos.

    Args:
        size: px of the shorter side, or (height, width); that of the network's input if not given.
    """
    return Phase(said(size))
