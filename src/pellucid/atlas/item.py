"""Item: one image of a stream, known by its address, read when its turn comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from pellucid.images import Photo, from_bytes, open_image

# Gives the bytes of an image file, an image that is open already (Pillow, tensor, array), or a
# `Sample`, where only the image's own source knows its class.
Reader = Callable[[], Any]


class Sample(NamedTuple):
    """An image and the name of its class."""

    image: Any
    label: str


class Opened(NamedTuple):
    """A photo, what its file holds where it comes from one, and the name of its class."""

    photo: Photo
    content: bytes | None
    label: str


@dataclass(frozen=True, eq=False)
class Item:
    """One image that has not been read yet.

    Attributes:
        uri: what it is found by again: a path, an address, "FILE.tar#MEMBER", "FILE.parquet#12".
        label: the name of its class; "" where there is none, or only reading tells.
        reader: reads it; may raise anything, which sets the image aside.
    """

    uri: str
    label: str
    reader: Reader

    def open(self) -> Opened:
        """Reads and decodes it.

        Raises:
            Exception: whatever reading and decoding raise.
        """
        return self.opened(self.reader())

    def opened(self, content: Any) -> Opened:
        """Decodes what its reader gave.

        Raises:
            Exception: whatever decoding raises.
        """
        label = self.label
        if isinstance(content, Sample):
            content, label = content
        if isinstance(content, bytes):
            return Opened(from_bytes(content, self.uri), content, label)
        return Opened(Photo(open_image(content).pixels, self.uri), None, label)
