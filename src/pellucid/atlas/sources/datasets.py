"""Images of data sets that are open already: torchvision's and Hugging Face's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pellucid.atlas.item import Item, Sample
from pellucid.atlas.places import FileReader, absolute
from pellucid.atlas.sources.tables import Columns
from pellucid.errors import PellucidError


def is_hugging_face(source: Any) -> bool:
    """Whether this is a data set of the package `datasets`, with or without random access."""
    return type(source).__module__.split(".")[0] == "datasets" and hasattr(source, "features")


def of_torchvision(source: Any) -> Iterator[Item]:
    """Whatever has a length and gives (image, label, …) or an image for a number.

    A folder's data set knows its files: these are read as they are, without its transforms.
    """
    names = getattr(source, "classes", None)
    samples = getattr(source, "samples", None)
    if isinstance(samples, list) and samples and isinstance(samples[0], tuple):
        for path, target in samples:
            yield Item(absolute(str(path)), _named(target, names), FileReader(absolute(str(path))))
        return
    title = type(source).__name__
    for number in range(len(source)):
        yield Item(f"{title}[{number}]", "", _Sample(source, number, names))


def of_hugging_face(source: Any, image: str | None, label: str | None) -> Iterator[Item]:
    """A data set with a column of images, or one that streams them."""
    from datasets import Image  # it is here, for the source comes from it

    if isinstance(source, Mapping):
        raise PellucidError(f"this data set has parts; give one of them: {', '.join(source)}")
    features = source.features or {}
    found = [name for name, kind in features.items() if isinstance(kind, Image)]
    column = image or (found[0] if found else None)
    columns = Columns.of(list(features), column, label, "the data set")
    if columns.image in found:
        source = source.cast_column(columns.image, Image(decode=False))
    names = getattr(features.get(columns.label or ""), "names", None)
    title = getattr(getattr(source, "info", None), "dataset_name", None) or "dataset"
    if not hasattr(source, "__len__"):
        for number, row in enumerate(source):
            target = row[columns.label] if columns.label else None
            yield Item(f"{title}[{number}]", _named(target, names), _Row([row], 0, columns.image))
        return
    targets = source[columns.label] if columns.label else None
    for number in range(len(source)):
        target = targets[number] if targets is not None else None
        yield Item(f"{title}[{number}]", _named(target, names), _Row(source, number, columns.image))


def _named(target: Any, names: Sequence[str] | None) -> str:
    if target is None or (hasattr(target, "__len__") and not isinstance(target, str)):
        return ""
    if names is not None and not isinstance(target, str) and 0 <= int(target) < len(names):
        name = names[int(target)]
        return name if isinstance(name, str) else ", ".join(name)
    return str(int(target)) if hasattr(target, "__index__") else str(target)


@dataclass(frozen=True, eq=False)
class _Sample:
    source: Any
    number: int
    names: Sequence[str] | None

    def __call__(self) -> Any:
        sample = self.source[self.number]
        if not isinstance(sample, tuple | list):
            return sample
        return Sample(sample[0], _named(sample[1] if len(sample) > 1 else None, self.names))


@dataclass(frozen=True, eq=False)
class _Row:
    rows: Any
    number: int
    column: str

    def __call__(self) -> Any:
        value = self.rows[self.number][self.column]
        if not isinstance(value, dict):
            return value
        return value["bytes"] if value.get("bytes") else FileReader(value["path"])()
