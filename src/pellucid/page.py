"""Page: what a lecturer says of one method, in English and in Chinese.

A page is one file, `pages/NAME.md` (of a plug-in beside its module), that the tour and the
documentation both read:

    ---
    order: 300
    papers:
      - "Author (year). Title. Where"
    ---

    ## en
    ### Title            a noun, for the table of contents
    ### Question         one sentence that a student would ask
    ### Idea             with the formula, as a quotation: "> y = …"
    ### How to read it
    ### Where it misleads

    ## zh
    and the same five, their headings in English
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pellucid.errors import PellucidError, Unknown
from pellucid.register import entries

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
SECTIONS = ("Title", "Question", "Idea", "How to read it", "Where it misleads")
FOLDER = Path(__file__).parent / "pages"


@dataclass(frozen=True)
class Text:
    """A page in one language. All but `title` and `question` are Markdown."""

    title: str
    question: str
    idea: str
    reading: str
    misleading: str


@dataclass(frozen=True)
class Page:
    """The page of one method.

    Attributes:
        name: of the method.
        order: its place in the lecture, small first.
        papers: where the method comes from, the first one first.
        texts: by language.
    """

    name: str
    order: int
    papers: tuple[str, ...]
    texts: dict[Language, Text]


def page(name: str) -> Page:
    """The page of a method, by the method's name.

    Raises:
        Unknown: there is no such page; the message shows the nearest.
        PellucidError: it is not written as a page is; the message says where.
    """
    known = entries()
    file = known[name].page if name in known else FOLDER / f"{name}.md"
    if not file.is_file():
        there = {known.stem for known in FOLDER.glob("*.md")}
        there |= {each.name for each in known.values() if each.page.is_file()}
        raise Unknown("page", name, sorted(there))
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeError) as error:
        raise PellucidError(f"page {name}: {file} cannot be read: {error}") from None
    return parse(text, name)


def parse(text: str, name: str) -> Page:
    """A page from the text of its file; `name` is the method's."""
    lines = text.splitlines()
    if lines[:1] != ["---"] or "---" not in lines[1:]:
        raise PellucidError(f"page {name}: it begins with a head between two lines of ---")
    end = lines.index("---", 1)
    order, papers = _head(lines[1:end], name)
    bodies = _split(lines[end + 1 :], "## ", name, LANGUAGES, "language")
    texts: dict[Language, Text] = {}
    for language in LANGUAGES:
        where = f"{name}, {language}"
        parts = _split(bodies[language], "### ", where, SECTIONS, "section")
        sections = ["\n".join(parts[section]).strip() for section in SECTIONS]
        for section, body in zip(SECTIONS, sections, strict=True):
            if not body:
                raise PellucidError(f"page {where}: nothing under '### {section}'")
            if section in SECTIONS[:2] and "\n" in body:
                raise PellucidError(f"page {where}: '### {section}' is one line")
        texts[language] = Text(*sections)
    return Page(name, order, papers, texts)


def _head(lines: list[str], name: str) -> tuple[int, tuple[str, ...]]:
    # The small part of YAML that a page needs, so that other tools can read it as YAML.
    order: int | None = None
    papers: list[str] = []
    for line in lines:
        if match := re.fullmatch(r"order: *(\d+)", line):
            order = int(match[1])
        elif match := re.fullmatch(r' +- *"(.+)"', line):
            papers.append(match[1])
        elif line.strip() not in ("", "papers:"):
            raise PellucidError(
                f"page {name}: its head has 'order: NUMBER' and 'papers:' with lines of "
                f"'  - \"…\"', not {line!r}"
            )
    if order is None or not papers:
        raise PellucidError(f"page {name}: its head lacks {'order' if order is None else 'papers'}")
    return order, tuple(papers)


def _split(
    lines: list[str], mark: str, where: str, wanted: tuple[str, ...], kind: str
) -> dict[str, list[str]]:
    """Lines by the headings above them; each wanted heading once, and no other."""
    found: dict[str, list[str]] = {}
    under: list[str] | None = None
    for line in lines:
        if line.startswith(mark):
            heading = line.removeprefix(mark).strip()
            if heading not in wanted:
                raise Unknown(f"{kind} of a page", heading, wanted, f"(page {where})")
            if heading in found:
                raise PellucidError(f"page {where}: '{mark}{heading}' comes twice")
            under = found[heading] = []
        elif under is not None:
            under.append(line)
        elif line.strip():
            raise PellucidError(f"page {where}: {line!r} stands before any '{mark}' heading")
    for heading in wanted:
        if heading not in found:
            raise PellucidError(f"page {where}: '{mark}{heading}' is missing")
    return found
