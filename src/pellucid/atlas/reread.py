"""Reread: an image of an atlas read again, from where the survey found it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pellucid.atlas.item import Opened
from pellucid.atlas.stream import Stream, reopened
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from pellucid.atlas.atlas import Atlas


def reread(atlas: Atlas, row: int, photos: Stream | None = None) -> Opened:
    """An image with what its file holds now.

    Args:
        photos: the data set that it is in, where no file holds it.

    Raises:
        PellucidError: there is no such row, or the image is no longer there.
    """
    if not 0 <= row < len(atlas):
        raise PellucidError(f"{atlas.path} has images 0 to {len(atlas) - 1}, not {row}")
    uri = atlas.images.uris[row]
    try:
        return (reopened(uri) if photos is None else photos.photo(uri)).open()
    except (OSError, KeyError, IndexError) as error:
        raise PellucidError(f"{uri} cannot be read again: {error}") from None
