"""Canvas: which numbers a picture is made of. The climb changes them, the network sees pixels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from pellucid.errors import PellucidError
from pellucid.make.worded import Worded
from pellucid.network import Network

Image = Float[Tensor, "batch channels height width"]
MOST_PIXELS = 2**26  # of one picture
STARTS = ("zeros", "noise")
GREY = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)  # as `Preprocess` turns a photo grey


class Sheet(ABC):
    """A canvas laid out for a network: the numbers themselves.

    Attributes:
        parameters: float32, the batch in front; changed in place by the climb.
    """

    parameters: list[Tensor]

    def __init__(self, net: Network) -> None:
        self.net = net

    @abstractmethod
    def images(self) -> Image:
        """The pictures, normalised as the network's input, ready for gradients."""

    def settle(self) -> None:  # noqa: B027 (most have no bounds)
        """Brings the numbers back to where they mean a picture, after a step."""

    def pictures(self) -> Image:
        """The pictures, from 0 to 1, on the processor."""
        with torch.no_grad():
            images = self.images()
        shades = [self.net.preprocess.denormalise(image) for image in images]
        return torch.stack(shades).clamp(0, 1).float().cpu()


@dataclass(frozen=True)
class Canvas(Worded, ABC):
    """A kind of canvas.

    Attributes:
        size: "128" px for the shorter side, the proportions those of the network's input; "96x128"
            height and width; "", in a text "0", as large as the input.
        first: "zeros", the mean grey; or "noise".
    """

    size: str = ""
    first: str = "zeros"

    def __post_init__(self) -> None:
        if self.first not in STARTS:
            raise PellucidError(f"a canvas starts from {' or '.join(STARTS)}, not {self.first!r}")
        if self.size.strip() == "0":
            object.__setattr__(self, "size", "")
        sides(self.size, (1, 1))

    @abstractmethod
    def start(
        self,
        net: Network,
        random: Generator,
        begin: Float[Tensor, "channels height width"] | None = None,
    ) -> Tensor:
        """The numbers of one picture to begin with.

        Args:
            random: of the noise.
            begin: a picture to begin with, from 0 to 1, in place of `first`.
        """

    @abstractmethod
    def lay(self, net: Network, numbers: Float[Tensor, "batch ..."]) -> Sheet:
        """A sheet of those numbers."""

    def sheet(
        self,
        net: Network,
        random: Generator,
        count: int = 1,
        begins: Float[Tensor, "count channels height width"] | None = None,
    ) -> Sheet:
        """So many pictures, laid out for a network.

        Args:
            random: of the noise; every picture has the same, so that it does not depend on those
                beside it.
            begins: pictures to begin with, from 0 to 1.
        """
        if begins is None:
            first = self.start(net, random)
            return self.lay(net, first.repeat(count, *[1] * first.dim()))
        return self.lay(net, torch.stack([self.start(net, random, begin) for begin in begins]))

    def shape(self, net: Network) -> tuple[int, int, int]:
        """Channels, height and width for a network."""
        return net.preprocess.channels, *sides(self.size, net.preprocess.size)

    def noisy(self) -> Canvas:
        """The same, starting from noise."""
        return replace(self, first="noise")

    def sized(self, size: str) -> Canvas:
        """The same of another size."""
        return replace(self, size=size)


def sides(size: str | int | tuple[int, int], input_size: tuple[int, int]) -> tuple[int, int]:
    """Height and width of a size in words; see `Canvas`.

    Raises:
        PellucidError: not a size.
    """
    words = size.lower().split("x") if isinstance(size, str) else _listed(size)
    if words == [""]:
        return input_size
    try:
        numbers = [int(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or min(numbers) < 1:
        raise PellucidError(f"a size is 128, or 96x128 (height x width) in pixels, not {size!r}")
    if len(numbers) == 1:
        short = min(input_size)
        numbers = [round(numbers[0] * side / short) for side in input_size]
    if numbers[0] * numbers[1] > MOST_PIXELS:
        raise PellucidError(f"a picture of {size} is too large: at most {MOST_PIXELS} pixels")
    return numbers[0], numbers[1]


def said(size: Any) -> str:
    """A size as a canvas has it: 128 and (96, 128) as "128" and "96x128"."""
    return size if isinstance(size, str) else "x".join(map(str, _listed(size)))


def _listed(size: Any) -> list[Any]:
    return list(size) if isinstance(size, list | tuple) else [size]


def grown(
    picture: Float[Tensor, "channels height width"], shape: tuple[int, int, int]
) -> Float[Tensor, "c h w"]:
    """A picture to begin with, as a canvas of that shape wants it."""
    if picture.shape[0] == 3 != shape[0]:
        picture = (picture * GREY.to(picture)).sum(0, keepdim=True)
    elif picture.shape[0] != shape[0]:
        picture = picture.expand(shape[0], -1, -1)
    if tuple(picture.shape) == shape:
        return picture
    resized = torch.nn.functional.interpolate(
        picture[None], shape[1:], mode="bilinear", antialias=True, align_corners=False
    )
    return resized[0].clamp(0, 1)
