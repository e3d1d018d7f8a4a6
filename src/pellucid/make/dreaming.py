"""Dreaming: a picture dreamt on, again and again closer where it is to be a film."""

from __future__ import annotations

from collections.abc import Generator

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional as F

from pellucid.make.canvas import Image
from pellucid.make.climb import Climb
from pellucid.make.octaves import Octaves
from pellucid.make.tiling import Tiled
from pellucid.method import Step
from pellucid.network import Network

PREVIEW = 5  # steps between two pictures on the way


class Dreaming:
    """A dream under way.

    Args:
        begin: the picture that it begins with, normalised.
        look: what is to grow.
        octaves, ratio: see `Octaves`.
        steps: at each size.
        zoom: from one frame to the next.

    Attributes:
        done: steps made.
        alive: whether any of them had a gradient.
        frames: the finished ones, 8 bits.
    """

    def __init__(
        self,
        net: Network,
        begin: Image,
        look: Tiled,
        octaves: int,
        ratio: float,
        steps: int,
        climb: Climb,
        zoom: float,
    ) -> None:
        self.net, self.look, self.climb = net, look, climb
        self.octaves, self.ratio, self.steps, self.zoom = octaves, ratio, steps, zoom
        self.under_way = Octaves(net, begin, octaves, ratio)
        self.done, self.alive = 0, False
        self.frames: list[Tensor] = []

    def run(self, count: int, stop: int | None, name: object) -> Generator[Step, None, bool]:
        """So many frames; Ctrl-C, once there is a picture, ends it early and loses nothing.

        Args:
            stop: after so many steps, as Ctrl-C would.
            name: of what grows, for the steps' texts.

        Returns:
            Whether it came to its end.
        """
        total = count * self.octaves * self.steps
        total = total if stop is None else min(total, stop)
        try:
            for value in self._values():
                shown = shades(self.net, self.so_far()) if self.done % PREVIEW == 0 else None
                yield Step(self.done, total, f"{name} = {value:.3g}", shown)
                if self.done == total:
                    return True
        except KeyboardInterrupt:
            if not self.done:
                raise
        return False

    def _values(self) -> Generator[float, None, None]:
        """What grows, before each step; without an end."""
        while True:
            for moment in self.under_way.run(self.look, steps=self.steps, climb=self.climb):
                self.done += 1
                self.alive |= bool(moment.alive[0])
                if self.done % (self.octaves * self.steps) == 0:
                    self.frames.append(_eight(self.net, self.so_far()))
                yield moment.values[0]
            closer = zoomed(self.so_far(), self.zoom)
            self.under_way = Octaves(self.net, closer, self.octaves, self.ratio)

    def so_far(self) -> Image:
        """The picture that is worked on, at its full size, normalised."""
        return self.under_way.so_far()

    def film(self) -> UInt8[Tensor, "frames channels height width"]:
        """The finished frames; the first one as it is where none is finished."""
        return torch.stack(self.frames or [_eight(self.net, self.so_far())])


def zoomed(images: Image, times: float) -> Image:
    """The middle of images, enlarged to the whole."""
    turn = torch.tensor([[1 / times, 0.0, 0.0], [0.0, 1 / times, 0.0]]).to(images)
    grid = F.affine_grid(turn.expand(len(images), 2, 3), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bicubic", padding_mode="border", align_corners=False)


def shades(net: Network, images: Image) -> Float[Tensor, "channels height width"]:
    """The first image, from 0 to 1, on the processor."""
    return net.preprocess.denormalise(images)[0].clamp(0, 1).float().cpu()


def _eight(net: Network, images: Image) -> UInt8[Tensor, "channels height width"]:
    return (shades(net, images) * 255).round().byte()
