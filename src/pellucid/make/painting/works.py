"""Works: many photos and videos painted one after the other, each into a file of its own."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pellucid import album, reel
from pellucid.endings import PICTURES
from pellucid.errors import PellucidError
from pellucid.images import Photo, open_image
from pellucid.make.painting.blend import blend, told
from pellucid.make.stylist import laid, opened, paint, stylist
from pellucid.method import Step
from pellucid.network import Network
from pellucid.pictures import text_inside
from pellucid.recipe import Recipe

PARTS = 1000  # that each photo or video is, for the bar


@dataclass(frozen=True)
class Work:
    """A photo or video, and the file that becomes of it."""

    source: str
    target: Path

    @property
    def is_video(self) -> bool:
        """Whether it has frames."""
        return reel.is_video(self.source)


@dataclass
class Report:
    """What became of many.

    Attributes:
        painted: files that were made.
        there: how many had been made before, by the same recipe.
        kept: files that are there and are something else.
        damaged: what is wrong with what could not be read.
        whole: whether all had their turn.
    """

    painted: list[Path] = field(default_factory=list)
    there: int = 0
    kept: list[Path] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    whole: bool = True

    def told(self) -> str:
        """In words."""
        parts = [f"{len(self.painted)} painted"]
        parts += [f"{self.there} were there already"] if self.there else []
        if self.kept:
            parts.append(f"{len(self.kept)} not, for another file is there, such as {self.kept[0]}")
        if self.damaged:
            parts.append(f"{len(self.damaged)} cannot be read, such as {self.damaged[0]}")
        end = "" if self.whole else "; stopped, and the same command goes on"
        return ", ".join(parts) + end


def works(sources: Iterable[str], folder: Path) -> list[Work]:
    """What becomes of photos, videos and folders of them, in a folder with the same folders in it.

    Raises:
        PellucidError: a folder without any.
    """
    found: list[Work] = []
    taken: set[Path] = set()
    for source in sources:
        names = [source]
        root = Path(source).parent
        if album.is_folder(source):
            root = Path(source)
            names = album.paths(source, PICTURES | reel.ENDINGS)
        for name in names:
            path = Path(name.removeprefix("photo:"))
            inside = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
            ending = ".mp4" if reel.is_video(name) else ".png"
            target = folder / inside.with_suffix(ending)
            if target in taken:  # a.jpg beside a.png
                target = folder / inside.with_name(inside.name + ending)
            taken.add(target)
            found.append(Work(name, target))
    return found


def painted(
    net: Network, todo: Sequence[Work], *, force: bool = False, **settings: Any
) -> Generator[Step, None, Report]:
    """Paints one after the other; only one is in memory at a time.

    What an earlier run has made is not made again. Ctrl-C ends it, and what is done stays.

    Args:
        settings: of `stylist`; a style must be named.
        force: overwrite what is there.

    Raises:
        PellucidError: a style that is unknown or not named; a folder that cannot be written into.
    """
    trained = opened(settings.get("model"))
    if settings.get("style") is None:
        if len(trained.names) > 1:
            raise PellucidError(
                f"many photos, and videos, are painted in one style: --style one of "
                f"{', '.join(trained.names)}, or a blend of them"
            )
        settings["style"] = trained.names[0]
    blend(settings["style"], trained.names)
    report = Report()
    try:
        for number, work in enumerate(todo, start=1):
            try:
                if work.is_video:
                    yield from _video(net, work, number, len(todo), report, force, settings)
                else:
                    _photo(net, work, report, force, settings)
            except PellucidError as error:
                if len(todo) == 1:
                    raise
                report.damaged.append(str(error))
            yield Step(number * PARTS, len(todo) * PARTS, f"{number} of {len(todo)}")
    except KeyboardInterrupt:
        report.whole = False
    return report


def _photo(net: Network, work: Work, report: Report, force: bool, settings: dict[str, Any]) -> None:
    photo = open_image(work.source)
    if os.path.lexists(work.target) and not force:
        if _is_made(work.target, photo, net, settings):
            report.there += 1
        else:
            report.kept.append(work.target)
        return
    work.target.parent.mkdir(parents=True, exist_ok=True)
    stylist(net, photo, **settings).save(work.target, force=force)
    report.painted.append(work.target)


def _is_made(target: Path, photo: Photo, net: Network, settings: dict[str, Any]) -> bool:
    """Whether a file is what would be made now."""
    try:
        recipe = Recipe.parse(text_inside(target))
    except PellucidError:
        return False
    return (
        recipe.method == stylist.name
        and recipe.photos.get("photo", {}).get("hash") == photo.hash
        and recipe.network.get("weights_hash") == net.weights_hash
        and all(recipe.settings.get(name) == value for name, value in settings.items())
    )


def _video(
    net: Network,
    work: Work,
    number: int,
    count: int,
    report: Report,
    force: bool,
    settings: dict[str, Any],
) -> Generator[Step, None, None]:
    """Frame by frame: of the whole video there is never more than one in memory."""
    if os.path.lexists(work.target) and not force:
        report.kept.append(work.target)
        return
    trained = opened(settings.get("model"))
    painter = trained.painter.to(net.device)
    mix = blend(settings["style"], trained.names)
    work.target.parent.mkdir(parents=True, exist_ok=True)
    about = f"{Path(work.source).name} in {told(mix, trained.names)}, painted by pellucid"
    with reel.written(work.target, about) as put:
        for done, (total, frame) in enumerate(reel.frames(Path(work.source)), start=1):
            image = paint(painter, laid(Photo(frame.pixels), settings.get("size")), mix)
            put(reel.Frame((image * 255).round().byte(), frame.time))
            text = f"{number} of {count}: frame {done} of {total}"
            yield Step(
                (number - 1) * PARTS + done * PARTS // (total + 1), count * PARTS, text, image
            )
    report.painted.append(work.target)
