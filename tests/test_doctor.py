"""The doctor: says what is missing and how to get it, and is not fooled by a damaged network."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

import pellucid as pl
from pellucid import assets, zoo
from pellucid.app import checkup
from pellucid.app.cli import app
from pellucid.app.wanted import Wanted, core, extras

ASKED = [
    "torch>=2.6",
    "numpy>=999",
    "no-such-package>=1,<3",
    "pytest",
    'torch>=2.6; extra == "some"',
    'Another_One>=2; extra == "some"',
    'pellucid[some]; extra == "all"',
    'pytest-xdist>=1; extra == "all"',
    'not-for-here; sys_platform == "nowhere"',
]


def shell(*words: str) -> Any:
    return CliRunner().invoke(app, words, env={"TERMINAL_WIDTH": "200", "COLUMNS": "200"})


def test_versions_are_held_against_what_is_asked() -> None:
    found = {each.name: each for each in core(ASKED)}
    assert list(found) == ["torch", "numpy", "no-such-package", "pytest"]
    assert found["torch"].fits and found["pytest"].fits
    assert not found["numpy"].fits and found["numpy"].installed
    assert found["no-such-package"] == Wanted("no-such-package", "<3,>=1", "", False)
    assert str(found["no-such-package"]) == "no-such-package<3,>=1"
    assert str(found["numpy"]).startswith("numpy>=999 (here is ")


def test_an_extra_is_what_it_adds_and_may_be_made_of_others() -> None:
    found = extras(ASKED, ["some", "all"])
    assert {name: [each.name for each in parts] for name, parts in found.items()} == {
        "all": ["another-one", "pytest-xdist"],
        "some": ["another-one"],
    }
    assert [each.fits for each in found["all"]] == [False, True]


def test_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "requires", lambda name: ASKED[:1] + ASKED[4:])
    monkeypatch.setattr(checkup, "_extras", lambda: extras(ASKED[:1] + ASKED[4:], ["some"]))
    result = shell("doctor")
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    assert "torch " + torch.__version__.partition("+")[0] in text
    assert "some pip install 'pellucid[some]' another-one>=2" in text
    assert f"pane (weights {assets.WEIGHTS_HASH}) sees Motorbikes" in text
    assert text.endswith("all is well")
    data = json.loads(shell("doctor", "--json").stdout)
    assert data["well"] and data["problems"] == []
    assert data["pellucid"] == pl.__version__
    assert data["devices"][0]["name"] == "cpu"
    assert data["extras"]["some"][0]["fits"] is False


def test_what_the_core_lacks_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "requires", lambda name: ASKED)
    result = shell("doctor")
    assert result.exit_code == 1
    assert "error: the core needs no-such-package<3,>=1\n" in result.output
    assert "error: the core needs numpy>=999 (here is" in result.output
    assert "all is well" not in result.output


def test_a_network_of_other_weights_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    random = pl.load("pane", weights="random", classes=101, device="cpu")
    monkeypatch.setattr(zoo, "load", lambda *_, **__: random)
    found = checkup.Checkup.made()
    assert any("damaged or was replaced" in problem for problem in found.problems)
    assert any("not Motorbikes" in problem for problem in found.problems)


def test_a_network_that_cannot_be_read_is_told_beside_the_rest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pane.safetensors").write_bytes(b"half a file")
    (tmp_path / "pane.labels.txt").write_text("a\nb\n")
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    result = shell("doctor", "--json")
    assert result.exit_code == 1
    data = json.loads(result.stdout)
    (problem,) = data["problems"]
    assert problem.startswith("the bundled network: ") and data["devices"]


def test_sizes_of_caches(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "one").write_bytes(b"12345")
    (tmp_path / "two").write_bytes(b"678")
    (tmp_path / "link").symlink_to(tmp_path / "blobs" / "one")
    (tmp_path / "nowhere").symlink_to(tmp_path / "absent")
    assert checkup._size(tmp_path) == {"bytes": 8, "files": 2}
    assert checkup._size(tmp_path / "absent") == {"bytes": 0, "files": 0}


def test_the_hash_is_that_of_the_network(bundled: pl.Network) -> None:
    assert bundled.weights_hash == assets.WEIGHTS_HASH
