"""Pixel space: images as rows of pixels, for what nearness is worth without a network."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import Protocol

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from pellucid import tiles
from pellucid.images import Photo, from_bytes
from pellucid.method import Step

SIDE = 32  # px
CHUNK = 512  # images at a time


class Thumbnails(Protocol):
    """What keeps a small picture of each image: an atlas."""

    def __len__(self) -> int: ...

    def thumbnails(self, rows: Sequence[int]) -> list[bytes]: ...


def pixels(photo: Photo) -> UInt8[Tensor, "numbers"]:
    """A photo squeezed to 32 x 32 pixels, colours kept, as one row."""
    small = tiles.resized(photo.floats(), (SIDE, SIDE))
    return (small * 255).round().byte().flatten()


def in_pixels(kept: Thumbnails) -> Generator[Step, None, UInt8[Tensor, "images numbers"]]:
    """All images as rows of pixels, from their thumbnails."""
    count = len(kept)
    found = torch.empty(count, 3 * SIDE * SIDE, dtype=torch.uint8)
    for at in range(0, count, CHUNK):
        rows = range(at, min(at + CHUNK, count))
        for row, photo in zip(rows, opened(kept.thumbnails(rows), rows), strict=True):
            found[row] = pixels(photo)
        yield Step(rows.stop, count, f"pixels of image {rows.stop} of {count}")
    return found


def opened(files: Iterable[bytes], rows: Iterable[int]) -> list[Photo]:
    """Thumbnails as photos."""
    pairs = zip(files, rows, strict=True)
    return [from_bytes(file, f"the thumbnail of image {row}") for file, row in pairs]


def as_seen(photo: Photo) -> Float[Tensor, "1 numbers"]:
    """A photo's row of pixels, by way of a thumbnail as all others."""
    from pellucid.images import thumbnail

    return pixels(from_bytes(thumbnail(photo, 128), photo.source or "the photo"))[None].float()
