"""What is public is documented, and the documentation says what is there."""

import ast
import inspect
from pathlib import Path
from typing import Annotated, Any

import pytest
import torch
from typer.testing import CliRunner

import pellucid as pl
from pellucid.app.cli import GROUPS, SEVERAL, app
from pellucid.method import Method
from pellucid.register import entries
from pellucid.replay import read

ROOT = Path(__file__).parents[1]

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


@pytest.mark.parametrize("name", METHODS)
def test_its_picture_was_made_by_this_network_and_both_readmes_show_it(
    name: str, bundled: pl.Network
) -> None:
    """A picture of other weights or settings would lie; `make docs` draws it anew."""
    method = entries()[name].load()
    examples = list(method.examples(bundled))
    picture = ROOT / "docs" / "pictures" / f"{name}.png"
    # What this network cannot do has no picture.
    assert picture.exists() == bool(examples)
    if examples:
        recipe = read(picture)
        assert recipe.method == name
        assert recipe.network["weights_hash"] == bundled.weights_hash
        settings = {n: o.default for n, o in method.options.items() if o.kind == "setting"}
        # An example may also bring a photo of its own.
        chosen = {name: value for name, value in examples[0].items() if name in settings}
        assert recipe.settings == settings | chosen
    for readme in ("README.md", "README.zh-CN.md"):
        text = (ROOT / readme).read_text("utf-8")
        assert (f"docs/pictures/{name}.png" in text) == bool(examples) and f"`{name}`" in text


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_shell_lines_of_the_readme_are_commands_and_flags_that_exist(readme: str) -> None:
    text = (ROOT / readme).read_text("utf-8")
    lines = [line.split("#")[0].split() for line in text.splitlines()]
    lines = [words for words in lines if words[:1] == ["pellucid"]]
    assert len(lines) >= 9
    for words in lines:
        command = words[1:3] if words[1] in {*GROUPS, *SEVERAL} else words[1:2]
        shown = CliRunner().invoke(app, [*command, "--help"])
        assert shown.exit_code == 0, words
        for flag in words[2:]:
            assert not flag.startswith("--") or flag in shown.output, (words, flag)


def test_the_python_lines_of_the_readme_run(here: Path) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    code = text.split("```python\n")[1].split("```")[0].replace("seed=7", "seed=7, steps=3")
    known: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), known)  # our own file
    assert {"why.png", "sunflower.png"} <= {path.name for path in here.iterdir()}
    assert known["pl"].replay("why.png").same


def test_the_readmes_own_method_is_one(cat: pl.Photo, bundled: pl.Network, here: Path) -> None:
    code = (ROOT / "README.md").read_text("utf-8").split("```python\n")[2].split("```")[0]
    names = {"method", "Network", "Photo", "Help", "Heatmap"}
    known: dict[str, Any] = {name: getattr(pl, name) for name in names}
    known |= {"Annotated": Annotated, "torch": torch}
    exec(compile(code, "README.md", "exec"), known)  # our own file
    made = known["doubt"](bundled, cat, heat=2.0)
    assert made.values.shape == (112, 112) and bool(made.values.any())
    assert made.over().save("own.png").exists()
