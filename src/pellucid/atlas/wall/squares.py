"""Squares: photos read by threads, each cut to a square of one size."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import PellucidError
from pellucid.images import Photo

Open = Callable[[int], Photo]  # the photo of a row; a PellucidError where it cannot be read
GREY = 200  # of a photo that cannot be read
AHEAD = 64  # photos that are read before they are wanted

Square = UInt8[Tensor, "3 side side"]


def squares(
    opened: Open, rows: Sequence[int], side: int, workers: int
) -> Iterator[tuple[Square, str]]:
    """The middle square of each photo in order, and why it is grey instead, "" where it is not.

    Args:
        side: px.
        workers: threads: decoding and resizing let each other run.
    """
    with ThreadPoolExecutor(max(1, workers)) as pool:
        todo = iter(rows)
        waiting: deque[Future[tuple[Square, str]]] = deque()
        try:
            for row in islice(todo, AHEAD):
                waiting.append(pool.submit(_square, opened, row, side))
            while waiting:
                yield waiting.popleft().result()
                for row in islice(todo, 1):
                    waiting.append(pool.submit(_square, opened, row, side))
        finally:
            for future in waiting:
                future.cancel()


def _square(opened: Open, row: int, side: int) -> tuple[Square, str]:
    try:
        return squared(opened(row), side), ""
    except PellucidError as error:
        return torch.full((3, side, side), GREY, dtype=torch.uint8), str(error)


def squared(photo: Photo, side: int) -> Square:
    """The largest square in the middle of a photo, resized with antialiasing."""
    height, width = photo.size
    whole = min(height, width)
    top, left = (height - whole) // 2, (width - whole) // 2
    cut = photo.pixels[:, top : top + whole, left : left + whole]
    # Channels last: torch resizes 8-bit pixels several times faster so.
    cut = cut[None].contiguous(memory_format=torch.channels_last)
    small = F.interpolate(cut, (side, side), mode="bilinear", antialias=True, align_corners=False)
    return small[0].contiguous()
