"""What is wrong or stopped on the command line is told in a line, and leaves nothing."""

import shlex
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from pellucid.method import Method, Step
from pellucid.register import entries
from shell import refused, shell, small


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    """A network of the shell's own."""
    return small(tmp_path)


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
    ("saliensy photo:cat", "no command 'saliensy'; did you mean 'saliency' or"),
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
    ("activations photo:cat --over", "gives no map but a Grid"),
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
