"""Stream: the images of a collection one after another, whatever the collection comes as."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

from pellucid.atlas.item import Item
from pellucid.atlas.places import SIGNS, FileReader, absolute, files, is_image, is_remote
from pellucid.atlas.sources import datasets, folders, shards, tables
from pellucid.errors import PellucidError, Unknown, existing

_NUMBERS = re.compile(r"\{(\d+)\.\.(\d+)\}")
MOST_SHARDS = 1_000_000


class Stream:
    """Images in an order that is always the same, none of them read yet.

    Attributes:
        source: what it comes from, for people.
    """

    def __init__(self, items: Callable[[], Iterable[Item]], source: str) -> None:
        self._items = items
        self.source = source

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items())

    def __repr__(self) -> str:
        return f"<Stream {self.source}>"

    def count(self) -> int:
        """How many images there are; looks through all of their names."""
        return sum(1 for _ in self)

    def photo(self, uri: str) -> Item:
        """One of its images by its uri, for images that no file holds.

        Raises:
            PellucidError: it is not in this stream.
        """
        for item in self:
            if item.uri == uri:
                return item
        raise PellucidError(f"{uri} is not in {self.source}")


def stream(source: Any, *, image: str | None = None, label: str | None = None) -> Stream:
    """The images of a collection, in an order that is always the same.

    Nothing is read before its turn. Labels come from the names of folders, from a column, or from
    the data set.

    Args:
        source: a folder (its folders are labels), a pattern ("photos/**/*.jpg"), a list of paths,
            images or (image, label) pairs, a .txt of paths, a .csv, .tsv or .parquet with a column
            of paths or of image bytes, tar shards as of WebDataset ("train-{0000..0041}.tar"), a
            data set of torchvision or of Hugging Face `datasets`; folders, patterns and files also
            as an address of object storage, "s3://bucket/photos".
        image, label: columns of a table or data set, where they are not named as usual.

    Example:
        >>> for item in stream("flowers/"):
        ...     item.uri, item.label

    Raises:
        PellucidError: there is no such place, or nobody knows what it is.
    """
    if isinstance(source, Stream):
        return source
    if isinstance(source, str | os.PathLike):
        text = os.fspath(source)
        return Stream(lambda: _of_place(text, image, label), text)
    if datasets.is_hugging_face(source):
        return Stream(lambda: datasets.of_hugging_face(source, image, label), "a data set")
    if isinstance(source, list | tuple):
        return Stream(lambda: folders.of_list(source), f"a list of {len(source)}")
    if hasattr(source, "__getitem__") and hasattr(source, "__len__"):
        return Stream(lambda: datasets.of_torchvision(source), type(source).__name__)
    raise PellucidError(
        f"a stream comes from a folder, a pattern, a table, tar shards, a list or a data set, not "
        f"from {type(source).__name__}"
    )


def reopened(uri: str) -> Item:
    """An image by the uri that a stream gave it.

    Raises:
        PellucidError: it was no file, nor part of one.
    """
    place, mark, inside = uri.rpartition("#")
    if uri.startswith("photo:"):
        return next(folders.of_list([uri]))
    if mark and place.lower().endswith(".tar"):
        return Item(uri, "", lambda: shards.member_bytes(place, inside))
    if mark and place.lower().endswith(".parquet") and inside.isdecimal():
        return Item(uri, "", lambda: tables.row_bytes(place, int(inside)))
    if uri.endswith("]") and not os.path.exists(uri):
        raise PellucidError(
            f"{uri} came from a data set or a list in memory: give it again, Atlas.open(…, "
            f"photos=…)"
        )
    return Item(uri, "", FileReader(uri))


def _of_place(text: str, image: str | None, label: str | None) -> Iterator[Item]:
    places = _braces(text)
    endings = {os.path.splitext(place)[1].lower() for place in places}
    if endings == {".tar"}:
        return shards.of_shards(_each(places))
    if len(places) > 1:
        raise PellucidError(f"{text}: braces are for tar shards, NAME-{{0000..0041}}.tar")
    place, ending = absolute(text), endings.pop()
    if any(sign in place for sign in SIGNS):
        return folders.of_folder(place)
    if not is_remote(place):
        if os.path.isdir(place):
            return folders.of_folder(place)
        existing("folder or file of photos", Path(place))
    if ending in (".csv", ".tsv"):
        return tables.of_csv(place, image, label)
    if ending == ".parquet":
        return tables.of_parquet(place, image, label)
    if ending == ".txt":
        return folders.of_names(place)
    if is_image(place):
        return folders.of_list([place])
    if is_remote(place):
        return folders.of_folder(place)
    raise Unknown(
        "kind of collection", os.path.basename(place), [".csv", ".tsv", ".parquet", ".tar", ".txt"]
    )


def _each(places: list[str]) -> Iterator[str]:
    for place in places:
        whole = absolute(place)
        if any(sign in place for sign in SIGNS):
            yield from files(whole)
        else:
            if not is_remote(whole):
                existing("shard", Path(whole))
            yield whole


def _braces(text: str) -> list[str]:
    """ "a-{00..02}.tar" as the three names that it stands for."""
    parts = _NUMBERS.split(text)
    spans = [
        [str(number).zfill(len(low)) for number in range(int(low), int(high) + 1)]
        for low, high in zip(parts[1::3], parts[2::3], strict=True)
    ]
    count = 1
    for span in spans:
        count *= len(span)
    if not 0 < count <= MOST_SHARDS:
        raise PellucidError(f"{text} stands for {count} names: 1 to {MOST_SHARDS:,} are looked at")
    fixed = parts[0::3]
    return [
        fixed[0] + "".join(number + after for number, after in zip(chosen, fixed[1:], strict=True))
        for chosen in product(*spans)
    ]
