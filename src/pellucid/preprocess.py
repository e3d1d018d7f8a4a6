"""Preprocessing that can be undone in geometry: photo -> network input, map -> photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import index
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from pellucid.box import Box
from pellucid.errors import PellucidError, Unknown
from pellucid.images import Photo

Interpolation = Literal["nearest", "bilinear", "bicubic"]
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Frame:
    """Where a network's input lies in its photo.

    Attributes:
        photo: height and width of the photo, in its own pixels.
        resized: height and width after resizing.
        offset: rows and columns cut off at the top and left (negative: padded).
        size: height and width of the input.
    """

    photo: tuple[int, int]
    resized: tuple[int, int]
    offset: tuple[int, int]
    size: tuple[int, int]

    def box(self, box: Box[float]) -> Box[float]:
        """A box of the input in the photo's pixels (it may reach beyond the photo)."""
        down, across = self.photo[0] / self.resized[0], self.photo[1] / self.resized[1]
        top, left = self.offset
        return Box(
            (box.top + top) * down,
            (box.left + left) * across,
            (box.bottom + top) * down,
            (box.right + left) * across,
        )

    def view(self) -> Box[int]:
        """The part of the photo that the network sees, in the photo's pixels, whole pixels.

        At least one pixel, where the network sees less.
        """
        whole = self.box(Box(0, 0, *self.size))
        top, bottom = _whole_pixels(whole.top, whole.bottom, self.photo[0])
        left, right = _whole_pixels(whole.left, whole.right, self.photo[1])
        return Box(top, left, bottom, right)

    def to_photo(self, maps: Float[Tensor, "*lead height width"]) -> Float[Tensor, "*lead h w"]:
        """Draws maps over the whole input, of any resolution, in the photo's pixels.

        Outside of what the network saw the result is NaN.
        """
        *lead, _, _ = maps.shape
        box, view = self.box(Box(0, 0, *self.size)), self.view()
        exact = torch.float64  # a long photo has more pixels than float32 has steps
        rows = torch.arange(view.top, view.bottom, dtype=exact) + 0.5 - box.top
        columns = torch.arange(view.left, view.right, dtype=exact) + 0.5 - box.left
        rows, columns = rows / (box.bottom - box.top), columns / (box.right - box.left)
        grid = torch.stack(torch.meshgrid(columns * 2 - 1, rows * 2 - 1, indexing="xy"), dim=-1)
        flat = maps.detach().cpu().float().reshape(1, -1, *maps.shape[-2:])
        drawn = F.grid_sample(
            flat, grid[None].float(), mode="bilinear", padding_mode="border", align_corners=False
        )
        whole = torch.full((flat.shape[1], *self.photo), torch.nan)
        whole[:, int(view.top) : int(view.bottom), int(view.left) : int(view.right)] = drawn[0]
        return whole.reshape(*lead, *self.photo)


def _whole_pixels(low: float, high: float, length: int) -> tuple[int, int]:
    first, last = max(0, round(low)), min(length, round(high))
    if first >= last:
        first = min(max(0, int((low + high) / 2)), length - 1)
        last = first + 1
    return first, last


BAND = 16  # input pixels that are worked out together; quickest, on small and large photos


@dataclass(frozen=True)
class Preprocess:
    """How a photo becomes a network's input: resize, centre crop, normalise.

    Attributes:
        size: height and width of the input.
        resize: the shorter side before the crop; a pair is an exact height and width (no crop of
            what is larger, aspect not kept).
        mean, std: per channel, of values 0 to 1; their number is the network's input channels
            (1: the photo is turned grey).
        interpolation: of the resizing, with antialiasing.
    """

    size: tuple[int, int] = (224, 224)
    resize: int | tuple[int, int] = 256
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    interpolation: Interpolation = "bilinear"

    @classmethod
    def of(
        cls,
        size: int | tuple[int, int],
        resize: int | tuple[int, int] | None,
        mean: Sequence[float],
        std: Sequence[float],
        interpolation: Interpolation,
    ) -> Preprocess:
        """As `Network` takes it.

        Raises:
            PellucidError: a size that is none, or numbers that do not go together.
        """
        square = _pair("size", size)
        if len(mean) != len(std) or len(mean) not in (1, 3):
            raise PellucidError(
                f"mean and std have one number for each input channel, 1 or 3 of them; "
                f"these have {len(mean)} and {len(std)}"
            )
        if min(std) <= 0:
            raise PellucidError(f"std is positive, not {tuple(std)}")
        if interpolation not in get_args(Interpolation):
            raise Unknown("interpolation", interpolation, get_args(Interpolation))
        if resize is None:
            resize = min(square) if square[0] == square[1] else square
        return cls(square, resize, tuple(mean), tuple(std), interpolation)

    @property
    def channels(self) -> int:
        """1 or 3."""
        return len(self.mean)

    def frame(self, photo: tuple[int, int]) -> Frame:
        """Where the input will lie in a photo of this height and width."""
        height, width = photo
        if isinstance(self.resize, tuple):
            resized = self.resize
        elif height <= width:
            resized = (self.resize, max(1, int(self.resize * width / height)))
        else:
            resized = (max(1, int(self.resize * height / width)), self.resize)
        # Rounded and padded as torchvision's center_crop does.
        offset = tuple(
            round((whole - part) / 2.0) if whole >= part else -((part - whole) // 2)
            for whole, part in zip(resized, self.size, strict=True)
        )
        return Frame(photo, resized, (offset[0], offset[1]), self.size)

    def crop(self, photo: Photo) -> tuple[Float[Tensor, "channels height width"], Frame]:
        """The part of a photo that the network sees, values 0 to 1, not yet normalised."""
        frame = self.frame(photo.size)
        # Only what the input needs is resized: the whole of a photo of 1 x 50,000 pixels, its
        # shorter side enlarged to 256, would have three thousand million.
        down, across = (
            _Resampling.of(*axis, self.interpolation)
            for axis in zip(frame.photo, frame.resized, frame.offset, frame.size, strict=True)
        )
        part = photo.pixels[:, down.seen, across.seen]
        rows = torch.cat([weights @ part[:, seen].float() for seen, weights in down.bands], 1)
        image = torch.cat([rows[..., seen] @ weights.T for seen, weights in across.bands], -1)
        image = image.div_(255).clamp_(0, 1)
        if any((*across.padding, *down.padding)):
            image = F.pad(image, (*across.padding, *down.padding))
        if self.channels == 1:
            image = (image * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(0, keepdim=True)
        return image, frame

    def normalise(self, images: Float[Tensor, "*batch c h w"]) -> Float[Tensor, "*batch c h w"]:
        """Values 0 to 1 as the network wants them."""
        return (images - self._column(self.mean, images)) / self._column(self.std, images)

    def denormalise(self, images: Float[Tensor, "*batch c h w"]) -> Float[Tensor, "*batch c h w"]:
        """The network's values back to 0 to 1 (not clipped)."""
        return images * self._column(self.std, images) + self._column(self.mean, images)

    @staticmethod
    def _column(values: tuple[float, ...], like: Tensor) -> Tensor:
        return torch.tensor(values, dtype=like.dtype, device=like.device).view(-1, 1, 1)


class _Resampling(NamedTuple):
    """Resizing along one axis, and cutting or padding it to the input.

    Attributes:
        seen: the pixels of the photo that the input depends on.
        bands: for some input pixels after the other what they depend on, of what is seen, and how
            much: (input pixels, seen pixels), rows add up to 1.
        padding: input pixels before and after the photo.
    """

    seen: slice
    bands: tuple[tuple[slice, Float[Tensor, "inside seen"]], ...]
    padding: tuple[int, int]

    @classmethod
    @lru_cache(maxsize=256)
    def of(
        cls, length: int, resized: int, offset: int, size: int, mode: Interpolation
    ) -> "_Resampling":
        """Antialiased as Pillow and torch do it: a filter as wide as the shrinking is strong."""
        # Worked out with numpy: a collection has photos of many sizes, and these are small things.
        start, stop = max(0, offset), min(resized, offset + size)
        step = length / resized
        centres = (np.arange(start, stop) + 0.5) * step
        wide = max(step, 1.0)
        reach = (2 if mode == "bicubic" else 1) * wide
        first, last = np.maximum(0, centres - reach), np.minimum(length, centres + reach + 1)
        begin = int(first[0])
        bands = []
        for some in range(0, len(centres), BAND):
            low, high = int(first[some]), int(last[some : some + BAND][-1])
            away = (np.arange(low, high) + 0.5 - centres[some : some + BAND, None]) / wide
            if mode == "nearest":
                # The pixel below each centre, as Pillow has it; torch's is half a pixel off.
                at = np.arange(start, stop)[some : some + BAND, None]
                weights = np.arange(low, high) == (2 * at + 1) * length // (2 * resized)
            else:
                weights = _cubic(abs(away)) if mode == "bicubic" else (1 - abs(away)).clip(0)
            whole = weights.sum(1, keepdims=True)
            near = torch.from_numpy((weights / whole).astype(np.float32))
            bands.append((slice(low - begin, high - begin), near))
        padding = (max(0, -offset), max(0, offset + size - resized))
        return cls(slice(begin, int(last[-1])), tuple(bands), padding)


def _cubic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys's kernel (1981) with a = -0.5, as in Pillow."""
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def _pair(what: str, size: Any) -> tuple[int, int]:
    """Height and width, from both or from one number for a square."""
    pair = tuple(size) if isinstance(size, list | tuple) else (size, size)
    if len(pair) != 2 or any(not hasattr(side, "__index__") or index(side) < 1 for side in pair):
        raise PellucidError(
            f"{what} is a positive whole number of pixels or two of them, not {size!r}"
        )
    return index(pair[0]), index(pair[1])
