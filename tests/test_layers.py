"""Imports point down the list of rooms, and the public face imports nothing heavy."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import pellucid

SOURCE = Path(pellucid.__file__).parent
# What each room may import, besides itself and the files of the house.
MAY = {
    "see": set(),
    "explain": {"see", "make"},
    "make": {"see"},
    "atlas": {"see", "explain", "make"},
    "app": {"see", "explain", "make", "atlas"},
    "testing": set(),
}
FILES = sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Dotted names of pellucid's own modules that a file imports, at whatever depth."""
    found = set()
    package = ["pellucid", *path.parent.parts]
    for node in ast.walk(ast.parse((SOURCE / path).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return {name for name in found if name.split(".")[0] == "pellucid"}


def rooms(names: set[str]) -> set[str]:
    return {name.split(".")[1] for name in names if "." in name} & MAY.keys()


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_point_down(path: Path) -> None:
    room = path.parts[0] if len(path.parts) > 1 else ""
    if str(path) in ("__init__.py", "__main__.py"):
        return  # the two doors, to all public names and to the command line
    allowed = MAY.get(room, set()) | {room}
    assert rooms(imported(path)) <= allowed, f"{path} imports from a room above it"


def test_the_files_of_the_house_do_not_import_each_other_in_a_circle() -> None:
    names = {f"pellucid.{path.stem}": path for path in FILES if len(path.parts) == 1}
    above: dict[str, set[str]] = {}
    for name, path in names.items():
        tree = ast.parse((SOURCE / path).read_text("utf-8"))
        above[name] = {
            node.module
            for node in tree.body  # what runs at import, not inside of functions or for mypy
            if isinstance(node, ast.ImportFrom) and node.module in names
        }
    done: set[str] = set()
    while len(done) < len(names):
        free = {name for name in names if name not in done and above[name] <= done | {name}}
        assert free, f"a circle among {sorted(names.keys() - done)}"
        done |= free


def test_the_face_is_quick() -> None:
    """Neither the package, nor its list of methods, nor `dir` of it imports torch."""
    code = (
        "import sys, pellucid, pellucid.register\n"
        "assert len(dir(pellucid)) > 20 and pellucid.register.entries()\n"
        "print([name for name in ('torch', 'numpy', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names_stand_before_the_files_of_the_same_name() -> None:
    code = (
        "import pellucid as pl, pellucid.method, pellucid.replay, pellucid.fields\n"
        "from pellucid import option\n"
        "print(pl.method.__name__, pl.replay.__name__, pl.fields.__name__, option.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["method", "replay", "fields", "pellucid.option"]


def test_what_is_imported_is_among_the_dependencies() -> None:
    """One that merely comes along with another may be gone with its next version."""
    project = tomllib.loads((SOURCE.parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    known = {re.split(r"[^\w-]", text)[0].lower() for listed in lists for text in listed}
    # A package's name where it is not that of its module; the hub's client is timm's own, too.
    names = {"PIL": "pillow", "markdown_it": "markdown-it-py", "huggingface_hub": "timm"}
    names |= {
        "cv2": "opencv-python-headless",
        "sklearn": "scikit-learn",
        "skimage": "scikit-image",
        "lance": "pylance",
        "umap": "umap-learn",
    }
    names |= {"openTSNE": "opentsne"}
    for path in FILES:
        for node in ast.walk(ast.parse((SOURCE / path).read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            else:
                found = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for top in {name.partition(".")[0] for name in found} - sys.stdlib_module_names:
                assert top == "pellucid" or names.get(top, top) in known, f"{path}: {top}"
