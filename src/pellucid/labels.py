"""Class names, and which class a name means."""

from collections.abc import Sequence
from functools import lru_cache

from pellucid.errors import PellucidError, Unknown
from pellucid.unit import Unit

MOST_DIGITS = 18  # of a number; a longer one is a name


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
