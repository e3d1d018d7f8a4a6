"""The manual's page on adding a method shows the plug-in's files, whole, and they work."""

import re
import shutil
from pathlib import Path

import pytest

from plugged import PLUGIN, PYTEST, ROOT, python


def shown(page: str) -> dict[str, str]:
    """The files that a page of the manual shows: `NAME`, then what is in it."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    return dict(re.findall(r"^`(\S+)`\n\n```\w+\n(.*?\n)```$", text, re.MULTILINE | re.DOTALL))


HERE = {
    "src/pellucid/explain/doubt.py": "src/pellucid_doubt/doubt.py",
    "src/pellucid/pages/doubt.md": "src/pellucid_doubt/pages/doubt.md",
    "tests/explain/test_doubt.py": "tests/test_doubt.py",
    "pyproject.toml": "pyproject.toml",
    "src/pellucid_doubt/__init__.py": "src/pellucid_doubt/__init__.py",
    "tests/test_promises.py": "tests/test_promises.py",
}


@pytest.mark.parametrize("page", ["adding-a-method.md", "zh/adding-a-method.md"])
def test_the_manual_shows_the_files_as_they_are(page: str) -> None:
    wanted = {name: (PLUGIN / file).read_text("utf-8") for name, file in HERE.items()}
    assert shown(page) == wanted
    # And no file of the plug-in is left out.
    files = {path for path in PLUGIN.rglob("*") if path.suffix in (".py", ".md", ".toml")}
    assert files == {PLUGIN / file for file in HERE.values()}


def test_the_three_files_of_the_manual_are_a_method_of_the_house(tmp_path: Path) -> None:
    files = shown("adding-a-method.md")
    house = shutil.copytree(
        ROOT / "src" / "pellucid",
        tmp_path / "src" / "pellucid",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for name in ("src/pellucid/explain/doubt.py", "src/pellucid/pages/doubt.md"):
        (tmp_path / name).write_text(files[name], "utf-8")
    (tmp_path / "test_doubt.py").write_text(files["tests/explain/test_doubt.py"], "utf-8")
    path = [house.parent]
    words = [*PYTEST, "--rootdir", str(tmp_path)]
    assert "3 passed" in python(*words, str(tmp_path), path=path, folder=tmp_path)
    code = (
        "import pellucid, sys; from pellucid.page import page; from pellucid.register import ours;"
        "print(pellucid.__file__, ours()['doubt'].room, page('doubt').order)"
    )
    told = python("-c", code, path=path, folder=tmp_path).split()
    assert told == [str(house / "__init__.py"), "explain", "905"]
