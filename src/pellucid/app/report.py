"""The tour: everything that the methods show of one network, as one page."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from pellucid import page as pages
from pellucid.app.figures import Figure, Shot, figure, input_shot, original, photo_shot
from pellucid.app.schedule import Clock, Task, Timetable, TooLong, reason, tasks
from pellucid.app.words import WORDS
from pellucid.errors import PellucidError, Unknown
from pellucid.images import Photo, open_image
from pellucid.images import photos as installed
from pellucid.method import Method, Step
from pellucid.network import Network
from pellucid.page import Language, Page
from pellucid.recipe import versions
from pellucid.register import entries
from pellucid.results import Result, write_whole
from pellucid.zoo import BUNDLED

# Seconds of work. With the start of Python, loading and writing the tour stays within 1 and 5
# minutes on two cores, however many methods there are.
QUICK, WHOLE = 45.0, 240.0
PAGE_BYTES = 6_000_000  # of pictures inside the page
DEFAULT_PHOTOS = ("motorcycle", "cat", "flower", "astronaut")
FINE = 100  # steps that a task counts for, so that a bar moves within it
MARK = "pellucid tour"


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


def tour(
    net: Network,
    photos: Sequence[Photo],
    out: Path,
    *,
    quick: bool = False,
    lang: Language = "en",
    force: bool = False,
    clock: Clock = time.monotonic,
) -> Generator[Step, None, Path]:
    """Makes the page of all methods on one network.

    Args:
        photos: to look at; none, some that are installed.
        out: a folder for `index.html` and, in `pictures/`, the originals with their recipes. Of an
            earlier tour in it the page and its pictures are replaced, all else is left alone.
        quick: the first picture of each method only, within a minute.
        lang: "en" or "zh".
        force: write into a folder that holds something else.
        clock: seconds; for tests.

    Yields:
        Signs of life. Interrupted or closed, it writes the page with what there is by then.

    Returns:
        The path of the page.

    Raises:
        PellucidError: unknown language, or `out` holds something that is not an earlier tour.
    """
    if lang not in WORDS:
        raise Unknown("language", lang, WORDS)
    before = _earlier(out, force)
    timetable = Timetable(QUICK if quick else WHOLE, clock)
    chosen = list(photos) or _default_photos(1 if quick else 3)
    sections = [_section(method, net, chosen, quick) for method in lecture()]
    page = out / "index.html"
    try:
        yield from _work(sections, net, out, timetable)
    except (GeneratorExit, KeyboardInterrupt):
        # With nothing to show, an earlier tour is worth more than an empty page.
        if not any(section.figures for section in sections):
            raise
    _write(page, sections, net, chosen, quick, lang, bool(photos), before)
    return page


def lecture() -> list[Method[Any]]:
    """All methods in the order of their pages; those without a page come last."""

    def order(name: str) -> int:
        found = _page(name)
        return found.order if found else 10**9

    return [entries()[name].load() for name in sorted(entries(), key=order)]


def _section(method: Method[Any], net: Network, photos: list[Photo], quick: bool) -> Section:
    section = Section(method, _page(method.name), entries()[method.name].summary)
    try:
        for task in tasks(method, net, photos, quick):
            section.places.append(Place(task, task.command(net)))
    except PellucidError as error:
        section.problem = str(error)
    return section


def _page(name: str) -> Page | None:
    try:
        return pages.page(name)
    except PellucidError:
        return None


def _work(
    sections: list[Section], net: Network, out: Path, timetable: Timetable
) -> Generator[Step, None, None]:
    """The first picture of every method, then what had to wait, then round by round the others."""
    every = [place for section in sections for place in section.places]
    firsts = [place for place in every if place.task.further == 0]
    others = sorted(
        (place for place in every if place.task.further), key=lambda place: place.task.further
    )
    most = PAGE_BYTES // max(1, len(every))

    def attempt(place: Place, share: float) -> Generator[Step, None, None]:
        settled = sum(other.why != "interrupted" for other in every)
        for step in _attempt(place, share, net, out, timetable, most):
            done = settled * FINE + min(FINE - 1, FINE * step.done // max(1, step.total))
            yield Step(done, len(every) * FINE, step.text, step.picture)

    for number, place in enumerate(firsts):
        yield from attempt(place, timetable.share(len(firsts) - number))
    waiting = [place for place in firsts if place.why == "late"]
    waiting.sort(key=lambda place: timetable.slowest.get(place.task.method.name, 0.0))
    for place in [*waiting, *others]:
        yield from attempt(place, timetable.left)
    yield Step(len(every) * FINE, len(every) * FINE, "index.html")


def _attempt(
    place: Place, share: float, net: Network, out: Path, timetable: Timetable, most: int
) -> Generator[Step, None, None]:
    """Fills one place, or says there why not. One method's failure stops no other."""
    task = place.task
    text = " ".join([task.method.name, *(photo.source for photo in task.photos.values())])
    yield Step(0, 1, text)
    if not timetable.fits(task):
        place.why = "late"
        return
    work = timetable.run(task, net, share)
    try:
        while True:
            try:
                step = next(work)
            except StopIteration as stop:
                result: Result = stop.value
                break
            yield Step(step.done, step.total, f"{text}: {step.text}", step.picture)
        shown = figure(result, task.name, result.recipe.command(), most)
        folder = out / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        original(result).save(folder / f"{task.name}.png", force=True)
        place.figure, place.command, place.why = shown, shown.command, ""
    except TooLong:
        place.why = "late"
    except Exception as error:
        place.why, place.message = "failed", reason(error)
    finally:
        work.close()


def _default_photos(count: int) -> list[Photo]:
    there = [f"photo:{name}" for name in DEFAULT_PHOTOS if f"photo:{name}" in installed()]
    return [open_image(name) for name in there[:count]]


def _earlier(out: Path, force: bool) -> set[str]:
    """Names of the pictures of the tour that is in the folder already.

    They are listed in its page, so that nothing else is ever deleted.
    """
    if out.exists() and not out.is_dir():
        raise PellucidError(f"{out} is a file; the tour is written into a folder")
    page = out / "index.html"
    text = page.read_text("utf-8", "replace") if page.is_file() else ""
    ours = re.search(rf'<meta name="{MARK}" content="([^"]*)">', text)
    if not ours and not force and out.is_dir() and any(out.iterdir()):
        raise PellucidError(
            f"{out} holds something that is not a tour; --force writes into it all the same"
        )
    names = ours[1].split() if ours else []
    return {name for name in names if re.fullmatch(r"\w+-\d+\.png", name)}


def _write(
    page: Path,
    sections: list[Section],
    net: Network,
    photos: list[Photo],
    quick: bool,
    lang: Language,
    own_photos: bool,
    before: set[str],
) -> None:
    """The page, whole or not at all; then pictures of an earlier tour go that it does not show."""
    every = [place for section in sections for place in section.places]
    pictures = [f"{place.figure.name}.png" for place in every if place.figure]
    flags = _flags(net)
    again = ["pellucid", "tour", *flags]
    if own_photos:
        again += [word for photo in photos for word in ("--photo", photo.source or "PHOTO.png")]
    again += ["--lang", lang] if lang != "en" else []
    example = next((name for name in pictures if name.startswith("saliency")), "NAME.png")
    page.parent.mkdir(parents=True, exist_ok=True)
    html = _template().render(
        lang=lang,
        html_lang={"en": "en", "zh": "zh-Hans"}[lang],
        words=WORDS[lang],
        mark=MARK,
        pictures=pictures,
        sections=sections,
        facts=_facts(net, lang),
        photos=[_pair(photo, net, lang) for photo in photos],
        name=net.name,
        quick=quick,
        count={why: sum(place.why == why for place in every) for why in ("late", "interrupted")},
        total=len(every),
        again=shlex.join(again),
        layers=shlex.join(["pellucid", "layers", *flags]),
        example=f"pellucid replay {page.parent.name or '.'}/pictures/{example}",
        versions=versions(),
    )
    write_whole(page, html.encode())
    for name in sorted(before - set(pictures)):
        (page.parent / "pictures" / name).unlink(missing_ok=True)


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
        (words["weights"], net.weights_hash),
    ]


def _pair(photo: Photo, net: Network, lang: Language) -> tuple[Shot, Shot]:
    name = photo.source or "photo"
    given = WORDS[lang]["given"].format(photo=name)
    return photo_shot(photo, 120_000), input_shot(net.preprocess.crop(photo)[0], given)


def _flags(net: Network) -> list[str]:
    """The network in the shell, as in a method's command."""
    flags: list[str] = []
    for name, value in (net.spec or {"name": net.name}).items():
        if (name, value) != ("name", BUNDLED):
            flag = "network" if name == "name" else name.replace("_", "-")
            flags += [f"--{flag}", str(value)]
    return flags
