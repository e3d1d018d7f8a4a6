"""Images of tar shards, as WebDataset lays them out: NAME.jpg beside NAME.cls, NAME.json, …"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from pellucid.atlas.item import Item
from pellucid.atlas.places import FileReader, is_image, is_remote, storage
from pellucid.errors import PellucidError

LABEL_FILES = (".cls", ".label", ".txt", ".json")
LABEL_KEYS = ("label", "class", "category", "cls")
MOST_LABEL = 1_000_000  # bytes of a file that a label stands in


def of_shards(places: Iterator[str]) -> Iterator[Item]:
    """Images of one shard after another, in their order inside it.

    Files of one sample lie together and share the name in front of their first dot.
    """
    for place in places:
        yield from _shard(place)


def member_bytes(place: str, name: str) -> bytes:
    """What one file in a shard holds."""
    with _opened(place) as shard:
        for member in shard:
            if member.name == name and member.isfile():
                return FileReader(place, member.offset_data, member.size)()
    raise PellucidError(f"{place} has no file {name!r}")


def _shard(place: str) -> Iterator[Item]:
    sample, label = "", ""
    images: list[tarfile.TarInfo] = []
    with _opened(place) as shard:
        for member in _members(shard, place):
            path = PurePosixPath(member.name)
            base, _, ending = path.name.partition(".")
            key = str(path.parent / base)
            if key != sample:
                yield from _items(place, images, label)
                sample, images, label = key, [], ""
            if is_image(member.name):
                images.append(member)
            elif f".{ending.lower()}" in LABEL_FILES and member.size <= MOST_LABEL and not label:
                file = shard.extractfile(member)
                label = _label(file.read() if file else b"", ending)
        yield from _items(place, images, label)


def _items(place: str, images: list[tarfile.TarInfo], label: str) -> Iterator[Item]:
    for member in images:
        reader = FileReader(place, member.offset_data, member.size)
        yield Item(f"{place}#{member.name}", label, reader)


def _members(shard: tarfile.TarFile, place: str) -> Iterator[tarfile.TarInfo]:
    try:
        for member in shard:
            if member.isfile() and not PurePosixPath(member.name).name.startswith("."):
                yield member
    except (tarfile.TarError, OSError) as error:
        raise PellucidError(f"{place} is cut short or damaged: {error}") from None


def _opened(place: str) -> tarfile.TarFile:
    # Uncompressed only: in a compressed shard no image can be found again without all before it.
    try:
        if is_remote(place):
            return tarfile.open(fileobj=storage(place).open(place, "rb"), mode="r:")
        return tarfile.open(place, mode="r:")
    except (tarfile.TarError, OSError) as error:
        raise PellucidError(f"{place} is not an uncompressed tar file: {error}") from None


def _label(content: bytes, ending: str) -> str:
    text = content.decode("utf-8", "replace").strip()
    if not ending.lower().endswith("json"):
        return text.partition("\n")[0]
    try:
        found: Any = json.loads(text)
    except ValueError:
        return ""
    if isinstance(found, dict):
        found = next((found[key] for key in LABEL_KEYS if key in found), "")
    return "" if isinstance(found, dict | list) else str(found)
