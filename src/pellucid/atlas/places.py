"""Places: files of this machine and of object storage, by path and by address."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from pellucid.endings import PICTURES
from pellucid.errors import PellucidError
from pellucid.images import MOST_BYTES

SIGNS = ("*", "?", "[")


def is_remote(place: str) -> bool:
    """Whether a place is an address such as s3://bucket/folder."""
    return "://" in place


def storage(place: str) -> Any:
    """fsspec's file system of an address; of s3:// pyarrow's, which comes with the store.

    Raises:
        PellucidError: what speaks this protocol is not installed.
    """
    if place.startswith("s3://"):
        return _s3()
    import fsspec

    try:
        return fsspec.core.url_to_fs(place)[0]
    except (ImportError, ValueError) as error:
        raise PellucidError(f"{place} cannot be reached: {error}") from None


@cache
def _s3() -> Any:
    from fsspec.implementations.arrow import ArrowFSWrapper
    from pyarrow import fs

    # The address of another server than Amazon's is read here, for Lance reads the same.
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION")
    return ArrowFSWrapper(fs.S3FileSystem(endpoint_override=endpoint, region=region))


@dataclass(frozen=True)
class FileReader:
    """Reads a file, or a part of one.

    Attributes:
        place: a path or an address.
        start, size: of the part in bytes; None, the whole.
    """

    place: str
    start: int = 0
    size: int | None = None

    def __call__(self) -> bytes:
        """The bytes; more than an image may have are not read.

        Raises:
            PellucidError: a file of this machine is not there or cannot be read.
        """
        if is_remote(self.place):
            end = None if self.size is None else self.start + self.size
            content: bytes = storage(self.place).cat_file(self.place, self.start or None, end)
            return content
        try:
            with open(self.place, "rb") as file:
                file.seek(self.start)
                return file.read(MOST_BYTES + 1 if self.size is None else self.size)
        except FileNotFoundError:
            link = ": it is a broken link" if os.path.islink(self.place) else ""
            raise PellucidError(f"{self.place} is not there{link}") from None
        except OSError as error:
            raise PellucidError(f"{self.place} cannot be read: {error.strerror}") from None


def files(place: str) -> Iterator[str]:
    """The files of a folder or of a glob pattern, folder by folder, names in order.

    Nothing whose name begins with a dot is looked at.
    """
    if is_remote(place):
        yield from _remote(place)
    elif any(sign in place for sign in SIGNS):
        import glob

        yield from sorted(filter(os.path.isfile, glob.glob(place, recursive=True)))
    else:
        yield from _walk(place)


def _walk(folder: str) -> Iterator[str]:
    with os.scandir(folder) as found:
        entries = sorted(
            (entry for entry in found if not entry.name.startswith(".")), key=lambda one: one.name
        )
    for entry in entries:
        if entry.is_dir():
            # A link to a folder above would lead round in a circle.
            if not entry.is_symlink():
                yield from _walk(entry.path)
        else:
            yield entry.path


def _remote(place: str) -> Iterator[str]:
    system = storage(place)
    search = system.glob if any(sign in place for sign in SIGNS) else system.find
    try:
        found = search(place)
    except FileNotFoundError:
        raise PellucidError(f"there is nothing at {place}") from None
    yield from (system.unstrip_protocol(name) for name in sorted(found))


def is_image(place: str) -> bool:
    """Whether a file is named as an image."""
    return os.path.splitext(place)[1].lower() in PICTURES


def absolute(place: str) -> str:
    """A path that means the same from every folder; an address as it is."""
    return place if is_remote(place) else os.path.abspath(os.path.expanduser(place))


def folder_name(place: str, root: str) -> str:
    """The name of the folder that a file lies in; "" of the root itself."""
    folder = os.path.dirname(place).rstrip("/")
    bare = folder.partition("://")[2].strip("/") if is_remote(folder) else folder
    top = root.partition("://")[2].strip("/") if is_remote(root) else root.rstrip("/")
    return "" if bare == top else os.path.basename(folder)
