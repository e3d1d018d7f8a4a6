"""Looking things up in the shell, and replay."""

import json
import re
from pathlib import Path

import pytest

import pellucid as pl
from pellucid.app import names
from shell import FACTORY, answer, refused, shell, small


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    """A network of the shell's own."""
    return small(tmp_path)


def test_names_read_from_text_are_the_true_ones() -> None:
    known = pl.networks()
    assert names.networks() == [*known["bundled"], *sorted(known["torchvision"])]
    assert names.segmenters() == sorted(known["segmentation"])
    assert names.photos() == pl.photos()


def test_completion() -> None:
    assert names.complete_network("fcn") == ["fcn_resnet101", "fcn_resnet50"]
    assert names.complete_network("resnet1") == ["resnet101", "resnet152", "resnet18"]
    assert names.complete_photo("photo:ca") == ["photo:cat", "photo:camera"]
    assert names.complete_photo("some/pa") == []


def test_networks() -> None:
    assert answer("networks") == {
        "bundled": ["pane"],
        "torchvision": sorted(pl.networks()["torchvision"]),
        "segmentation": sorted(pl.networks()["segmentation"]),
    }
    assert answer("networks", "--source", "bundled") == {"bundled": ["pane"]}
    text = shell("networks").stdout
    assert "resnet18" in text and "timm:NAME" in text


def test_layers(tiny: str) -> None:
    data = answer("layers", "--network", tiny)
    assert [layer["name"] for layer in data["layers"]] == [str(number) for number in range(11)]
    first = data["layers"][0]
    assert first["shape"] == [6, 32, 32]
    assert first["parameters"] == 6 * 3 * 5 * 5 + 6
    assert first["field"] == {
        "status": "exact",
        "size": [5, 5],
        "stride": [1.0, 1.0],
        "offset": [0.5, 0.5],
    }
    assert [layer["name"] for layer in answer("layers", "--network", tiny, "--all")["layers"]][
        -1
    ] == ""
    text = shell("layers", "--network", tiny).stdout
    assert re.search(r"3 +Conv2d +8 x 16 x 16 +440 +10 +2 +\S+ +exact", text)
    assert re.search(r"10 +Linear .* whole", text)


def test_photos() -> None:
    found = {photo["name"]: photo for photo in answer("photos")}
    assert list(found) == pl.photos()
    assert (found["photo:cat"]["height"], found["photo:cat"]["width"]) == (300, 451)
    assert "photo:astronaut" in shell("photos").stdout


def test_replay_says_what_differs(tiny: str, empty: Path) -> None:
    words = ["saliency", "photo:cat", "--network", tiny, "--weights", "random:3", "--over"]
    assert shell(*words, "--out", "why.png").exit_code == 0
    again = ["replay", "why.png", "--network", tiny]
    same = shell(*again, "--out", "again.png")
    assert (same.exit_code, same.stdout) == (0, "the same, bit for bit\nsaved again.png\n")
    assert Path("again.png").read_bytes() == Path("why.png").read_bytes()
    assert "again.png is there already" in refused(*again, "--out", "again.png")
    assert answer(*again)["same"] is True
    for change, says in [
        (["--photo", "photo:coffee"], "its pixels are not those of then"),
        (["--weights", "random:5"], "weights:"),
        (["--network", "pane"], "weights:"),
    ]:
        other = shell(*again, *change)
        assert other.exit_code == 1
        assert "not the same" in other.stdout and says in other.stdout
        data = json.loads(shell(*again, *change, "--json").stdout)
        assert data["same"] is False and says in " ".join(data["differences"])


def test_replay_runs_no_code_unasked(tiny: str, empty: Path) -> None:
    assert shell("filters", "--network", tiny, "--out", "why.png").exit_code == 0
    ran = empty / "ran"
    mark = f"import pathlib\npathlib.Path({str(ran)!r}).touch()\n"
    Path(tiny.removesuffix(":tiny")).write_text(mark + FACTORY, "utf-8")
    for flags in ([], ["--weights", "random:5"], ["--device", "cpu"]):
        assert "network" in refused("replay", "why.png", *flags)
        assert not ran.exists()
    assert shell("replay", "why.png", "--network", tiny).exit_code == 0
    assert ran.exists()


def test_replay_of_the_bundled_network_needs_no_flags(empty: Path) -> None:
    assert shell("filters", "--out", "why.png").exit_code == 0
    assert answer("replay", "why.png")["same"] is True
    assert answer("replay", "why.png", "--device", "cpu")["same"] is True
