"""Loading: images decoded and cut to the network's input, by workers, in batches."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from threading import BoundedSemaphore

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.atlas.item import Item
from pellucid.errors import PellucidError
from pellucid.images import Photo, thumbnail
from pellucid.network import Network

AHEAD = 4  # batches that are made ready while others are being worked on
THUMBNAIL = 128  # px, the longer side
WORKERS = min(16, max(4, os.cpu_count() or 1))


@dataclass(frozen=True, eq=False)
class Loaded:
    """One image, ready for the network.

    Attributes:
        number: its place in the stream.
        size: height and width in pixels.
        checksum: SHA-256 of its file, or of its pixels where no file is known, 16 digits.
        small: a JPEG file, for pages.
        crop: what the network sees, values 0 to 1.
    """

    number: int
    uri: str
    label: str
    size: tuple[int, int]
    checksum: str
    small: bytes
    crop: Float[Tensor, "channels height width"]


@dataclass(frozen=True)
class Unread:
    """One image that could not be read, and why."""

    number: int
    uri: str
    reason: str


def batches(
    net: Network, items: Iterable[tuple[int, Item]], size: int, workers: int = WORKERS
) -> Generator[list[Loaded | Unread], None, None]:
    """Items in batches, each in its order, however long the one or the other takes to decode.

    A batch has `size` items, of which fewer are images where some cannot be read: what it consists
    of does not depend on which file is damaged.
    """
    left, turn = iter(items), BoundedSemaphore(os.cpu_count() or 1)
    # Each on one core: operations that share all cores wait for each other.
    pool = ThreadPoolExecutor(
        workers, thread_name_prefix="pellucid-decode", initializer=partial(torch.set_num_threads, 1)
    )
    waiting: deque[list[Future[Loaded | Unread]]] = deque()

    def fill() -> None:
        while len(waiting) < AHEAD + 1:
            some = list(islice(left, size))
            if not some:
                return
            waiting.append([pool.submit(load, net, number, item, turn) for number, item in some])

    try:
        fill()
        while waiting:
            done = [each.result() for each in waiting.popleft()]
            fill()
            yield done
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        # What a thread sets is what later ones begin with.
        torch.set_num_threads(torch.get_num_threads())


def load(
    net: Network, number: int, item: Item, turn: AbstractContextManager[object]
) -> Loaded | Unread:
    """One image, or why it cannot be read.

    Args:
        turn: waited for between reading a file and decoding it. Files are awaited by many, but more
            threads than cores that decode take each other's time.
    """
    try:
        read = item.reader()
        with turn:
            photo, content, label = item.opened(read)
            crop, _ = net.preprocess.crop(photo)
            checksum = checksum_of(photo, content)
            small = thumbnail(photo, THUMBNAIL)
    except PellucidError as error:
        return Unread(number, item.uri, str(error))
    except MemoryError:
        raise
    except Exception as error:  # a data set or a storage may raise anything
        text = " ".join(str(error).split())[:300]
        return Unread(number, item.uri, f"{type(error).__name__}: {text}")
    return Loaded(number, item.uri, label, photo.size, checksum, small, crop)


def checksum_of(photo: Photo, content: bytes | None) -> str:
    """What tells whether an image is the same as before; see `Loaded`."""
    return hashlib.sha256(content).hexdigest()[:16] if content else photo.hash
