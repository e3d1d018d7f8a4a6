"""What is public is documented, and the documentation says what is there."""

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest

import pellucid as pl
from pellucid.method import Method
from pellucid.register import entries

PUBLIC = [name for name in dir(pl) if not name.startswith("_")]
METHODS = list(entries())


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    found = getattr(pl, name)
    doc = inspect.getdoc(found)
    assert doc, f"{name} has no docstring"
    assert doc.splitlines()[0].endswith("."), f"{name}: the first line is no sentence"
    # A dataclass without a docstring gets its signature for one.
    assert not doc.startswith(f"{name}("), f"{name} has no docstring"


@pytest.mark.parametrize("name", PUBLIC)
def test_every_method_of_a_public_class_is_documented(name: str) -> None:
    found = getattr(pl, name)
    if not inspect.isclass(found):
        return
    for part, value in vars(found).items():
        if part.startswith("_") or not (callable(value) or isinstance(value, property)):
            continue
        assert inspect.getdoc(getattr(found, part)), f"{name}.{part} has no docstring"


def test_star_import_gives_the_public_names() -> None:
    space: dict[str, Any] = {}
    exec("from pellucid import *", space)
    assert set(PUBLIC) <= space.keys()


def test_the_names_for_type_checkers_are_those_at_run_time() -> None:
    tree = ast.parse(Path(pl.__file__).read_text("utf-8"))
    (block,) = (
        node for node in tree.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name)
    )
    shown = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    lazy = {name: f"pellucid.{home}" for name, home in pl._HOME.items()}
    methods = {name: entries()[name].module for name in shown if name in entries()}
    assert shown == lazy | methods


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> Method[Any]:
    return entries()[request.param].load()


def test_every_parameter_has_help(method: Method[Any]) -> None:
    for name, known in method.options.items():
        if known.kind == "setting":
            text = known.help.text
            assert text, f"{method.name}: {name} has no help"
            assert not text.endswith("."), f"{method.name}: {name}: one phrase, no full stop"


def test_every_method_says_what_it_gives(method: Method[Any]) -> None:
    doc = inspect.getdoc(method)
    assert doc
    first, _, rest = doc.partition("\n")
    assert first.endswith(".") and len(first) <= 100
    assert first == entries()[method.name].summary
    for part in ("Returns:", "Example:", f">>> {method.name}("):
        assert part in rest, f"{method.name}: no {part!r}"
    assert "`.values`" in rest, f"{method.name}: the axes of its values have no names"


def test_every_number_has_a_bound(method: Method[Any]) -> None:
    """A count or a size without one would be found out deep inside of torch."""
    for name, known in method.options.items():
        if known.kind == "setting" and known.type is int and name != "seed":
            assert known.help.low is not None, f"{method.name}: {name}"


def test_the_first_parameter_is_the_network(method: Method[Any]) -> None:
    first, *others = method.options.values()
    assert first.kind == "network"
    assert all(known.kind != "network" for known in others)
    # A file opens with a question: what the method answers.
    module = inspect.getmodule(method.function)
    assert module is not None and (module.__doc__ or "").strip().endswith("?")
