"""Lecture: what the page says of the methods, in their own pages' words."""

from __future__ import annotations

import math

from pellucid.entry import Entry
from pellucid.errors import PellucidError
from pellucid.page import Language, page
from pellucid.register import entries, entry


def methods(lang: Language, words: dict[str, str]) -> list[tuple[str, str]]:
    """What the page calls the methods, in the order of the lecture."""

    def order(found: Entry) -> float:
        try:
            return page(found.name).order
        except PellucidError:
            return math.inf  # nobody has written about it

    return [
        (_title(found, lang, words), found.name) for found in sorted(entries().values(), key=order)
    ]


def _title(found: Entry, lang: Language, words: dict[str, str]) -> str:
    family = words.get(f"family_{found.room}", words["family_other"])
    try:
        title = page(found.name).texts[lang].title
    except PellucidError:
        title = found.command
    return f"{title} · {family}"


def question(name: str, lang: Language) -> str:
    """The question of a method, in italics."""
    try:
        return f"*{page(name).texts[lang].question}*"
    except PellucidError:
        return entry(name).summary


def reading(name: str, lang: Language) -> str:
    """How to read its results."""
    try:
        return page(name).texts[lang].reading
    except PellucidError:
        return entry(name).summary


def misleading(name: str, lang: Language, words: dict[str, str]) -> str:
    """Where it misleads, and the papers it comes from; empty where nobody has written of it."""
    try:
        found = page(name)
    except PellucidError:
        return ""
    papers = "\n".join(f"- {paper}" for paper in found.papers)
    return f"{found.texts[lang].misleading}\n\n**{words['papers']}**\n\n{papers}"
