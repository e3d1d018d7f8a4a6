"""The register: which methods there are, found without importing them.

A method is a function under `@method` in one of the rooms. This file reads the source text only,
so that `pellucid --help` and `import pellucid` need neither torch nor a list kept by hand.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.errors import Unknown

if TYPE_CHECKING:
    from pellucid.method import Method

ROOMS = ("see", "explain", "make", "atlas")


@dataclass(frozen=True)
class Entry:
    """One registered method.

    Attributes:
        name: of the function, of its command (with "-" for "_") and of its page.
        room: the folder that it lives in.
        module: dotted path of its file.
        summary: first line of its docstring.
    """

    name: str
    room: str
    module: str
    summary: str

    @property
    def command(self) -> str:
        """Its name in the shell."""
        return self.name.replace("_", "-")

    def load(self) -> Method[Any]:
        """The method itself; imports torch."""
        found: Method[Any] = getattr(import_module(self.module), self.name)
        return found


@cache
def entries() -> dict[str, Entry]:
    """All methods by name, rooms in the order of the house, names in alphabetical order."""
    found = {}
    for room in ROOMS:
        for path in sorted((Path(__file__).parent / room).glob("*.py")):
            for entry in _methods(path, room):
                found[entry.name] = entry
    return found


def entry(name: str) -> Entry:
    """One method by name.

    Raises:
        Unknown: no such method; the message shows the nearest.
    """
    if name not in entries():
        raise Unknown("method", name, entries())
    return entries()[name]


def _methods(path: Path, room: str) -> list[Entry]:
    found = []
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and any(map(_is_method, node.decorator_list)):
            summary = (ast.get_docstring(node) or "").partition("\n")[0]
            found.append(Entry(node.name, room, f"pellucid.{room}.{path.stem}", summary))
    return found


def _is_method(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Name) and called.id == "method"
