"""The gallery: a card for every method, family by family, on the same three photos."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from docs import gallery

from pellucid import page as pages
from pellucid.images import open_image
from pellucid.page import Language
from pellucid.register import Entry, ours

WIDE = 1.9  # times as wide as tall: three of them stand one below the other


@dataclass(frozen=True)
class Card:
    """One thing of the gallery.

    Attributes:
        name: of its pictures.
        link: from the folder of the gallery's page.
        code: where there is no picture, what stands in its place.
    """

    name: str
    title: str
    question: str
    command: str
    link: str
    code: str = ""


WORDS: dict[str, Any] = tomllib.loads((Path(__file__).parent / "gallery.toml").read_text("utf-8"))
_MAKE = {
    "units": ("feature", "features", "facets", "diverse"),
    "style": ("texture", "quilt", "style_transfer", "stylist"),
}


def family(entry: Entry) -> str:
    """Which family a method stands in."""
    if entry.room != "make":
        return {"atlas": "many"}.get(entry.room, entry.room)
    return next((name for name, known in _MAKE.items() if entry.name in known), "mind")


def families() -> dict[str, list[str]]:
    """Methods by family, in the order of the lecture."""
    ordered = sorted(ours(), key=lambda name: pages.page(name).order)
    names = {
        one: [name for name in ordered if family(ours()[name]) == one]
        for one in WORDS["en"]["families"]
    }
    return {one: found for one, found in names.items() if found or one in WORDS["en"]["others"]}


def page(lang: Language) -> Iterable[str]:
    """The gallery's page, line by line."""
    words = WORDS[lang]
    up = "" if lang == "en" else "../"
    yield f"---\nhide:\n  - toc\n---\n\n# {words['title']}\n\n{words['intro']}\n"
    yield '<div class="pl-answers">'
    for photo, answer in zip(gallery.PHOTOS, words["answers"], strict=True):
        name = photo.partition(":")[2]
        shown = f'<img src="{up}pictures/gallery/photo-{name}.webp" alt="{name}" width="480"'
        yield f'<figure>{shown} height="320"><figcaption>{answer}</figcaption></figure>'
    yield "</div>\n"
    for name, methods in families().items():
        heading, told = words["families"][name]
        yield f'## {heading}\n\n{told}\n\n<div class="pl-cards" markdown>\n'
        for method in methods:
            text = pages.page(method).texts[lang]
            command = f"pellucid {ours()[method].command}"
            shown = Card(method, text.title, text.question, command, f"methods/{method}.md")
            yield from card(shown, lang)
        for other in words["others"].get(name, []):
            yield from card(Card(**other), lang)
        yield "</div>\n"


def card(one: Card, lang: Language) -> Iterable[str]:
    """One card, line by line."""
    found = gallery.pictures(one.name)
    up = "" if lang == "en" else "../"
    yield '<div class="pl-card" markdown>\n'
    if found:
        yield f"{three(found, one.title, f'{up}pictures/gallery/')}\n"
    elif one.code:
        yield f"```text\n{one.code}\n```\n"
    else:
        yield f"{WORDS[lang]['none']}\n"
    yield f"### [{one.title}]({one.link})\n\n{one.question}\n\n`{one.command}`\n\n</div>\n"


def three(found: list[Path], title: str, folder: str) -> str:
    """Pictures side by side, or below each other where they are wide."""
    sizes = [open_image(picture).size for picture in found]
    wide = sum(across for _, across in sizes) > WIDE * sum(down for down, _ in sizes)
    kind = "pl-one" if len(found) == 1 else "pl-wide" if wide else "pl-three"
    shown = [
        f'<a href="{folder}{picture.name}"><img src="{folder}{picture.name}" loading="lazy" '
        f'alt="{escape(title)}, {number}" width="{across}" height="{down}"></a>'
        for number, (picture, (down, across)) in enumerate(zip(found, sizes, strict=True), start=1)
    ]
    return f'<div class="{kind}">{"".join(shown)}</div>'
