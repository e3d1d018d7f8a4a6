"""Collection: what the page knows of its atlas, and where the files of it are served."""

from __future__ import annotations

import secrets
from functools import lru_cache
from pathlib import Path

from pellucid.app.lab.lab import Lab
from pellucid.atlas.manifest import Manifest
from pellucid.atlas.projections import NAMES, PROJECTIONS, library
from pellucid.atlas.store import Store
from pellucid.errors import PellucidError

PLACE = Path("atlas", "shown")  # in the lab's folder: what is served
MOST = 20_000  # photos on the map, and that are compared by their pixels


def served(folder: Path) -> dict[str, Path]:
    """The folder that the page serves, by its address, which is another one each time.

    So no browser takes what it has kept of another collection for this one's.
    """
    shown = folder / PLACE
    shown.mkdir(parents=True)
    return {f"/collection-{secrets.token_hex(6)}": shown}


def address(lab: Lab) -> str:
    """Where the collection's files are served."""
    return next(name for name, folder in lab.mounts.items() if folder == lab.folder / PLACE)


@lru_cache(maxsize=8)
def manifest(place: str) -> Manifest:
    """What the atlas is of.

    Raises:
        PellucidError: there is none, or it is damaged.
    """
    return Store.open(place).manifest


def methods() -> list[tuple[str, str]]:
    """Kinds of map that can be made here, as they are called and by name."""
    found: list[tuple[str, str]] = []
    for how in PROJECTIONS:
        try:
            if how != "pca":
                library(how)
        except PellucidError:
            continue
        found.append((NAMES[how], how))
    return found


def bare(uri: str) -> str:
    """The name at the end of an address."""
    return uri.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
