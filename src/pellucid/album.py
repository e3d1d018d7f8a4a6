"""Album: several photos together, those of a folder among them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from pellucid.endings import PICTURES
from pellucid.errors import PellucidError
from pellucid.images import Photo, open_image

MOST_PHOTOS = 1000  # of one folder
MOST_NUMBERS = 1_500_000_000  # of one folder's photos together, a byte each
MOST_FILES = 200_000  # that are looked through
SHOWN = 5  # damaged files that an error names


class Album(tuple[Photo, ...]):
    """Photos in order, and how many of their folders were left out for want of memory."""

    left_out: int = 0


def album(sources: Iterable[Any]) -> Album:
    """Opens photos, whatever each comes as; of a folder all that are in it, by their names.

    A folder's folders belong to it. Where it has more than fit, they are taken evenly from all
    of it: every second, every fourth, …

    Raises:
        PellucidError: a photo cannot be opened, or a folder has none; of a folder the files that
            cannot be read are named.
    """
    photos: list[Photo] = []
    left_out = 0
    for source in sources:
        if is_folder(source):
            found, more = _of_folder(os.fsdecode(source))
            photos += found
            left_out += more
        else:
            photos.append(open_image(source))
    made = Album(photos)
    made.left_out = left_out
    return made


def is_folder(source: Any) -> bool:
    """Whether a photo argument names a folder."""
    if not isinstance(source, str | bytes | os.PathLike):
        return False
    try:
        return Path(os.fsdecode(source)).expanduser().is_dir()
    except (OSError, ValueError, RuntimeError):
        return False


def _of_folder(folder: str) -> tuple[list[Photo], int]:
    files = paths(folder)
    kept: list[Photo] = []
    damaged: list[str] = []
    step = 1
    for number, path in enumerate(files):
        if number % step:
            continue
        try:
            kept.append(open_image(path))
        except PellucidError as error:
            damaged.append(str(error))
        while len(kept) > 1 and (
            len(kept) > MOST_PHOTOS or sum(one.pixels.numel() for one in kept) > MOST_NUMBERS
        ):
            kept = kept[::2]
            step *= 2
    if damaged:
        named = "; ".join(damaged[:SHOWN]) + ("; …" if damaged[SHOWN:] else "")
        raise PellucidError(
            f"{len(damaged)} of the {len(files)} images in {folder} cannot be read: {named}"
        )
    return kept, len(files) - len(kept)


def paths(folder: str, endings: Collection[str] = PICTURES) -> list[str]:
    """The images in a folder and its folders, by name, as a person would type them.

    Args:
        endings: of what counts as one.

    Raises:
        PellucidError: there is none, or more files than can be looked through.
    """
    root = Path(folder).expanduser()
    found: list[str] = []
    seen = 0
    for place, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        seen += len(files)
        if seen > MOST_FILES:
            raise PellucidError(f"{folder} has more than {MOST_FILES} files: name a smaller folder")
        inside = os.path.relpath(place, root)
        found += [
            os.path.normpath(os.path.join(folder, inside, name))
            for name in files
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in endings
        ]
    if not found:
        raise PellucidError(f"there is no image in the folder {folder}")
    return sorted(found)
