"""Item: one image of a stream, known by its address, read when its turn comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pellucid.images import Photo, from_bytes, open_image

# Gives the bytes of an image file, or an image that is open already (Pillow, tensor, array).
Reader = Callable[[], Any]


@dataclass(frozen=True, eq=False)
class Item:
    """One image that has not been read yet.

    Attributes:
        uri: what it is found by again: a path, an address, "FILE.tar#MEMBER", "FILE.parquet#12".
        label: the name of its class; "" where there is none.
        reader: reads it; may raise anything, which sets the image aside.
    """

    uri: str
    label: str
    reader: Reader

    def open(self) -> tuple[Photo, bytes | None]:
        """The photo, and what its file holds where it comes from one.

        Raises:
            Exception: whatever reading and decoding raise.
        """
        content = self.reader()
        if isinstance(content, bytes):
            return from_bytes(content, self.uri), content
        return Photo(open_image(content).pixels, self.uri), None
