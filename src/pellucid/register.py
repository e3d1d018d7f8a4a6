"""The register: which methods there are, found without importing them.

A method is a function under `@method` in one of the rooms, or a plug-in of another package (see
`plugin`). The source text only is read, so that `pellucid --help` and `import pellucid` need
neither torch nor a list kept by hand.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pellucid
from pellucid.entry import Entry as Entry
from pellucid.entry import declared
from pellucid.errors import PellucidError, Unknown
from pellucid.plugin import found as installed

if TYPE_CHECKING:
    from pellucid.method import Method

ROOMS = ("see", "explain", "make", "atlas")
COMMANDS = ("tour", "doctor", "lab")  # of the shell, that have neither a method nor a public name
HERE = Path(__file__).parent


@cache
def ours() -> dict[str, Entry]:
    """Pellucid's own methods by name, rooms in the order of the house, names in alphabetical."""
    found = {}
    for room in ROOMS:
        for path in sorted((HERE / room).glob("*.py")):
            module = f"pellucid.{room}.{path.stem}"
            for name, summary in declared(path.read_text("utf-8")).items():
                found[name] = Entry(name, room, module, summary, HERE / "pages" / f"{name}.md")
    return found


@cache
def plugins() -> tuple[Entry, ...]:
    """All methods of other packages, by package and name, with what is wrong with them.

    A name belongs to one: pellucid's own names stay what they are; of several packages the first
    in alphabetical order has it.
    """
    taken = dict.fromkeys(_own_names(), "pellucid")
    found = []
    for each in installed():
        if not each.problem and each.name in taken:
            each = replace(each, problem=f"the name belongs to {taken[each.name]}")
        elif not each.problem:
            taken[each.name] = each.package
        found.append(each)
    return tuple(found)


@cache
def entries() -> dict[str, Entry]:
    """All methods by name: ours, then those of other packages that seem to be whole."""
    return ours() | {each.name: each for each in plugins() if not each.problem}


def listed() -> list[Entry]:
    """All that has a command: the methods, then broken plug-ins whose name nobody else has."""
    known = entries()
    taken = {*known, *_own_names()}
    lost = {each.name: each for each in plugins() if each.problem and each.name not in taken}
    return [*known.values(), *lost.values()]


@cache
def methods() -> dict[str, Method[Any]]:
    """All methods by name, imported; a plug-in that breaks at that is left out (see `broken`)."""
    found = {}
    for name, each in entries().items():
        try:
            found[name] = each.load()
        except PellucidError:
            if not each.package:
                raise
    return found


def broken() -> list[tuple[Entry, str]]:
    """The plug-ins that cannot be used, each with the reason; imports the others."""
    found = []
    for each in plugins():
        try:
            each.load()
        except PellucidError as error:
            found.append((each, str(error)))
    return found


def rivals(name: str) -> list[str]:
    """What is to be said to those who ask for a method whose name others wanted, too."""
    if name not in entries():
        return []
    owner = entries()[name].package or "pellucid"
    others = [each for each in plugins() if each.name == name and each != entries()[name]]
    return [
        f"{name!r} is {owner}'s; {each.package} {each.version} has a method of that name, which is "
        f"not used"
        for each in others
    ]


def entry(name: str, package: str = "") -> Entry:
    """One method by name, of pellucid or of another package.

    Raises:
        Unknown: no such method; the message shows the nearest.
        PellucidError: no such package, or its method cannot be used.
    """
    known = entries().get(name)
    if known and known.package == package:
        return known
    for each in plugins():
        if (each.name, each.package) == (name, package):
            raise each.broken(each.problem)
    if package:
        raise PellucidError(
            f"the method {name!r} is a plug-in of {package!r}, which is not installed here"
        )
    raise Unknown("method", name, ours())


def remaker() -> ModuleType:
    """What makes pictures of an atlas again, which no method made; found by its name as well."""
    return import_module("pellucid.atlas.again")


def _own_names() -> set[str]:
    """What `pl.NAME` or `pellucid NAME` mean already."""
    parts = {path.stem for path in HERE.iterdir()}
    return {*ours(), *pellucid._HOME, *parts, *COMMANDS}
