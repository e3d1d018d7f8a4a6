"""The Python lines beside a picture make that picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import pellucid as pl
from pellucid.replay import read
from pellucid.results import Result
from pellucid.script import script

MADE: list[tuple[str, dict[str, Any]]] = [
    ("saliency", {"photo": "photo:cat"}),
    ("saliency", {"photo": "photo:cat", "target": "class:chair", "smooth": 2, "seed": 3}),
    ("saliency", {"photo": ["photo:cat", "photo:coffee"], "target": "chair; cup"}),
    ("activations", {"photo": "photo:cat", "channel": 2}),
    ("activations", {"photo": "photo:cat", "layer": "relu2", "most": 4}),
    ("feature", {"want": "relu1:3", "steps": 2}),
    ("feature", {"want": "relu1:3", "photos": ["photo:cat"], "steps": 2}),
]


@pytest.mark.parametrize(("name", "given"), MADE)
def test_the_lines_make_the_same_picture(
    name: str, given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result: Result = getattr(pl, name)(pl.load(device="cpu"), **given)
    monkeypatch.chdir(tmp_path)
    exec(script(result.recipe, "again.png"), {})
    assert read(tmp_path / "again.png").values == result.recipe.values


def test_lines_are_as_one_would_write_them() -> None:
    net = pl.load("squeezenet1_1", weights="random", device="cpu")
    over = pl.saliency(net, "photo:cat", target="tabby").over(opacity=0.5)
    assert script(over.recipe, "cat.png") == (
        "import pellucid as pl\n\n"
        "net = pl.load('squeezenet1_1', weights='random')\n"
        "result = pl.saliency(net, 'photo:cat', target='tabby')\n"
        "result.over(opacity=0.5).save('cat.png')"
    )


def test_a_network_of_ones_own_is_left_to_its_owner() -> None:
    from torch import nn

    mine = pl.Network(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), size=32)
    lines = script(pl.filters(mine).recipe)
    assert "net = my_network()" in lines and "pl.filters(net)" in lines
