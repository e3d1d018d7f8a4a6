"""Class names, and which class a name means."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from pellucid.errors import PellucidError, Unknown
from pellucid.layers import Layer
from pellucid.layout import Layout
from pellucid.unit import Unit, place

BETWEEN = ";"  # the names of several targets in one text
MOST_DIGITS = 18  # of a number; a longer one is a name


def dense(output: Layer) -> bool:
    """Whether an output is a map for each channel, and not one number."""
    return len(output.shape) == 3 and output.layout.form == "map"


def count(output: Layer | None, network: str, named: bool) -> int:
    """The number of classes that an output has scores of.

    Args:
        output: None: it is no tensor.
        network: its name, for the message.
        named: whether its channels may be classes; a network may be known to have none.

    Raises:
        PellucidError: these are no class scores.
    """
    if output is None:
        raise PellucidError(
            f"{network} does not put out a tensor of class scores; ask for a unit "
            f"LAYER:CHANNEL in place of a class"
        )
    if len(output.shape) != 1 and not (named and dense(output)):
        raise PellucidError(
            f"{network} puts out {output.shape}, not a row of class scores nor a map of them "
            f"(classes, height, width); ask for a unit LAYER:CHANNEL in place of a class"
        )
    return output.shape[0]


def score_at(name: str, labels: Sequence[str], network: str, layout: Layout) -> Unit:
    """The same as `score` of a network that scores classes place by place: also LABEL@ROW,COLUMN.

    Raises:
        PellucidError: also a place outside.
    """
    label, at, where = name.rpartition("@")
    if not at or _numbers(name, labels):
        return score(name, labels, network)
    position, _ = place(where, f"the output of {network}", layout)
    return replace(score(label, labels, network), position=position)


def score(name: str, labels: Sequence[str], network: str) -> Unit:
    """The score of the class that a name or a number means.

    Args:
        name: a label, its first part before a comma, or a number; cases ignored.
        labels: of all classes, in the order of the scores.
        network: its name, for the message.

    Raises:
        Unknown: no such class; the message shows the nearest.
        PellucidError: a number beyond the classes, or a name that several have.
    """
    if name.isdecimal() and len(name) <= MOST_DIGITS:
        number = int(name)
        if number >= len(labels):
            raise PellucidError(f"{network} has classes 0 to {len(labels) - 1}, not {number}")
        # ImageNet has two cranes: a label that does not lead back here is no name.
        alone = _numbers(labels[number], labels) == [number] and not labels[number].isdecimal()
        return Unit("class", number, label=labels[number] if alone else "")
    found = _numbers(name, labels)
    if not found:
        raise Unknown("class", name, labels)
    if len(found) > 1:
        several = ", ".join(f"class:{number} ({labels[number]})" for number in found[:4])
        raise PellucidError(f"{len(found)} classes are called {name!r}: {several}")
    return score(str(found[0]), labels, network)


def whole(parts: list[str], labels: Sequence[str]) -> Iterator[str]:
    """Names between ";", with labels put together again that have a ";" of their own."""
    pieces = {
        tuple(piece.strip() for piece in label.split(BETWEEN)): label
        for label in labels
        if BETWEEN in label
    }
    while parts:
        first = parts[0].removeprefix("class:").strip()
        ends = range(len(parts), 1, -1)
        length = next((n for n in ends if (first, *parts[1:n]) in pieces), 1)
        yield pieces[first, *parts[1:length]] if length > 1 else parts[0]
        parts = parts[length:]


def _numbers(name: str, labels: Sequence[str]) -> list[int]:
    """Classes with a label, or else with its first part before a comma."""
    folded = name.strip().casefold()
    for known in _readings(tuple(labels)):
        if folded in known:
            return known[folded]
    return []


@lru_cache(8)
def _readings(labels: tuple[str, ...]) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Which classes a text means: as a label, and as the first part of one."""
    whole: dict[str, list[int]] = {}
    first: dict[str, list[int]] = {}
    for number, label in enumerate(labels):
        whole.setdefault(label.strip().casefold(), []).append(number)
        first.setdefault(label.split(",")[0].strip().casefold(), []).append(number)
    return whole, first
