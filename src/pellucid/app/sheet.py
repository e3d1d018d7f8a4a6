"""Sheet: the tour's page, from what was made and what was not."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from pellucid.app.figures import Figure, Shot, input_shot, photo_shot
from pellucid.app.schedule import Task
from pellucid.app.tour_atlas import Corner
from pellucid.app.words import WORDS
from pellucid.errors import PellucidError
from pellucid.images import Photo
from pellucid.method import Method
from pellucid.network import Network
from pellucid.page import Language, Page
from pellucid.recipe import network_flags, versions
from pellucid.writing import write_whole

MARK = "pellucid tour"
REASONS = ("late", "interrupted")


@dataclass
class Place:
    """What stands on the page for one task: a figure, or why there is none.

    Attributes:
        why: "failed", "late" or "interrupted" where there is no figure.
        message: of the failure.
    """

    task: Task
    command: str
    figure: Figure | None = None
    why: str = "interrupted"
    message: str = ""


@dataclass
class Section:
    """One method on the page.

    Attributes:
        problem: why there is no task at all.
    """

    method: Method[Any]
    page: Page | None
    summary: str
    places: list[Place] = field(default_factory=list)
    problem: str = ""

    @property
    def figures(self) -> list[Figure]:
        """What there is to see."""
        return [place.figure for place in self.places if place.figure]

    @property
    def failures(self) -> dict[str, list[str]]:
        """Commands by the reason why they failed."""
        found: dict[str, list[str]] = {self.problem: []} if self.problem else {}
        for place in self.places:
            if place.why == "failed":
                found.setdefault(place.message, []).append(place.command)
        return found

    def without(self, why: str) -> list[str]:
        """Commands of the pictures that are missing for this reason."""
        return [place.command for place in self.places if place.why == why]


@dataclass
class Sheet:
    """The page.

    Attributes:
        photos: that the tour looks at.
        named: whether these were asked for by name.
        sections: in the order of the lecture.
        corner: the small atlas, behind them.
    """

    net: Network
    photos: list[Photo]
    named: bool
    sections: list[Section]
    quick: bool
    lang: Language
    corner: Corner

    @property
    def places(self) -> list[Place]:
        """Of all sections."""
        return [place for section in self.sections for place in section.places]

    @property
    def pictures(self) -> list[str]:
        """Names of the files that belong to the page."""
        return [f"{place.figure.name}.png" for place in self.places if place.figure]

    def write(self, page: Path, before: set[str]) -> None:
        """Writes the page, whole or not at all; then pictures from `before` go that it lacks."""
        page.parent.mkdir(parents=True, exist_ok=True)
        write_whole(page, self.html().encode())
        for name in sorted(before - set(self.pictures)):
            (page.parent / "pictures" / name).unlink(missing_ok=True)

    def html(self) -> str:
        """The page as text. It has no date, so that the same tour is the same page."""
        net, every = self.net, self.places
        flags = network_flags({"name": net.name, "spec": net.spec})
        again = ["pellucid", "tour", *flags]
        if self.named:
            for photo in self.photos:
                again += ["--photo", photo.source or "PHOTO.png"]
        again += ["--lang", self.lang] if self.lang != "en" else []
        first = next((name for name in self.pictures if name.startswith("saliency")), "NAME.png")
        text: str = _template().render(
            lang=self.lang,
            html_lang={"en": "en", "zh": "zh-Hans"}[self.lang],
            words=WORDS[self.lang],
            mark=MARK,
            pictures=self.pictures,
            sections=self.sections,
            corner=self.corner,
            facts=_facts(net, self.lang),
            photos=[_pair(photo, net, self.lang) for photo in self.photos],
            name=net.name,
            weights=net.weights_hash,
            quick=self.quick,
            count={why: sum(place.why == why for place in every) for why in REASONS},
            total=len(every),
            again=shlex.join(again),
            layers=shlex.join(["pellucid", "layers", *flags]),
            example=f"pellucid replay pictures/{first}",
            versions=versions(),
        )
        return text


def earlier(out: Path, force: bool) -> set[str]:
    """Names of the pictures of the tour that is in the folder already.

    They are listed in its page, so that nothing else is ever deleted.

    Raises:
        PellucidError: the folder holds something, and no tour; or it is a file.
    """
    if out.exists() and not out.is_dir():
        raise PellucidError(f"{out} is a file; the tour is written into a folder")
    there = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise PellucidError(f"{there} cannot be written into")
    page = out / "index.html"
    text = page.read_text("utf-8", "replace") if page.is_file() else ""
    ours = re.search(rf'<meta name="{MARK}" content="([^"]*)">', text)
    if not ours and not force and out.is_dir() and any(out.iterdir()):
        raise PellucidError(
            f"{out} holds something that is not a tour; --force writes into it all the same"
        )
    names = ours[1].split() if ours else []
    return {name for name in names if re.fullmatch(r"\w+-\d+\.png", name)}


def _template() -> Any:
    markdown = MarkdownIt("commonmark", {"html": False})

    def rendered(text: str) -> Markup:
        return Markup(markdown.render(text))

    # What is printed goes through autoescape; Markdown escapes for itself and lets no HTML in.
    house = Environment(
        loader=PackageLoader("pellucid.app", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    house.filters["markdown"] = rendered
    return house.get_template("page.html.j2")


def _facts(net: Network, lang: Language) -> list[tuple[str, str]]:
    words = WORDS[lang]
    height, width = net.preprocess.size
    colours = words["grey" if net.preprocess.channels == 1 else "colour"]
    try:
        classes = f"{net.classes:,}"
    except PellucidError:
        classes = words["no_classes"]
    parameters = sum(weight.numel() for weight in net.module.parameters())
    return [
        (words["network"], net.name),
        (words["input"], words["input_value"].format(height=height, width=width, colours=colours)),
        (words["parameters"], f"{parameters:,}"),
        (words["classes"], classes),
    ]


def _pair(photo: Photo, net: Network, lang: Language) -> tuple[Shot, Shot]:
    name = photo.source or "photo"
    given = WORDS[lang]["given"].format(photo=name)
    return photo_shot(photo, 120_000), input_shot(net.preprocess.crop(photo)[0], given)
