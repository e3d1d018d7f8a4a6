"""Building a site: patches of all units first, then what each looks for; pages all along."""

from __future__ import annotations

import os
from collections.abc import Generator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.atlas.site import pictures
from pellucid.atlas.site.ledger import Ledger
from pellucid.atlas.site.pages import Pages
from pellucid.atlas.site.ward import Ward, wards
from pellucid.errors import PellucidError
from pellucid.make.manner import manner
from pellucid.method import Step
from pellucid.page import Language

if TYPE_CHECKING:
    from pellucid.atlas.atlas import Atlas

STEPS = 128  # of a drawing: half of what `features` takes alone, and as telling
PATCHES = 24  # steps that the patches of a unit take as long as, for the bar
OPEN = 512  # photos that are kept in memory


@dataclass(frozen=True)
class Site:
    """What was written.

    Attributes:
        path: of the first page.
        units: with a page.
        drawn: of these, with a picture of what they look for.
        files, size: of the whole folder, in bytes.
        lost: photos that could not be read again.
        whole: whether all is there that was asked for.
    """

    path: Path
    units: int
    drawn: int
    files: int
    size: int
    lost: int
    whole: bool


def site(
    atlas: Atlas,
    out: str | os.PathLike[str],
    *,
    layers: str | None = None,
    channels: str | None = None,
    draw: bool = True,
    recipe: str = "crop",
    steps: int = STEPS,
    seed: int = 0,
    lang: Language = "en",
    force: bool = False,
) -> Generator[Step, None, Site]:
    """A page for every unit of the surveyed layers, in a folder that opens without a server.

    Pictures that are there already, made of the same things and whole, are kept. Ctrl-C ends it
    early, with pages of what is done.

    Args:
        layers: with ";" between them; None: all that were surveyed.
        channels: such as "0-31", of each layer; None: all.
        draw: also what each unit looks for, which takes by far the longest.
        recipe, steps, seed: of these pictures; see `features`.
        lang: of the pages, "en" or "zh".
        force: write into a folder that holds something else.

    Raises:
        PellucidError: a layer that was not surveyed, a folder that holds something else.
    """
    manner(recipe)
    if steps < 1:
        raise PellucidError(f"steps are 1 or more, not {steps}")
    rooms, kind = wards(atlas, layers, channels)
    ledger = Ledger(Path(out).expanduser(), atlas.network().weights_hash, force)
    settings = {"recipe": recipe, "steps": steps, "seed": seed}
    work = _Work(atlas, ledger, rooms, settings, draw)
    pages = Pages(atlas, ledger.folder, rooms, kind, work.facts, lang, seed, draw)
    whole = True
    try:
        yield Step(0, work.total, "comparing units")
        pages.write()
        yield from work.patches(pages)
        if draw:
            yield from work.drawings(pages)
    except KeyboardInterrupt:
        whole = False
    size, files = pages.write()
    units = sum(len(room.channels) for room in rooms)
    lost = sum(facts["lost"] for name, facts in work.facts.items() if name[0] == "patches")
    drawn = sum(len(key[2]) for key in work.facts if key[0] == "drawn")
    return Site(ledger.folder / "index.html", units, drawn, files, size, lost, whole)


Key = tuple[str, str, tuple[int, ...]]  # kind of work, layer, channels


class _Work:
    """The pieces of a site, those that are finished and those that are left."""

    def __init__(
        self,
        atlas: Atlas,
        ledger: Ledger,
        rooms: list[Ward],
        settings: dict[str, Any],
        draw: bool,
    ) -> None:
        self.ledger, self.rooms, self.settings = ledger, rooms, settings
        self.facts: dict[Key, dict[str, Any]] = {}
        self.opened = lru_cache(OPEN)(atlas.photo)
        self.done = self.total = 0
        kinds = {"patches": PATCHES} | ({"drawn": settings["steps"]} if draw else {})
        for kind, weight in kinds.items():
            for room in rooms:
                for some in room.chunks:
                    facts = ledger.get(_piece(kind, room, some), self._origin(kind, room, some))
                    if facts is None:
                        self.total += weight * len(some)
                    else:
                        self.facts[kind, room.name, some] = facts

    def patches(self, pages: Pages) -> Generator[Step, None, None]:
        """All patches that are missing."""
        for room in self.rooms:
            for some in room.chunks:
                if ("patches", room.name, some) in self.facts:
                    continue
                yield Step(self.done, self.total, f"patches of {room.name}:{some[0]} to {some[-1]}")
                self._put("patches", room, some, pictures.patches(room, some, self.opened))
                self.done += PATCHES * len(some)
            pages.write_layer(room)

    def drawings(self, pages: Pages) -> Generator[Step, None, None]:
        """All drawings that are missing."""
        for room in self.rooms:
            for some in room.chunks:
                if ("drawn", room.name, some) in self.facts:
                    continue
                work = pictures.drawn(room, some, self.settings)
                try:
                    while True:
                        try:
                            step = next(work)
                        except StopIteration as end:
                            self._put("drawn", room, some, end.value)
                            break
                        yield Step(self.done + step.done, self.total, step.text, step.picture)
                finally:
                    work.close()
                self.done += self.settings["steps"] * len(some)
                pages.write_layer(room, some)

    def _put(self, kind: str, room: Ward, some: tuple[int, ...], made: pictures.Made) -> None:
        files, facts = made
        self.ledger.put(_piece(kind, room, some), self._origin(kind, room, some), files, facts)
        self.facts[kind, room.name, some] = facts

    def _origin(self, kind: str, room: Ward, some: tuple[int, ...]) -> dict[str, Any]:
        # The folder's name counts too: with other layers beside it, it may be another.
        if kind == "patches":
            return pictures.patches_origin(room, some) | {"folder": room.folder}
        return pictures.drawing_origin(room, some, self.settings) | {"folder": room.folder}


def _piece(kind: str, room: Ward, some: tuple[int, ...]) -> str:
    return f"{kind} {room.name} {some[0]}-{some[-1]}"
