"""Entry: what is known of a registered method before its module is imported."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from pellucid.method import Method


@dataclass(frozen=True)
class Entry:
    """One registered method.

    Attributes:
        name: of the function, of its command (with "-" for "_") and of its page.
        room: the folder that it lives in; "" for a plug-in.
        module: dotted path of its file.
        summary: first line of its docstring.
        page: the file of its page.
        package: that it comes from, where that is another than pellucid; else "".
        version: of that package.
        problem: why it cannot be used, as far as that is seen from outside; "": it can.
    """

    name: str
    room: str
    module: str
    summary: str
    page: Path
    package: str = ""
    version: str = ""
    problem: str = ""

    @property
    def command(self) -> str:
        """Its name in the shell."""
        return self.name.replace("_", "-")

    def load(self) -> Method[Any]:
        """The method itself; imports torch.

        Raises:
            PellucidError: it is a plug-in, and broken; the message says whose and why.
        """
        if self.problem:
            raise self.broken(self.problem)
        if not self.package:
            ours: Method[Any] = getattr(import_module(self.module), self.name)
            return ours
        from pellucid.method import Method

        try:
            found = getattr(import_module(self.module), self.name)
            if not isinstance(found, Method):
                raise TypeError(f"{self.name} is {type(found).__name__}, not a pellucid method")
            _ = found.options  # an annotation that has no form in the shell shows here
            promised = get_type_hints(found.function).get("return")
            if promised is None:
                raise TypeError(f"{self.name} does not say what it returns (-> Heatmap, …)")
        except (Exception, SystemExit) as error:  # somebody else's code may raise anything
            raise self.broken(f"{type(error).__name__}: {error}") from error
        return found

    def broken(self, why: str) -> PellucidError:
        """The error that says which package cannot be used, and why."""
        return PellucidError(
            f"the plug-in {self.name!r} of {self.package} {self.version} cannot be used: {why}"
        )


def declared(text: str) -> dict[str, str]:
    """The methods in the text of a source file, by name: first lines of their docstrings.

    Raises:
        SyntaxError: it is not Python.
    """
    return {
        node.name: (ast.get_docstring(node) or "").partition("\n")[0]
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and any(map(_is_method, node.decorator_list))
    }


def _is_method(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name == "method"
