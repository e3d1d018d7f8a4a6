"""What is packaged: everything that pellucid needs, nothing else, and it runs by itself.

The wheel is made from the source package, as an installer would. Here it stands in an environment
of its own whose other packages are those of this one; `make package-test` fetches them all.
"""

import email
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from email.message import Message
from pathlib import Path

import pytest
from trove_classifiers import classifiers

import pellucid as pl
from pellucid.register import ours

ROOT = Path(__file__).parents[1]
ABOUT = f"pellucid-{pl.__version__}.dist-info"


def run(*words: str | Path, folder: Path) -> str:
    """What a command says that knows nothing of this checkout."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        list(map(str, words)),
        cwd=folder,
        env=plain | {"OMP_NUM_THREADS": "1", "PELLUCID_DEBUG": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(kind: str, out: Path, folder: Path) -> Path:
    run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", out, folder=folder)
    (made,) = out.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return made


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source package, unpacked."""
    folder = tmp_path_factory.mktemp("source")
    with tarfile.open(build("sdist", folder, ROOT)) as packed:
        packed.extractall(folder, filter="data")
    return folder / f"pellucid-{pl.__version__}"


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is made from it."""
    return build("wheel", tmp_path_factory.mktemp("wheel"), source)


def files(folder: Path) -> set[str]:
    """All files in a folder, without those that Python makes of others."""
    found = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {path.as_posix() for path in found if "__pycache__" not in path.parts}


def test_the_source_package_has_all_that_builds_and_tests_it(source: Path) -> None:
    for part in ("src", "tests", "recipes"):
        assert files(source / part) == files(ROOT / part), part
    there = files(source)
    wanted = {
        "README.md",
        "README.zh-CN.md",
        "LICENSE",
        "Makefile",
        "constraints.txt",
        "mkdocs.yml",
    }
    assert wanted | {"pyproject.toml", "docs/index.md", "docs/zh/index.md"} <= there
    assert {f"docs/pictures/{name}" for name in files(ROOT / "docs" / "pictures")} <= there
    tops = {name.partition("/")[0] for name in there if "/" in name}
    assert tops <= {"src", "tests", "recipes", "benchmarks", "docs", "examples"}
    assert not any(name.startswith(("docs/methods/", "docs/zh/methods/")) for name in there)


def test_the_wheel_has_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    about = {name for name in names if name.startswith(f"{ABOUT}/")}
    assert names - about == {f"pellucid/{name}" for name in files(ROOT / "src" / "pellucid")}
    # So that an empty tree does not pass for a whole one.
    assert {f"pellucid/pages/{name}.md" for name in ours()} <= names
    for name in (
        "py.typed", "assets/pane.safetensors", "assets/pane.card.md", "assets/stylist.card.md",
        "app/page.css", "app/page.html.j2", "atlas/wall/viewer.js",
    ):  # fmt: skip
        assert f"pellucid/{name}" in names
    assert {name.removeprefix(f"{ABOUT}/") for name in about} == {
        "METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE",
    }  # fmt: skip
    assert wheel.stat().st_size < 10_000_000


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as packed:
        return email.message_from_bytes(packed.read(f"{ABOUT}/METADATA"))


def test_what_it_says_of_itself(metadata: Message) -> None:
    assert metadata["Version"] == pl.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert set(metadata.get_all("Classifier") or []) <= classifiers
    assert metadata["Description-Content-Type"] == "text/markdown"
    text = metadata.get_payload(decode=True)
    assert isinstance(text, bytes)
    assert text.decode().strip() == (ROOT / "README.md").read_text("utf-8").strip()


def test_both_cards_name_their_licence() -> None:
    cards = list((ROOT / "src" / "pellucid" / "assets").glob("*.card.md"))
    assert len(cards) == 2
    assert all(re.search(r"\| Licence \| \S+", card.read_text("utf-8")) for card in cards)


def test_the_readmes_lead_to_files_that_are_packaged(source: Path) -> None:
    for readme in ("README.md", "README.zh-CN.md"):
        text = (source / readme).read_text("utf-8")
        links = re.findall(r'(?:\]\(|src=")([^)"#\s]+)', text)
        assert len(links) > 20
        for link in links:
            assert link.startswith("http") or (source / link).exists(), (readme, link)


def test_in_an_empty_environment_it_gives_the_tour(wheel: Path, tmp_path: Path) -> None:
    env, here = tmp_path / "env", tmp_path / "here"
    here.mkdir()
    venv.create(env, symlinks=os.name != "nt")
    python = env / ("Scripts" if os.name == "nt" else "bin") / "python"
    base = {"base": str(env), "platbase": str(env)}
    site = Path(sysconfig.get_path("purelib", "venv", base))
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    # The others are found where they are. A checkout that is installed there by a link of its own
    # is not: such links count only in the environment's own folder.
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    code = (
        "import pellucid, importlib.metadata as m; print(pellucid.__file__, m.version('pellucid'))"
    )
    told = run(python, "-c", code, folder=here).split()
    assert told == [str(site / "pellucid" / "__init__.py"), pl.__version__]
    said = run(python, "-m", "pellucid", "tour", "--quick", folder=here)
    assert "the page is in pellucid-tour/index.html" in said
    page = (here / "pellucid-tour" / "index.html").read_text("utf-8")
    assert all(f'<h2 id="{name}"' in page for name in ours())
    assert len(list((here / "pellucid-tour" / "pictures").iterdir())) >= 10
    assert [path.name for path in here.iterdir()] == ["pellucid-tour"]
