"""Ctrl-C during work that keeps what is done: it says so, and the same command goes on."""

from pathlib import Path
from typing import Any

import pytest

from atlas import collection
from pellucid.app.atlas import words
from pellucid.app.terminal import Progress
from pellucid.atlas import building, manifest
from pellucid.atlas.folder import Folder
from pellucid.atlas.survey import surveyed
from shell import shell, small


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    """A network of the shell's own."""
    return small(tmp_path)


@pytest.fixture
def written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every batch is written when it is done, and not after some seconds."""

    def work(*given: Any, **settings: Any) -> Any:
        return surveyed(*given, **settings | {"every": 0.0})

    monkeypatch.setattr(building, "surveyed", work)


def press_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C at a step of the next command, counted from 1; 0: at none."""
    seen: list[Any] = []

    def press(_: Progress, now: Any) -> None:
        seen.append(now)
        if len(seen) == step:
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "step", press)


def test_a_survey(
    tiny: str, empty: Path, written_at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = str(collection.folder(empty / "photos", 10))
    build = ["atlas", "build", photos, "a", "--network", tiny, "--layers", "0", "--batch", "4"]
    press_at(2, monkeypatch)
    result = shell(*build)
    assert result.exit_code == 130
    assert "stopped at 8 photos; the same command goes on" in result.output
    press_at(1, monkeypatch)
    result = shell(*build, "--force")
    assert "stopped at 4 photos; the same command without --force goes on" in result.output
    press_at(0, monkeypatch)
    assert "10 images of" in shell(*build).output


def test_more_photos(
    tiny: str, empty: Path, written_at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = str(collection.folder(empty / "first", 5))
    own = ["--network", tiny]
    shell("atlas", "build", first, "a", "--layers", "0", "--batch", "4", *own)
    assert words.stopped("a") == words.stopped("a", adding=True) == ""
    for number in range(9):
        collection.photo(100 + number).save(f"more{number}.png")
    press_at(1, monkeypatch)
    result = shell("atlas", "append", "a", "more*.png", *own)
    assert result.exit_code == 130
    assert "stopped at 9 photos; the same command goes on" in result.output
    press_at(0, monkeypatch)
    again = shell("atlas", "append", "a", "more*.png", *own).output
    assert "5 new images" in again and "14 images of" in again
    collection.photo(200).save("more9.png")
    assert "1 new image\n" in shell("atlas", "append", "a", "more*.png", *own).output


def test_nothing_is_said_to_be_kept_where_nothing_is(empty: Path) -> None:
    assert words.stopped("a") == ""
    Folder("a").make()
    Folder("a").write(manifest.NAME, "{")
    assert words.stopped("a") == ""
