"""Plug-in: a method that another installed package brings, found without importing it.

The package says so with an entry point, whose name is the method's:

    [project.entry-points."pellucid.methods"]
    vignette = "pellucid_vignette.vignette:vignette"

The function stands under `@method` in that module, and its page, written as ours are (see `page`),
is `pages/NAME.md` beside the module. Here both are looked up as files and the module is read as
text, so that nobody's code runs before its method is asked for, and a broken one breaks nothing.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution, EntryPoint, distributions
from importlib.util import find_spec
from pathlib import Path

from pellucid.entry import Entry, declared

GROUP = "pellucid.methods"


def found() -> list[Entry]:
    """All that the installed packages declare, by package and name, also those that are broken."""
    entries: list[Entry] = []
    seen: set[str] = set()
    for package in _packages():
        name, version, points = package
        if name not in seen:  # of one that is there twice, Python imports the first as well
            seen.add(name)
            entries += [_entry(point, name, version) for point in points]
    return sorted(entries, key=lambda entry: (entry.package, entry.name))


def _packages() -> Iterator[tuple[str, str, list[EntryPoint]]]:
    for package in distributions():
        try:
            points = list(package.entry_points.select(group=GROUP))
            if points:
                yield _named(package), str(package.version), points
        except Exception:  # a damaged package of anybody's, which may have nothing to do with us
            continue


def _named(package: Distribution) -> str:
    return re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower()


def _entry(point: EntryPoint, package: str, version: str) -> Entry:
    module, _, function = point.value.replace(" ", "").partition(":")
    summary, problem, folder = "", "", Path()
    try:
        _check_name(point.name, function)
        file = _file(module)
        folder = file.parent
        methods = declared(file.read_text("utf-8"))
        if point.name not in methods:
            raise ValueError(f"{file} has no function {point.name!r} under @method")
        summary = methods[point.name]
    except (ValueError, SyntaxError, OSError) as error:  # a wrong letter is a ValueError
        problem = f"{error}" if type(error) is ValueError else f"{type(error).__name__}: {error}"
    page = folder / "pages" / f"{point.name}.md"
    return Entry(point.name, "", module, summary, page, package, version, problem)


def _check_name(name: str, function: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise ValueError(f"its entry point {name!r} is no name in lower case")
    if function != name:
        raise ValueError(f"its entry point is to be MODULE:{name}, the function's own name")


def _file(module: str) -> Path:
    """The source file of a module. `find_spec` alone would import all packages above it.

    Raises:
        ValueError: there is none.
    """
    top, *below = module.split(".")
    try:
        spec: ModuleSpec | None = find_spec(top) if top else None
        for depth, _ in enumerate(below, start=2):
            folders = spec.submodule_search_locations if spec else None
            name = ".".join(module.split(".")[:depth])
            spec = PathFinder.find_spec(name, list(folders)) if folders else None
    except (ImportError, AttributeError, ValueError):
        spec = None
    if spec is None:
        raise ValueError(f"there is no module {module!r}")
    if not spec.has_location or not str(spec.origin).endswith(".py"):
        raise ValueError(f"module {module!r} has no source to be read")
    return Path(str(spec.origin))
