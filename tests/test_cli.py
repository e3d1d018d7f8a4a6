"""The command line: the same words as the functions, and files named by them."""

import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest

import pellucid as pl
from pellucid.method import Method
from pellucid.register import Entry
from shell import EACH, answer, refused, shell, small


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    """A network of the shell's own."""
    return small(tmp_path)


def photos_of(method: Method[Any]) -> dict[str, str]:
    return {name: "photo:cat" for name, known in method.options.items() if known.kind == "photo"}


@EACH
def test_examples_and_their_commands_agree(entry: Entry, tiny: str, empty: Path) -> None:
    method = entry.load()
    net = pl.load(tiny, weights="random:7")
    for number, example in enumerate(method.examples(net)):
        recipe = method(net, **photos_of(method) | example).recipe
        program, *words = shlex.split(recipe.command())
        assert program == "pellucid"
        file = empty / f"{number}.png"
        data = answer(*words, "--out", str(file))
        assert data["recipe"] == json.loads(recipe.json())
        assert data["saved"] == [str(file)]


def test_a_map_over_its_photo_has_its_own_command(tiny: str, empty: Path) -> None:
    net = pl.load(tiny)
    for opacity in (0.85, 0.25):
        recipe = pl.saliency(net, "photo:cat").over(opacity=opacity).recipe
        words = shlex.split(recipe.command())[1:]
        assert ("--opacity" in words) == (opacity != 0.85)
        data = answer(*words, "--out", f"{opacity}.png")
        assert data["recipe"] == json.loads(recipe.json())


def test_commands_of_awkward_words(tiny: str, empty: Path) -> None:
    photo = "-my photo.png"
    pl.saliency(pl.load(tiny), "photo:cat").save(empty / photo)
    for example in ({"target": "狐狸"}, {"target": "grey wolf"}, {"target": "class:1"}):
        recipe = pl.saliency(pl.load(tiny), photo, **example).recipe
        command, *words = shlex.split(recipe.command())[1:]
        data = answer(command, "--force", *words)
        assert data["recipe"] == json.loads(recipe.json())


def test_random_weights_have_their_seed_in_their_name(tiny: str) -> None:
    first, second = (pl.load(tiny, weights=f"random:{seed}") for seed in (7, 8))
    assert first.weights_hash != second.weights_hash
    assert first.weights_hash == pl.load(tiny, weights="random", seed=7).weights_hash
    assert first.spec == pl.load(tiny, seed=7).spec == {"name": tiny, "weights": "random:7"}
    with pytest.raises(pl.PellucidError, match="random:SEED, not 'random:x'"):
        pl.load(tiny, weights="random:x")
    # The bundled network's own weights are not random, whatever the seed.
    assert pl.load(seed=3).spec == {"name": "pane"}


def test_names_of_files_follow_from_the_words(tiny: str, empty: Path) -> None:
    assert answer("saliency", "photo:cat", "--network", tiny)["saved"] == ["saliency-cat-tiny.png"]
    assert answer("feature", "4:3@1,1", "--steps", "2", "--network", tiny)["saved"] == [
        "feature-4-3-1-1-tiny.png"
    ]
    assert answer("filters")["saved"] == ["filters.png"]


def test_arrays_lie_beside_the_picture(tiny: str, empty: Path) -> None:
    words = ["saliency", "photo:cat", "--network", tiny, "--out", "a.png"]
    assert answer(*words, "--arrays", "npz")["saved"] == ["a.png", "a.npz"]
    Path("a.png").unlink()
    assert "a.npz is there already" in refused(*words, "--arrays", "npz")
    assert "safetensors" in refused(*words, "--arrays", "csv")
    assert sorted(file.name for file in empty.iterdir()) == ["a.npz"]


def test_predict_prints_and_saves_only_when_asked(tiny: str, empty: Path) -> None:
    result = shell("predict", "photo:cat", "--network", tiny)
    assert result.exit_code == 0
    assert all(label in result.stdout for label in ("cat", "dog", "grey wolf", "狐狸"))
    assert not list(empty.iterdir())
    assert answer("predict", "photo:cat", "--network", tiny, "--top", "2")["ranking"][1]["name"]
    assert "give --out" in refused("predict", "photo:cat", "--network", tiny, "--arrays", "npz")
    assert answer("predict", "photo:cat", "--network", tiny, "--out", "p.png")["saved"] == ["p.png"]


def test_a_name_that_is_no_text(tiny: str, empty: Path) -> None:
    photo = os.fsdecode(b"bad\xff.png")
    try:
        Path(photo).write_bytes(b"")
    except OSError:
        pytest.skip("this file system allows names of text only")
    pl.filters(pl.load(tiny)).save(photo, force=True)
    data = answer("saliency", photo, "--network", tiny, "--out", "why.png", "--arrays", "npz")
    assert data["recipe"]["photos"]["photo"]["source"] == photo
    for file in ("why.png", "why.npz"):
        assert shell("replay", file, "--network", tiny).exit_code == 0


def test_quiet_says_nothing(tiny: str, empty: Path) -> None:
    result = shell("saliency", "photo:cat", "--network", tiny, "--quiet")
    assert (result.exit_code, result.output) == (0, "")
    assert [file.name for file in empty.iterdir()] == ["saliency-cat-tiny.png"]
