"""Images of a table: paths, or the bytes themselves, in a column of a .csv or .parquet file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pellucid.atlas.item import Item
from pellucid.atlas.places import FileReader, absolute, is_remote, storage
from pellucid.atlas.sources.folders import beside
from pellucid.errors import PellucidError, Unknown

IMAGES = (
    "image", "img", "photo", "path", "file", "filename", "file_name", "filepath", "uri", "url",
)  # fmt: skip
LABELS = ("label", "class", "category", "target", "label_name", "class_name")
ROWS = 256  # read at a time


@dataclass(frozen=True)
class Columns:
    """Which columns of a table hold images and labels."""

    image: str
    label: str | None

    @classmethod
    def of(cls, names: Sequence[str], image: str | None, label: str | None, place: str) -> Columns:
        """Those asked for, or those that are named as such columns are.

        Raises:
            Unknown: there is no such column.
            PellucidError: none is named like a column of images.
        """
        for asked in (image, label):
            if asked is not None and asked not in names:
                raise Unknown("column", asked, names, f"(in {place})")
        by_fold = {name.casefold(): name for name in names}
        found = image or next((by_fold[name] for name in IMAGES if name in by_fold), None)
        if found is None:
            raise PellucidError(
                f"{place} has the columns {', '.join(names)}; name the one that holds paths or "
                f"images with image="
            )
        known = label or next((by_fold[name] for name in LABELS if name in by_fold), None)
        return cls(found, known)


def of_csv(place: str, image: str | None, label: str | None) -> Iterator[Item]:
    """Paths, seen from the folder of the table."""
    try:
        text = FileReader(place)().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PellucidError(f"{place} is not text in UTF-8") from None
    rows = csv.DictReader(io.StringIO(text), delimiter="\t" if place.endswith(".tsv") else ",")
    columns = Columns.of(rows.fieldnames or [], image, label, place)
    for row in rows:
        file = absolute(beside(place, row[columns.image] or ""))
        yield Item(file, (row[columns.label] or "") if columns.label else "", FileReader(file))


def of_parquet(place: str, image: str | None, label: str | None) -> Iterator[Item]:
    """Paths, bytes, or records of both as Hugging Face writes them."""
    table = _parquet(place)
    columns = Columns.of(table.schema_arrow.names, image, label, place)
    wanted = [columns.image, *([columns.label] if columns.label else [])]
    number = 0
    for batch in table.iter_batches(ROWS, columns=wanted):
        for row in batch.to_pylist():
            name = str(row[columns.label]) if columns.label else ""
            yield _item(place, number, row[columns.image], name)
            number += 1


def row_bytes(place: str, number: int, image: str | None = None) -> bytes:
    """The image in one row of a parquet file."""
    table = _parquet(place)
    column = Columns.of(table.schema_arrow.names, image, None, place).image
    first = 0
    for group in range(table.num_row_groups):
        rows = table.metadata.row_group(group).num_rows
        if number < first + rows:
            found = table.read_row_group(group, [column])[column][number - first].as_py()
            return bytes(found["bytes"] if isinstance(found, dict) else found)
        first += rows
    raise PellucidError(f"{place} has {first} rows, no row {number}")


def _item(place: str, number: int, value: Any, label: str) -> Item:
    content, path = value, None
    if isinstance(value, dict):
        content, path = value.get("bytes"), value.get("path")
    elif isinstance(value, str):
        content, path = None, value
    if content is not None:
        return Item(f"{place}#{number}", label, _Given(bytes(content)))
    if path:
        file = absolute(beside(place, path))
        return Item(file, label, FileReader(file))
    return Item(f"{place}#{number}", label, _Given(b""))  # a row without an image is set aside


def _parquet(place: str) -> Any:
    try:
        from pyarrow import ArrowInvalid, parquet
    except ImportError:
        raise PellucidError("parquet needs pyarrow: pip install 'pellucid[atlas]'") from None
    try:
        return parquet.ParquetFile(storage(place).open(place) if is_remote(place) else place)
    except (ArrowInvalid, OSError) as error:
        raise PellucidError(f"{place} cannot be read as parquet: {error}") from None


@dataclass(frozen=True)
class _Given:
    content: bytes

    def __call__(self) -> bytes:
        return self.content
