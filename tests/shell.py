"""The shell, as tests speak to it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pellucid.app.cli import GROUPS, app
from pellucid.register import entries

FACTORY = """
import torch
from torch import nn
from pellucid import Network

def tiny():
    parts = [nn.Conv2d(3, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
    parts += [nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    parts += [nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    net = nn.Sequential(*parts, nn.Linear(8, 4))
    return Network(net, size=32, labels=["cat", "dog", "grey wolf", "狐狸"])
"""


METHODS = list(entries().values())
EACH = pytest.mark.parametrize("entry", METHODS, ids=[entry.name for entry in METHODS])


def shell(*words: str) -> Any:
    return CliRunner().invoke(app, words, env={"TERMINAL_WIDTH": "200", "COLUMNS": "200"})


def answer(*words: str) -> Any:
    """What `--json` says; nothing else may be on standard output."""
    # Before the others: behind "--" all words are places, not flags.
    command = 2 if words[0] in GROUPS else 1
    result = shell(*words[:command], "--json", *words[command:])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def plain(text: str) -> str:
    """Help without its frames and line ends."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", text).split())


def refused(*words: str) -> str:
    """The message of a refusal."""
    result = shell(*words)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    return plain(result.output)


def small(folder: Path) -> str:
    """A network for the shell, in a folder with a space and a letter beyond ASCII."""
    place = folder / "my nets é"
    place.mkdir()
    (place / "tiny.py").write_text(FACTORY, "utf-8")
    return f"{place / 'tiny.py'}:tiny"
