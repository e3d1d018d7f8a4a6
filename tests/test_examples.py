"""The notebooks in examples/ run and are what their sources say; exercises check themselves."""

import ast
import base64
import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pellucid.method import Method

pytest.importorskip("nbformat", reason="notebooks are not installed")
EXAMPLES = Path(__file__).parents[1] / "examples"
SOURCES = sorted((EXAMPLES / "sources").glob("*.py"))
FEW = {
    "steps": 3,
    "parts": 3,
    "stages": 1,
    "samples": 1,
    "pieces": 4,
    "octaves": 1,
    "stride": 40,
}  # what makes others quick


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("examples_run", EXAMPLES / "run.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["examples_run"] = module  # dataclasses look their own module up
    spec.loader.exec_module(module)
    return module


script = _script()
WANTED = script.wanted()
CELLS = {path.stem: script.cells(path.read_text("utf-8")) for path in SOURCES}
COURSE = [cell for cell in CELLS["course"] if not cell.markdown]


def run(code: str, space: dict[str, Any]) -> None:
    """Runs a cell as a notebook does: what its last line gives shows itself."""
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), space)  # our own file
    if isinstance(last, ast.Expr):
        shown = eval(compile(ast.Expression(last.value), "cell", "eval"), space)
        assert shown is not None, code
        if hasattr(shown, "_repr_html_"):
            assert shown._repr_html_()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No method takes more than a few steps: here a cell has to run, not to look well.

    As they are, the notebooks ran when they were written: what they show is kept with them.
    """
    bind = Method._bind

    def few(self: Method[Any], args: Any, kwargs: Any) -> dict[str, Any]:
        bound = bind(self, args, kwargs)
        for name, most in FEW.items():
            if name in bound:
                value = most if bound[name] is None else bound[name]
                bound[name] = max(value, most) if name == "stride" else min(value, most)
        return bound

    monkeypatch.setattr(Method, "_bind", few)


@pytest.mark.parametrize("name", [name for name in CELLS if name != "course"])
def test_every_cell_runs(name: str, quick: None, here: Path) -> None:
    if "atlas" in name:
        pytest.importorskip("lance", reason="the atlas is not installed")
        pytest.importorskip("openTSNE", reason="the atlas is not installed")
    if "features" in name:
        pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    space: dict[str, Any] = {}
    for cell in CELLS[name]:
        if not cell.markdown:
            run(cell.text, space)


def test_the_sheet_fails_at_every_check_and_the_solutions_pass(quick: None, here: Path) -> None:
    """On the sheet each check gives a hint; with the exercise solved it passes."""
    space: dict[str, Any] = {}
    hints = []
    solution = ""
    for at, cell in enumerate(COURSE):
        if cell.tag == "check":
            assert solution, "a check stands behind an exercise"
            attempt = space | {"__name__": "sheet"}
            exec(script.blank(solution), attempt)
            with pytest.raises(AssertionError) as told:
                run(cell.text, attempt)
            hints.append(str(told.value))
            run(solution, space)
        if cell.tag == "solution":
            solution = cell.text
            follows = COURSE[at + 1]
            if follows.tag != "check":  # the answer is looked at before it is checked
                assert COURSE[at + 2].tag == "check"
                run(solution, space)
            continue
        run(cell.text, space)
    assert len(hints) == 10 and all(len(hint) > 10 for hint in hints)


def test_the_chinese_sheet_is_in_chinese() -> None:
    notebook, kept = WANTED["course.zh"]
    english, _ = WANTED["course"]
    assert not kept and len(notebook.cells) == len(english.cells)
    for cell, other in zip(notebook.cells, english.cells, strict=True):
        if cell.cell_type == "markdown":
            assert re.search("[\u4e00-\u9fff]", cell.source)
        else:
            assert "# zh:" not in cell.source + other.source
            checks = [node for node in ast.parse(cell.source).body if isinstance(node, ast.Assert)]
            for check in checks:
                assert isinstance(check.msg, ast.Constant)
                assert re.search("[\u4e00-\u9fff]", str(check.msg.value)), cell.source
            assert not re.search("[\u4e00-\u9fff]", other.source)


def test_the_chinese_solutions_are_the_english_ones_in_chinese() -> None:
    (chinese, kept), (english, _) = WANTED["course-solutions.zh"], WANTED["course-solutions"]
    assert kept
    for cell, other in zip(chinese.cells, english.cells, strict=True):
        if cell.cell_type == "markdown":
            assert re.search("[\u4e00-\u9fff]", cell.source)
        elif "assert" not in cell.source:
            assert cell.source == other.source


@pytest.mark.parametrize("name", list(WANTED))
def test_what_is_kept_is_what_the_sources_say(name: str) -> None:
    """`python examples/run.py` writes them again."""
    path = EXAMPLES / f"{name}.ipynb"
    assert path.exists(), f"python examples/run.py {name}"
    text = path.read_text("utf-8")
    kept, (notebook, run_before) = json.loads(text), WANTED[name]
    assert [(cell["cell_type"], "".join(cell["source"])) for cell in kept["cells"]] == [
        (cell.cell_type, cell.source) for cell in notebook.cells
    ], f"python examples/run.py {name}"
    assert not re.search(r"/(?:home|tmp|work|root|Users)/", text), "a path of somebody's machine"
    shown = 0
    for cell in kept["cells"]:
        outputs = cell.get("outputs", [])
        assert run_before or not outputs
        for output in outputs:
            assert output["output_type"] in ("display_data", "execute_result"), output
            assert "image/png" not in output["data"]
            if picture := output["data"].get("image/jpeg"):
                shown += 1
                assert len(base64.b64decode(picture)) <= 100_000
    assert not run_before or shown >= 3


def test_the_folder_is_small_and_holds_nothing_else() -> None:
    notebooks = {path.stem for path in EXAMPLES.glob("*.ipynb")}
    assert notebooks == WANTED.keys()
    assert sum(path.stat().st_size for path in EXAMPLES.glob("*.ipynb")) <= 4_000_000
    listed = (EXAMPLES / "README.md").read_text("utf-8")
    assert set(re.findall(r"\(([\w.-]+)\.ipynb\)", listed)) == notebooks


def test_a_source_that_is_none() -> None:
    with pytest.raises(ValueError, match="no head of a cell: # %%markdown"):
        script.cells("# %%markdown\n1")
    assert script.cells("# before\n# %%\nx = 1\n\n# %% [markdown]\n# # A\n#\n# b") == [
        script.Cell("x = 1"),
        script.Cell("# A\n\nb", markdown=True, lang="en"),
    ]
    assert script.blank("a = 1\nwith b:\n    c = 2\nd, e = 1, 2") == "a = ..."


def test_in_a_real_kernel_the_bar_comes_and_goes(here: Path) -> None:
    """One notebook through Jupyter's own machinery: pictures, captions, and a bar in place."""
    client = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    code = (
        "import time, torch, pellucid as pl\n"
        "def work():\n"
        "    for done in range(1, 8):\n"
        "        time.sleep(0.15)\n"
        "        yield pl.Step(done, 7, 'seven', torch.rand(3, 20, 30))\n"
        "pl.follow(work())\n"
        "pl.Picture(values=torch.rand(3, 20, 30), caption='noise')"
    )
    notebook = script.made([script.Cell(code)])
    seen: list[dict[str, Any]] = []

    class Client(client.NotebookClient):
        def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
            if msg["msg_type"] in ("display_data", "update_display_data"):
                seen.append({"type": msg["msg_type"], **msg["content"]})
            return super().process_message(msg, cell, cell_index)

    Client(notebook, timeout=120, kernel_name="python3").execute()
    assert [one["type"] for one in seen] == ["display_data"] + ["update_display_data"] * (
        len(seen) - 1
    )
    assert len(seen) >= 3 and len({one["transient"]["display_id"] for one in seen}) == 1
    assert "<progress" in seen[0]["data"]["text/html"] and "<img" in seen[0]["data"]["text/html"]
    assert seen[-1]["data"] == {"text/html": "", "text/plain": ""}
    bar, picture = notebook.cells[0].outputs
    assert bar["data"]["text/html"] == "" and "noise" in picture["data"]["text/html"]
    assert picture["data"]["image/png"]
    assert script.small(bar, "") == []
    shown, line = script.small(picture, "")
    assert list(shown["data"]) == ["image/jpeg"]
    assert line["data"] == {"text/plain": "<Picture 3 x 20 x 30: noise>"}
