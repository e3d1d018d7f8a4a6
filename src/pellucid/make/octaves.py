"""Octaves: the sizes that a picture is worked on at, each in turn, details carried up."""

from __future__ import annotations

from collections.abc import Callable, Generator

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.make.ascend import Moment, Values, ascend
from pellucid.make.canvas import Image
from pellucid.make.climb import Climb
from pellucid.make.pixels import PixelSheet
from pellucid.network import Network


class Octaves:
    """A picture that is climbed on at several sizes, the smallest first.

    What a smaller size added to the picture, its details, is enlarged and added to the picture at
    the next size (Mordvintsev, Olah, Tyka 2015): so coarse shapes come before fine ones, and the
    picture itself stays sharp.

    Args:
        whole: the picture at its full size, normalised.
        count: of sizes, each `ratio` times the one before.
    """

    def __init__(self, net: Network, whole: Image, count: int, ratio: float) -> None:
        self.net = net
        self.whole = whole.to(net.device, torch.float32)
        self.sizes = sizes((whole.shape[2], whole.shape[3]), count, ratio)
        self.sheet, self.base = self._laid(self.sizes[0], None)

    def run(
        self, objective: Callable[[Image], Values], *, steps: int, climb: Climb
    ) -> Generator[Moment, None, None]:
        """So many steps at each size; see `ascend`."""
        for number, size in enumerate(self.sizes):
            if number:
                self.sheet, self.base = self._laid(size, self.sheet.parameters[0] - self.base)
            yield from ascend(self.sheet, objective, steps=steps, climb=climb)

    def so_far(self) -> Image:
        """The picture at its full size, normalised, whatever size is worked on."""
        if self.base.shape == self.whole.shape:
            return self.sheet.parameters[0]
        details = resized(self.sheet.parameters[0] - self.base, self.sizes[-1])
        sheet = PixelSheet(self.net, self.whole + details)
        sheet.settle()
        return sheet.parameters[0]

    def _laid(self, size: tuple[int, int], details: Image | None) -> tuple[PixelSheet, Tensor]:
        base = resized(self.whole, size)
        # A copy in any case: the sheet changes in place.
        begin = base.clone() if details is None else base + resized(details, size)
        sheet = PixelSheet(self.net, begin)
        sheet.settle()
        return sheet, base


def sizes(size: tuple[int, int], count: int, ratio: float) -> list[tuple[int, int]]:
    """Heights and widths, the smallest first, the last as given."""
    height, width = size
    return [
        (max(1, round(height / ratio**down)), max(1, round(width / ratio**down)))
        for down in reversed(range(count))
    ]


def resized(images: Image, size: tuple[int, int]) -> Float[Tensor, "batch channels h w"]:
    """Images of another size, bicubic; the same where the size is."""
    if tuple(images.shape[2:]) == size:
        return images
    return F.interpolate(images, size, mode="bicubic", antialias=True, align_corners=False)
