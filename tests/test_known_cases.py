"""The page of known cases: its texts take all numbers, and its tables tell all methods."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

import pellucid as pl

pytest.importorskip("planted")
pytest.importorskip("pasted")
seer = pytest.importorskip("seer")
DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [*sys.path, str(DOCS.parent / "tests")])
    spec = importlib.util.spec_from_file_location("known_cases", DOCS / "known_cases.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "known_cases", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_texts_have_a_place_for_every_number(lang: str) -> None:
    text = (DOCS / "known_cases" / f"{lang}.md").read_text("utf-8")
    places = {name.partition(":")[0] for name in re.findall(r"{(.*?)}", text)}
    assert places == {
        "up", "area", "share", "deletion", "insertion", "left", "right", "dots", "pair",
        "accuracy", "square", "scenes", "shapes", "from_black", "from_mean",
    }  # fmt: skip
    numbers = dict.fromkeys(places, 0.5)
    assert "{" not in text.format(**numbers)


def test_a_method_is_a_row_or_a_reason(known: ModuleType) -> None:
    rows = [
        known.Row("the truth", maps=(torch.zeros(3, 8, 8),)),
        known.Row("one", (0.25, 1.0), 1, (0.1, 0.2, 0.3, 0.4, 0.5)),
        known.Row("other", reason="it has no attention"),
    ]
    table = known.table(rows, ("left", "right"), "en").splitlines()
    assert table[0].startswith("| method | left | right | points | randomised | deletion")
    assert table[2] == "| `one` | 25% | 100% | 1 / 2 | 0.10 | 0.30 | 0.40 | 0.50 |"
    assert table[-1] == "- `other`: it has no attention"
    assert "the truth" not in "\n".join(table)


def test_saliency_scores_as_it_must_on_the_planted_dots(
    known: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = {"saliency": known.explainers()["saliency"]}
    monkeypatch.setattr(known, "explainers", lambda: one)
    truth, row = known.dots()
    assert truth.maps and row.points == 2 and min(row.shares) > 0.99
    assert known.picture(pl.open_image(torch.zeros(3, 48, 48)), [truth, row], ("left", "right"))


def test_on_a_trained_transformer_rollout_points_at_what_it_was_trained_to_see(
    known: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And knows nothing on one that was not; occlusion finds it, too."""
    some = {name: known.explainers()[name] for name in ("rollout", "occlusion")}
    monkeypatch.setattr(known, "explainers", lambda: some)
    trained = seer.trained()
    photos = seer.scenes(24, torch.Generator().manual_seed(5))
    with torch.no_grad():
        right = trained((photos.pixels - 0.5) / 0.25).argmax(1) == photos.shapes
    assert float(right.float().mean()) > 0.9
    nets = [seer.network(trained, "seer"), seer.network(seer.untrained().eval(), "blind")]
    truth, *rows = known.shapes(photos, nets)
    chance = (seer.TALL / seer.SIDE) ** 2
    assert len(truth.maps) == 2 and [row.name for row in rows] == list(some)
    for row in rows:
        assert row.points > 24 / 2  # by chance 3 of 24
        assert row.shares[0] > 1.7 * chance and row.shares[1] < 1.4 * chance
    assert "/ 24 |" in known.table(rows, ("trained", "untrained"), "en", 24)
