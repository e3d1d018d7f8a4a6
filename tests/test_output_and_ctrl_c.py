"""The shell's edges: Ctrl-C at any time, and an output that is full."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pellucid import __main__ as entry
from pellucid.app import cli
from shell import shell

STOPPED = "error: stopped; nothing was saved"


class _Interrupted:
    """Finds no module, for Ctrl-C comes while it is looked for."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "pellucid.app.cli":
            raise KeyboardInterrupt


def test_ctrl_c_while_modules_are_imported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "meta_path", [_Interrupted(), *sys.meta_path])
    monkeypatch.delitem(sys.modules, "pellucid.app.cli")
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == STOPPED + "\n"


def test_ctrl_c_before_a_command_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "rivals", stopped)
    result = shell("saliency", "photo:cat")
    assert (result.exit_code, result.output) == (130, STOPPED + "\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has an output that is full")
@pytest.mark.parametrize("words", ["photos", "photos --json", "--version", "--help"])
def test_an_output_that_is_full_is_told_plainly(words: str) -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "pellucid", *words.split()],
            stdout=full, stderr=subprocess.PIPE, text=True, env=os.environ | {"NO_COLOR": "1"},
        )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr == "error: the output cannot be written: No space left on device\n"
