"""Pixels: the plainest canvas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from pellucid.make.canvas import Canvas, Image, Sheet, grown, said
from pellucid.network import Network

NOISE = 0.1  # standard deviation of the noise to begin with, in that of the network's input


class PixelSheet(Sheet):
    """The network's input itself, in its standard deviations around the mean grey.

    After each step the pixels are brought back between black and white: beyond there is nothing
    to be shown.
    """

    def __init__(self, net: Network, start: Image) -> None:
        super().__init__(net)
        self.parameters = [start.to(net.device, torch.float32)]
        self.black, self.white = (
            net.preprocess.normalise(torch.full((1, start.shape[1], 1, 1), shade)).to(net.device)
            for shade in (0.0, 1.0)
        )

    def images(self) -> Image:
        """The numbers as they are."""
        return self.parameters[0].to(self.net.dtype)

    def settle(self) -> None:
        """Between black and white."""
        torch.clamp(self.parameters[0], self.black, self.white, out=self.parameters[0])


@dataclass(frozen=True)
class Pixels(Canvas):
    """Pixels, each of its own."""

    word: ClassVar[str] = "pixels"

    def start(
        self,
        net: Network,
        random: Generator,
        begin: Float[Tensor, "channels height width"] | None = None,
    ) -> Tensor:
        """See `Canvas.start`."""
        shape = self.shape(net)
        if begin is not None:
            return net.preprocess.normalise(grown(begin, shape))
        return NOISE * torch.randn(shape, generator=random) * (self.first == "noise")

    def lay(self, net: Network, numbers: Image) -> PixelSheet:
        """See `Canvas.lay`."""
        return PixelSheet(net, numbers)


def pixels(size: Any = "", first: str = "zeros") -> Pixels:
    """A canvas of pixels.

    Args:
        size: px of the shorter side, or (height, width); that of the network's input if not given.
        first: "zeros" or "noise".
    """
    return Pixels(said(size), first)
