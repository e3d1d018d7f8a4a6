"""Images of a folder, of a pattern, or of a list of paths."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

from pellucid.atlas.item import Item
from pellucid.atlas.places import SIGNS, FileReader, absolute, files, folder_name, is_image
from pellucid.errors import PellucidError
from pellucid.images import Photo, open_image


def of_folder(place: str) -> Iterator[Item]:
    """Images in a folder and its folders, or those that fit a pattern; folders are labels."""
    root = absolute(place)
    while any(sign in root for sign in SIGNS):  # of a pattern, the folder in front of its signs
        root = os.path.dirname(root)
    for file in files(absolute(place)):
        if is_image(file):
            yield Item(file, folder_name(file, root), FileReader(file))


def of_list(photos: Iterable[Any]) -> Iterator[Item]:
    """Photos in whatever form `open_image` takes; pairs with a label as well."""
    for number, given in enumerate(photos):
        photo, label = given if isinstance(given, tuple) and len(given) == 2 else (given, "")
        if isinstance(photo, Item):
            yield photo
        elif isinstance(photo, str | os.PathLike):
            text = os.fspath(photo)
            if text.startswith("photo:"):
                yield Item(text, str(label), _Opened(text))
            else:
                yield Item(absolute(text), str(label), FileReader(absolute(text)))
        else:
            source = photo.source if isinstance(photo, Photo) else ""
            yield Item(source or f"[{number}]", str(label), _Opened(photo))


def of_names(place: str) -> Iterator[Item]:
    """Images whose paths stand in a text file, one in each line, seen from its folder."""
    try:
        lines = FileReader(place)().decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise PellucidError(f"{place} is not a text file of paths, one in each line") from None
    for line in filter(None, map(str.strip, lines)):
        file = absolute(beside(place, line))
        yield Item(file, "", FileReader(file))


def beside(place: str, name: str) -> str:
    """A path as it is meant in a file: seen from the file's folder."""
    if "://" in name or os.path.isabs(name):
        return name
    return os.path.join(os.path.dirname(place), name)


class _Opened:
    """Gives an image that is at hand, as `open_image` opens it."""

    def __init__(self, photo: Any) -> None:
        self.photo = photo

    def __call__(self) -> Any:
        return open_image(self.photo).pixels
