"""Writes the notebooks of this folder from their sources, with what their cells show.

`python examples/run.py` runs them all, each in a fresh kernel in an empty folder; with names
(`1-filters course`) only these. A source is Python in cells ("# %%"), as editors and Jupytext know
it. Of the course four notebooks are made: the exercise sheet and the solutions, in both languages.

    # %% [markdown]                 text; with lang="zh" that of the Chinese sheet
    # %% tags=["solution"]          left out of the sheet: its names are there, to be filled in
    # %% tags=["check"]             run on the sheet, it fails with a hint; above a hint stands, as
                                    "# zh: …", the same in Chinese
"""

from __future__ import annotations

import ast
import base64
import io
import json
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nbformat
from nbformat import NotebookNode, v4
from PIL import Image

from pellucid.writing import write_whole

HERE = Path(__file__).parent
COURSE = "course"
MOST_BYTES = 50_000  # of a picture that is kept
WIDE = 800  # px
Language = Literal["en", "zh"]
_HEAD = re.compile(
    r'# %%(?P<markdown> \[markdown\])?(?: lang="(?P<lang>\w+)")?(?: tags=\["(?P<tag>\w+)"\])?'
)


@dataclass(frozen=True)
class Cell:
    """One cell of a source.

    Attributes:
        text: of Markdown without the "# " of its lines.
        lang: "" where it belongs to both.
        tag: "", "solution" or "check".
    """

    text: str
    markdown: bool = False
    lang: str = ""
    tag: str = ""


def cells(source: str) -> list[Cell]:
    """The cells of a source."""
    found: list[Cell] = []
    head: re.Match[str] | None = None
    lines: list[str] = []

    def close() -> None:
        if head is not None:
            kept = [re.sub("^# ?", "", line) for line in lines] if head["markdown"] else lines
            text = "\n".join(kept).strip("\n")
            lang = head["lang"] or ("en" if head["markdown"] else "")
            found.append(Cell(text, bool(head["markdown"]), lang, head["tag"] or ""))

    for line in source.splitlines():
        if line.startswith("# %%"):
            close()
            head, lines = _HEAD.fullmatch(line), []
            if head is None:
                raise ValueError(f"this is no head of a cell: {line}")
        else:
            lines.append(line)
    close()
    return found


def blank(solution: str) -> str:
    """What the sheet has in place of a solution: its names, still to be found."""
    return "\n".join(line for node in ast.parse(solution).body for line in _open(node))


def _open(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef):
        node.body = [node.body[0], ast.parse("...").body[0]]  # the docstring, and what is missing
        return ast.unparse(node).splitlines()
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [f"{target.id} = ..." for target in targets if isinstance(target, ast.Name)]


def spoken(code: str, lang: Language) -> str:
    """A check with its hints in one language."""
    if lang == "en":
        return re.sub(r"^ *# zh: .*\n", "", code, flags=re.M)
    # The hint is the first text after it that ends a line.
    pattern = r'^ *# zh: (?P<zh>.*)\n(?P<before>(?:[^\n]*\n)*?[^\n]*?)"[^"\n]*"$'
    return re.sub(
        pattern, lambda m: m["before"] + json.dumps(m["zh"], ensure_ascii=False), code, flags=re.M
    )


def made(found: list[Cell], lang: Language = "en", sheet: bool = False) -> NotebookNode:
    """A notebook of cells, not run yet."""
    nodes = []
    for cell in found:
        if cell.lang not in ("", lang):
            continue
        if cell.markdown:
            nodes.append(v4.new_markdown_cell(cell.text))
            continue
        text = blank(cell.text) if sheet and cell.tag == "solution" else spoken(cell.text, lang)
        nodes.append(v4.new_code_cell(text))
    for number, node in enumerate(nodes):
        node["id"] = f"cell-{number}"  # not by chance, so that the same notebook is the same file
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return v4.new_notebook(
        cells=nodes, metadata={"kernelspec": kernel, "language_info": {"name": "python"}}
    )


def wanted() -> dict[str, tuple[NotebookNode, bool]]:
    """All notebooks by name as their sources say, and whether they are kept run."""
    notebooks = {}
    for path in sorted((HERE / "sources").glob("*.py")):
        found = cells(path.read_text("utf-8"))
        if path.stem == COURSE:
            notebooks[COURSE] = made(found, sheet=True), False
            notebooks[f"{COURSE}.zh"] = made(found, "zh", sheet=True), False
            notebooks[f"{COURSE}-solutions"] = made(found), True
            notebooks[f"{COURSE}-solutions.zh"] = made(found, "zh"), True
        else:
            notebooks[path.stem] = made(found), True
    return notebooks


def executed(notebook: NotebookNode) -> NotebookNode:
    """The notebook with what its cells show, small enough to be kept."""
    from nbclient import NotebookClient

    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook, timeout=600, kernel_name="python3", record_timing=False,
            resources={"metadata": {"path": folder}},
        )  # fmt: skip
        client.execute()
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [kept for output in cell.outputs for kept in small(output, folder)]
    return notebook


def small(output: NotebookNode, folder: str) -> list[NotebookNode]:
    """What is kept of one output: pictures as JPEG with their line of text, which any page shows.

    Pages that show notebooks differ in what HTML they let through; a bar that has come to its end
    is empty.
    """
    data: dict[str, Any] = output.get("data", {})
    if data and not data.get("text/html", data.get("text/plain")):
        return []
    for kind, text in data.items():
        if isinstance(text, str) and kind.startswith("text/"):
            data[kind] = text.replace(f"{folder}/", "")
    picture = data.get("image/png") or data.get("image/jpeg")
    if picture is None:
        return [output]
    shown = v4.new_output("display_data", {"image/jpeg": jpeg(base64.b64decode(picture))})
    line = {"text/plain": data["text/plain"]}
    count = {k: output[k] for k in ("execution_count",) if k in output}
    return [shown, v4.new_output(output.output_type, line, **count)]


def jpeg(picture: bytes) -> str:
    """A picture as JPEG in base64, as good as fits into `MOST_BYTES`."""
    with Image.open(io.BytesIO(picture)) as opened:
        clear = opened.convert("RGBA")
    clear.thumbnail((WIDE, 2 * WIDE))
    page = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB")
    for quality in range(90, 20, -5):
        buffer = io.BytesIO()
        page.save(buffer, "jpeg", quality=quality, optimize=True)
        if len(buffer.getvalue()) <= MOST_BYTES:
            break
    return base64.b64encode(buffer.getvalue()).decode()


def main(names: list[str]) -> None:
    """Runs and writes those of these names, or all."""
    for name, (notebook, run) in wanted().items():
        if names and name not in names:
            continue
        print(f"{name}.ipynb", flush=True)
        text = nbformat.writes(executed(notebook) if run else notebook)
        write_whole(HERE / f"{name}.ipynb", f"{text.rstrip()}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1:])
