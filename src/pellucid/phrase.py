"""Phrase: what a setting means, in the reader's language."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Final

from pellucid.page import FOLDER, Language

FILE: Final = FOLDER / "help.zh.toml"


def phrase(text: str, lang: Language) -> str:
    """What the code says of a setting in English, in another language.

    As it is where nobody has translated it: the settings of a plug-in.
    """
    return text if lang == "en" else chinese().get(text, text)


@cache
def chinese() -> dict[str, str]:
    """All phrases by their English text."""
    return tomllib.loads(FILE.read_text("utf-8"))
