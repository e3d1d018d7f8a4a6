"""`pellucid tour`: its page is tested with `report`; here, that Ctrl-C keeps it."""

import sys
import types
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from pellucid import register
from pellucid.entry import Entry
from pellucid.method import Step
from shell import shell, small


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    """A network of the shell's own."""
    return small(tmp_path)


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """In place of the real page: a tour that stops when told, and says what it was given."""
    seen: dict[str, Any] = {"stop": "", "asked": None}

    def tour(net: Any, photos: Any, out: Path, **more: Any) -> Generator[Step, None, Path]:
        seen["asked"] = {"net": net.name, "photos": [photo.source for photo in photos], **more}
        try:
            yield Step(1, 2, "one")
            if seen["stop"]:
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            if seen["stop"] == "loudly":
                raise
        out.mkdir()
        (out / "index.html").write_text("page")
        return out / "index.html"

    fake = types.ModuleType("pellucid.app.report")
    fake.tour = tour  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pellucid.app.report", fake)
    monkeypatch.setattr("pellucid.app.report", fake, raising=False)
    return seen


def test_tour_hands_on_its_words(tiny: str, empty: Path, report: dict[str, Any]) -> None:
    words = ["--photo", "photo:cat", "--photo", "photo:coffee", "--quick", "--lang", "zh"]
    result = shell("tour", "--network", tiny, *words, "--out", "my tour")
    assert (result.exit_code, result.stdout) == (0, "the page is in my tour/index.html\n")
    assert report["asked"] == {
        "net": "tiny.py:tiny",
        "photos": ["photo:cat", "photo:coffee"],
        "quick": True,
        "lang": "zh",
        "force": False,
    }


def test_ctrl_c_ends_a_tour_early_and_keeps_its_page(
    tiny: str, empty: Path, report: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pellucid.app.terminal.Progress.step", press)
    result = shell("tour", "--network", tiny)
    assert result.exit_code == 130
    assert "what is done is in pellucid-tour/index.html" in result.stdout
    assert Path("pellucid-tour/index.html").read_text() == "page"


def test_ctrl_c_before_there_is_a_page(tiny: str, empty: Path, report: dict[str, Any]) -> None:
    report["stop"] = "loudly"
    result = shell("tour", "--network", tiny)
    assert result.exit_code == 130
    assert "nothing was saved" in result.output
    assert not list(empty.iterdir())


def test_a_plug_in_that_is_left_out_is_named(
    tiny: str, empty: Path, report: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = Path("nowhere.md")
    lost = Entry("doubt", "", "no_such_module", "", where, "some-package", "1.0", "no such file")
    monkeypatch.setattr(register, "plugins", lambda: (lost,))
    result = shell("tour", "--network", tiny)
    assert result.exit_code == 0
    wanted = "left out: the plug-in 'doubt' of some-package 1.0 cannot be used: no such file"
    assert wanted in " ".join(result.stderr.split())
