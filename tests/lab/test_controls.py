"""Every setting of every method has a control, and an untouched page asks for the defaults."""

from __future__ import annotations

from typing import Any

import pytest

import pellucid as pl
from pellucid.app.lab.controls import SEARCHED, control, empty, shown, value
from pellucid.app.lab.words import WORDS
from pellucid.errors import PellucidError
from pellucid.register import entries

FACTS: dict[str, Any] = {
    "layers": [
        {"name": "conv1", "channels": 3, "leaf": True},
        {"name": "pool", "channels": 0, "leaf": True},
    ],
    "labels": ["cat", "dog"],
}


@pytest.mark.parametrize("name", entries())
def test_an_untouched_page_asks_for_the_defaults(name: str) -> None:
    method = entries()[name].load()
    options = shown(method)
    hidden = {o.name for o in method.options.values() if o.kind == "setting"} - {
        o.name for o in options
    }
    assert all(method.options[one].help.names in ("folder", "file") for one in hidden)
    for known in options:
        made = control(known, FACTS, WORDS["en"], "en")
        assert known.help.text in made.info
        if known.required:
            continue
        assert known.check(value(known, made.value)) == known.default, known.name


def test_units_are_searched_by_typing() -> None:
    (want, *_) = shown(entries()["feature"].load())
    made = control(want, FACTS, WORDS["en"], "en")
    names = [name for name, _ in made.choices]
    assert names == ["class:cat", "class:dog", "conv1:0", "conv1:1", "conv1:2"]
    many = FACTS | {"layers": [{"name": "big", "channels": SEARCHED, "leaf": True}]}
    assert [name for name, _ in control(want, many, WORDS["en"], "en").choices][2:] == ["big:0"]


def test_what_is_no_number_is_told() -> None:
    (smooth,) = (o for o in shown(pl.saliency) if o.name == "noise")
    assert empty(" ") and empty(None) and not empty(0)
    assert value(smooth, " ") is None and value(smooth, " 0.5") == 0.5
    with pytest.raises(PellucidError, match="--noise is a number, not 'much'"):
        value(smooth, "much")


def test_both_languages_say_the_same_things() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    for key, text in WORDS["en"].items():
        fields = {part.split("}")[0] for part in text.split("{")[1:]}
        assert all(f"{{{field}}}" in WORDS["zh"][key] for field in fields), key
