"""`pellucid lab` in the shell."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lab.conftest import ended, started
from pellucid.app import lab_command
from pellucid.app.cli import app
from pellucid.app.lab import server
from pellucid.errors import PellucidError


def refused(*words: str, typed: str = "") -> str:
    outcome = CliRunner().invoke(
        app, ["lab", "--no-open", *words], env={"PELLUCID_PASSWORD": ""}, input=typed
    )
    assert outcome.exit_code == 2, outcome.output
    return " ".join(outcome.output.split())


def test_others_come_in_with_a_password_only() -> None:
    told = refused("--host", "0.0.0.0", typed="short\nshort\n")
    assert "password" in told and "at least 8 characters" in told


def test_wrong_requests_end_before_anything_is_started() -> None:
    assert "--weights is of one network" in refused("--weights", "x.safetensors")
    assert "nowhere.atlas" in refused("nowhere.atlas")


def test_the_next_port_is_taken_where_one_is_not_free() -> None:
    first = server.free("127.0.0.1", 7950)
    first.listen()
    second = server.free("127.0.0.1", first.getsockname()[1])
    assert second.getsockname()[1] > first.getsockname()[1]
    first.close()
    second.close()
    with pytest.raises(PellucidError, match="cannot be listened on"):
        server.free("203.0.113.7", 7950)


def test_networks_of_the_page_are_the_named_ones_and_torchvisions() -> None:
    specs = lab_command._specs(["resnet18"], "mine.safetensors", None, None)
    assert list(specs)[:2] == ["resnet18", "pane"]
    assert specs["resnet18"] == {"name": "resnet18", "weights": "mine.safetensors"}
    assert specs["vgg16"] == {"name": "vgg16"}
    assert not any(":" in name for name in specs)


def test_without_gradio_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(PellucidError, match=r"pip install 'pellucid\[lab\]'"):
        server.app(None, host="127.0.0.1", password=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_a_word_and_leaves_nothing(tmp_path: Path, how: signal.Signals) -> None:
    made = started(tmp_path)
    assert made.folder.is_dir()
    assert ended(made, how) == "the lab is closed; its uploads and results are deleted\n"
    assert not made.folder.exists()
