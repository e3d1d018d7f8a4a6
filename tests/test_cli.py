"""The command line: the same words as the functions, clear refusals, nothing half written."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

import pellucid as pl
from pellucid.app.cli import GROUPS, app
from pellucid.app.terminal import fitting
from pellucid.method import Method, Step
from pellucid.register import Entry, entries
from shell import answer, plain, refused, shell, small


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    """A network of the shell's own."""
    return small(tmp_path)


METHODS = list(entries().values())
EACH = pytest.mark.parametrize("entry", METHODS, ids=[entry.name for entry in METHODS])


# Help.


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


# Methods.


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
        if number == 0:
            assert shell("replay", str(file), "--network", tiny).exit_code == 0


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


def test_bars_on_a_screen_without_blocks(empty: Path) -> None:
    result = CliRunner(charset="ascii").invoke(app, ["predict", "photo:cat"])
    assert result.exit_code == 0
    assert "##" in result.stdout


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


# Refusals.


def test_nothing_is_overwritten_without_force(
    tiny: str, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = empty / "why.png"
    there.write_bytes(b"mine")
    words = ["saliency", "photo:cat", "--network", tiny, "--out", "why.png"]
    with monkeypatch.context() as patch:
        # Refused before any work is begun.
        patch.setattr(Method, "steps", lambda *_, **__: pytest.fail("began to work"))
        assert "why.png is there already; --force" in refused(*words)
    assert there.read_bytes() == b"mine"
    assert shell(*words, "--force").exit_code == 0
    assert there.read_bytes().startswith(b"\x89PNG")


WRONG = [
    ("saliensy photo:cat", "no command 'saliensy'; did you mean 'saliency'?"),
    ("saliency photo:cta", "did you mean 'photo:cat'?"),
    ("saliency nowhere.jpg", "no photo 'nowhere.jpg'"),
    ("saliency", "PHOTO"),
    ("saliency photo:cat --network resnet81", "did you mean 'resnet18'"),
    ("saliency photo:cat --target cta", "no class 'cta'; did you mean 'cat'?"),
    ("saliency photo:cat --target class:4", "classes 0 to 3"),
    ("saliency photo:cat --target 3:99", "channels 0 to 7"),
    ("saliency photo:cat --taget cat", "--target"),
    ("saliency photo:cat --device cdua", "device 'cdua'"),
    ("saliency photo:cat --out why.jpg", "saved as .png"),
    ("saliency photo:cat --out no/such/why.png", "no folder"),
    ("saliency photo:cat --opacity 0.5", "give --over"),
    ("saliency photo:cat --weights none.pth", "no weights file"),
    ("saliency photo:cat --labels none.txt", "no labels file"),
    ("activations photo:cat 33", "no layer '33'"),
    ("activations photo:cat --over", "gives a Grid"),
    ("activations photo:cat --sort strenght", "no sort 'strenght'; did you mean 'strength'?"),
    ("filters --most 0", "most is at least 1, not 0"),
    ("filters --most many", "--most is a whole number, not 'many'"),
    ("filters --most 2.5", "--most is a whole number, not '2.5'"),
    ("feature 4:3 --rate inf", "rate is a finite number"),
    ("feature 4:3 --regularisers 'decay 1.5'", "share of decay is from 0 to 1, not 1.5"),
    ("layers --classes 0", "--classes"),
    ("feature class:ctt --steps 2", "did you mean 'cat'?"),
    ("layers --netwrk resnet18", "--network"),
    ("networks --source timmm", "timm"),
    ("replay nothing.png", "no file nothing.png"),
]


@pytest.mark.parametrize(("words", "message"), WRONG, ids=[words for words, _ in WRONG])
def test_wrong_words_are_refused_and_leave_nothing(
    words: str, message: str, tiny: str, empty: Path
) -> None:
    given = shlex.split(words)
    if given[0] in entries() and "--network" not in given:
        given += ["--network", tiny]
    assert message in refused(*given)
    assert not list(empty.iterdir())


def test_ctrl_c_leaves_nothing(tiny: str, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = []

    def steps(*_: Any, **__: Any) -> Generator[Step, None, None]:
        try:
            yield Step(1, 2)
            raise KeyboardInterrupt
        finally:
            ended.append(True)

    monkeypatch.setattr(Method, "steps", steps)
    result = shell("occlusion", "photo:cat", "--network", tiny)
    assert result.exit_code == 130
    assert "stopped" in result.output
    assert ended
    assert not list(empty.iterdir())


def test_what_should_not_happen_is_told_in_a_line(
    tiny: str, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def steps(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("two\nlines")

    monkeypatch.setattr(Method, "steps", steps)
    words = ["saliency", "photo:cat", "--network", tiny]
    result = shell(*words)
    assert result.exit_code == 1
    assert "error: unexpected ZeroDivisionError: two lines" in result.output
    assert "Traceback" not in result.output
    monkeypatch.setenv("PELLUCID_DEBUG", "1")
    assert "Traceback" in shell(*words).output


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
