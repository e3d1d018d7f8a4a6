"""The tour: everything that the methods show of one network, as one page."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from pellucid import page as pages
from pellucid.app.figures import figure, original
from pellucid.app.schedule import Clock, Timetable, TooLong, reason, tasks
from pellucid.app.sheet import Place, Section, Sheet, earlier
from pellucid.app.tour_atlas import Corner
from pellucid.app.words import WORDS
from pellucid.errors import PellucidError, Unknown
from pellucid.images import Photo, open_image
from pellucid.method import Method, Step
from pellucid.network import Network
from pellucid.page import Language, Page
from pellucid.register import methods
from pellucid.results import Result
from pellucid.stock import photos as installed

# Seconds of work. With the start of Python, loading and writing the tour stays within 1 and 5
# minutes on two cores, however many methods there are.
QUICK, WHOLE = 45.0, 240.0
PAGE_BYTES = 6_000_000  # of pictures inside the page
DEFAULT_PHOTOS = ("motorcycle", "cat", "flower", "astronaut")
FINE = 100  # steps that a task counts for, so that a bar moves within it


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
        out: a folder for `index.html`, in `pictures/` the originals with their recipes, and in
            `atlas/` the small atlas. Of an earlier tour in it these are replaced, all else is left
            alone.
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
    before = earlier(out, force)
    timetable = Timetable(QUICK if quick else WHOLE, clock)
    chosen = list(photos) or _default_photos(1 if quick else 3)
    sections = [_section(method, net, chosen, quick) for method in lecture()]
    corner = Corner.of(net, out, quick, lang)
    sheet = Sheet(net, chosen, bool(photos), sections, quick, lang, corner)
    page = out / "index.html"
    try:
        yield from _work(sections, corner, net, out, timetable)
    except (GeneratorExit, KeyboardInterrupt):
        # With nothing to show, an earlier tour is worth more than an empty page.
        if not sheet.pictures:
            raise
    sheet.write(page, before)
    return page


def lecture() -> list[Method[Any]]:
    """All methods in the order of their pages; those without a page come last."""

    def order(name: str) -> int:
        found = _page(name)
        return found.order if found else 10**9

    return [methods()[name] for name in sorted(methods(), key=order)]


def _section(method: Method[Any], net: Network, photos: list[Photo], quick: bool) -> Section:
    summary = (method.__doc__ or "").partition("\n")[0]
    section = Section(method, _page(method.name), summary)
    try:
        for task in tasks(method, net, photos, quick):
            section.places.append(Place(task, task.command(net)))
    except Exception as error:
        section.problem = reason(error)
    return section


def _page(name: str) -> Page | None:
    try:
        return pages.page(name)
    except PellucidError:
        return None


def _work(
    sections: list[Section], corner: Corner, net: Network, out: Path, timetable: Timetable
) -> Generator[Step, None, None]:
    """The first picture of every method, the atlas, what had to wait, and the others in rounds."""
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

    def survey() -> Generator[Step, None, None]:
        settled = sum(place.why != "interrupted" for place in every)
        for step in corner.work(timetable):
            yield Step(settled * FINE, len(every) * FINE, f"atlas: {step.text}", step.picture)

    for number, place in enumerate(firsts):
        yield from attempt(place, timetable.share(len(firsts) - number))
    yield from survey()
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
        kept = original(result)
        shown = figure(result, task.name, task.method.command(kept.recipe), most)
        folder = out / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        kept.save(folder / f"{task.name}.png", force=True)
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
