"""Help: every command in its panel, every option with its bounds, and no torch for a glance."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import pellucid as pl
from pellucid.app.cli import GROUPS
from pellucid.register import Entry
from shell import EACH, METHODS, plain, shell, small


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    """A network of the shell's own."""
    return small(tmp_path)


def test_help_names_every_command_in_its_panel() -> None:
    text = shell("--help").output
    for entry in METHODS:
        assert re.search(rf"│ {entry.command} +{re.escape(entry.summary[:30])}", text)
    for word in ("tour", "networks", "layers", "photos", "replay"):
        assert f"│ {word} " in text
    order = [text.index(title) for title in ("Start here", "See what", "Make pict", "Look things")]
    assert order == sorted(order)
    assert shell().output == text
    assert shell().exit_code == 0


def test_version() -> None:
    assert shell("--version").output == f"pellucid {pl.__version__}\n"


@EACH
def test_help_shows_every_option(entry: Entry) -> None:
    verb = [entry.load().verb] if entry.command in GROUPS else []
    text = plain(shell(entry.command, *verb, "--help").output)
    assert entry.summary in text
    for known in entry.load().options.values():
        if known.kind == "network":
            continue
        assert " ".join(known.help.text.split()) in text
        if not known.positional:
            assert known.flag in text
            assert all(choice in text for choice in known.choices)
    for flag in ("--network", "--weights", "--device", "--out", "--arrays", "--force", "--json"):
        assert flag in text


def test_help_shows_bounds_and_defaults() -> None:
    text = plain(shell("feature", "--help").output)
    assert "--steps INTEGER (at least 1) of gradient ascent; the recipe's if none" in text
    assert "--rate NUMBER (0 to 1e+06)" in text
    assert "[default: crop]" in text
    fill = plain(shell("occlusion", "--help").output)
    assert "--fill mean|zero|blur|noise" in fill and "[default: mean]" in fill
    assert "--joint --no-joint" in plain(shell("filters", "--help").output)
    assert "--over" in shell("saliency", "--help").output
    assert "--over" not in shell("predict", "--help").output


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["networks"], ["tour", "--help"]])
def test_no_torch_for_a_glance(words: list[str]) -> None:
    code = (
        "import sys\nfrom pellucid.app.cli import main\nsys.argv = ['pellucid', *sys.argv[1:]]\n"
        "try:\n    main()\nfinally:\n"
        "    heavy = {'torch', 'torchvision', 'numpy', 'PIL'} & set(sys.modules)\n"
        "    print('heavy:', heavy, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0
    assert done.stderr == "heavy: set()\n"
