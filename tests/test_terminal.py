"""The terminal: narrow, without blocks, and steered by nobody's labels."""

from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from pellucid.app.cli import app
from pellucid.app.terminal import fitting
from shell import shell, small


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    """A network of the shell's own."""
    return small(tmp_path)


def test_bars_on_a_screen_without_blocks(empty: Path) -> None:
    result = CliRunner(charset="ascii").invoke(app, ["predict", "photo:cat"])
    assert result.exit_code == 0
    assert "##" in result.stdout


def test_an_only_class_has_no_bar(empty: Path) -> None:
    Path("one.py").write_text(
        "from torch import nn\n"
        "net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 1))\n"
    )
    told = shell("predict", "photo:cat", "--network", "one.py:net").output
    assert "knows no other class" in told and "100.0%" not in told and "█" not in told
    assert "probability" not in told and "score" in told.splitlines()[2]


def test_labels_do_not_steer_the_terminal(tiny: str, empty: Path) -> None:
    """Labels, photos and recipes may come from anybody."""
    steers = "\x1b]0;owned\x07\x1b[31m\u202e"
    Path("labels.txt").write_text("\n".join(f"{steers}[bold]:cat: {n}" for n in range(4)), "utf-8")
    words = ["photo:cat", "--network", tiny, "--labels", "labels.txt"]
    outputs = [
        shell(name, *words, "--out", f"{name}.png").output for name in ("predict", "saliency")
    ]
    outputs.append(shell("saliency", *words, "--target", "\x1b[31m").output)
    assert not set("".join(outputs)) & set("\x1b\x07\u202e")
    assert "\ufffd" in outputs[0] and "\ufffd" in outputs[1]
    assert "[bold]:cat: 3" in outputs[0]


def test_a_narrow_screen_cuts_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.app.terminal._console", lambda: Console(width=32))
    columns, row = ("layer", "kind", "output"), ["block.1.conv", "Conv2d", "8 x 16 x 16"]
    made, left_out = fitting(columns, [row], right=("output",), spare=("kind", "output"))
    assert left_out == ["kind"]
    assert [column.header for column in made.columns] == ["layer", "output"]
    assert list(made.columns[0].cells) == ["block.1.conv"]
    assert fitting(columns[:2], [row[:2]], spare=("kind",))[1] == []
