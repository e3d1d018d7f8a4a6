"""Wall room: where the walls that were asked for hang, a few at a time."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Generator
from dataclasses import replace

from pellucid.app.lab.shelf import Shelf
from pellucid.atlas.maps import mapping
from pellucid.atlas.projections import Projection
from pellucid.atlas.wall.build import wall
from pellucid.atlas.wall.photos import Photos
from pellucid.errors import PellucidError
from pellucid.images import Photo
from pellucid.method import Step
from pellucid.page import Language

KEPT = 4  # walls; a further one takes the place of the oldest


def hung(
    shelf: Shelf, layer: str, method: Projection, lang: Language
) -> Generator[Step, None, tuple[str, str]]:
    """The wall of a map: the name of its folder, and what is to be said of it.

    Its page names files, not folders, and links to none.

    Raises:
        PellucidError: as `wall`.
    """
    mark = hashlib.sha256(f"{layer} {method} {lang}".encode()).hexdigest()[:12]
    place, note = shelf.shown / f"wall-{mark}", shelf.shown / f"wall-{mark}" / "told.txt"
    if note.exists():
        return place.name, note.read_text("utf-8")
    made = yield from mapping(shelf.atlas, method, layer=layer)

    def opened(row: int) -> Photo:
        try:
            return shelf.atlas.photo(row)
        except PellucidError as error:
            raise PellucidError(shelf.without_folders(str(error))) from None

    photos = Photos.of(shelf.atlas)
    photos = replace(
        photos, opened=opened, uris=[shelf.name(row) for row in range(len(shelf.atlas))]
    )
    built = yield from wall(place, photos, made.values, lang=lang, force=True)
    told = built.told()
    note.write_text(told, "utf-8")
    walls = sorted(shelf.shown.glob("wall-*"), key=lambda folder: folder.stat().st_mtime)
    for old in walls[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return place.name, told
