"""Build: a wall's folder, whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.atlas.wall import grid
from pellucid.atlas.wall.kept import Kept, kept
from pellucid.atlas.wall.page import HERE, MARK, Laid, page, script
from pellucid.atlas.wall.photos import Photos
from pellucid.atlas.wall.pyramid import TILE, Pyramid
from pellucid.atlas.wall.scatter import scattered
from pellucid.atlas.wall.squares import squares
from pellucid.counted import counted
from pellucid.errors import PellucidError
from pellucid.method import Step
from pellucid.page import Language

CELLS = (32, 64, 128, 256)  # px: a photo's side at the finest level, a whole part of a tile
ENOUGH = 0.75  # share of the photos that keep all their pixels there
EVERY = 64  # photos from step to step


@dataclass(frozen=True)
class Wall:
    """A wall that was built.

    Attributes:
        path: of its folder.
        given: (photos, 2), row and column of each on the grid.
        places: (photos, 3), right, down and side when scattered; see `scatter.scattered`.
        levels: of the pyramid, the finest one's number.
        cell: px, the side of a photo at the finest level.
        kept: what the grid has kept of the map.
        tiles, bytes: files of the pyramid, and how large they are.
        unread: of photos that could not be read, the reason by row.
    """

    path: Path
    given: Int[Tensor, "photos 2"]
    places: Float[Tensor, "photos 3"]
    levels: int
    cell: int
    kept: Kept
    tiles: int
    bytes: int
    unread: dict[int, str]

    @property
    def page(self) -> Path:
        """To be opened in a browser."""
        return self.path / "index.html"

    def told(self) -> str:
        """In words."""
        rows, columns = grid.shape(len(self.given))
        text = (
            f"{counted(len(self.given), 'photo')} on {rows} x {columns} cells of {self.cell} px, "
            f"{counted(self.tiles, 'tile')}, {self.bytes / 1e6:,.0f} MB; {self.kept.told()}"
        )
        if self.unread:
            reason, _ = Counter(self.unread.values()).most_common(1)[0]
            are = "is" if len(self.unread) == 1 else "are"
            unread = f"{counted(len(self.unread), 'photo')} could not be read and {are} grey"
            text += f"; {unread}, such as: {reason}"
        return text

    def data(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "photos": len(self.given),
            "grid": list(grid.shape(len(self.given))),
            "cell": self.cell,
            "tiles": self.tiles,
            "bytes": self.bytes,
            "kept": vars(self.kept),
            "unread": self.unread,
        }


def wall(
    path: str | os.PathLike[str],
    photos: Photos,
    points: Float[Tensor, "photos 2"],
    *,
    cell: int | None = None,
    workers: int | None = None,
    lang: Language = "en",
    force: bool = False,
) -> Generator[Step, None, Wall]:
    """Photos side by side on a grid by their places on a map, as a page that zooms into them.

    Each photo has a cell, its middle square in it; `grid.assigned` says which. The page shows the
    same photos scattered, too, each at its own place. All is in one folder that needs no server
    and nothing from elsewhere; `wall.dzi` in it opens in any Deep Zoom viewer.

    Args:
        path: of the folder, which is made.
        points: on the map, x to the right and y upwards.
        cell: px of a photo's side at the finest level, one of `CELLS`; None: as many as the photos
            have.
        workers: threads; None: as many as processors.
        lang: of the page.
        force: put it in the place of a wall that is there.

    Yields:
        A step for every few photos.

    Raises:
        PellucidError: something is there already, points do not fit, no photo can be read, or it
            cannot be written; nothing half-made is left.
    """
    out = Path(path).expanduser()
    check(out, force)
    if len(points) != len(photos):
        raise PellucidError(f"{len(photos)} photos have {len(points)} places on the map")
    if cell is not None and cell not in CELLS:
        raise PellucidError(f"cells are {', '.join(map(str, CELLS))} px, not {cell}")
    yield Step(0, len(photos), "placing the photos on a grid")
    given = grid.assigned(points)
    side = cell or usual_cell(photos)
    rows, columns = grid.shape(len(photos))
    share = kept(given, points, photos.labels or [""] * len(photos))
    unread: dict[int, str] = {}
    laid = Laid(given, scattered(points), share, side, unread)
    with _whole(out, force) as folder:
        pyramid = Pyramid(folder / "wall.dzi", rows * side, columns * side)
        yield from _tiles(pyramid, photos, laid, workers or os.cpu_count() or 1)
        if len(unread) == len(photos):
            raise PellucidError(f"none of the photos can be read: {unread[0]}")
        files = {
            "index.html": page(photos, laid, lang).encode(),
            "wall.js": script(photos, laid, pyramid, out, lang).encode(),
            "viewer.js": (HERE / "viewer.js").read_bytes(),
        }
        for name, content in files.items():
            (folder / name).write_bytes(content)
    return Wall(
        path=out,
        given=given,
        places=laid.places,
        levels=pyramid.levels,
        cell=side,
        kept=share,
        tiles=pyramid.tiles,
        bytes=pyramid.bytes,
        unread=unread,
    )


def usual_cell(photos: Photos) -> int:
    """The least cell in which most photos keep all their pixels, the greatest if none is."""
    if not photos.sizes:
        return CELLS[-1]
    shorter = torch.tensor([min(size) for size in photos.sizes], dtype=torch.float64)
    wanted = float(shorter.quantile(ENOUGH))
    return next((cell for cell in CELLS if cell >= wanted), CELLS[-1])


def check(out: Path, force: bool) -> None:
    """Refuses a folder that a wall cannot be put into.

    Raises:
        PellucidError: something is there that is no wall, or is one and `force` is off; or the
            folder around it is missing.
    """
    if not out.absolute().parent.is_dir():
        raise PellucidError(f"no folder {out.parent} to put the wall into")
    if not os.path.lexists(out):
        return
    if out.is_symlink() or not out.is_dir():
        raise PellucidError(f"{out} is there already, and no folder; a wall is a folder")
    if not any(out.iterdir()):
        return
    index = out / "index.html"
    ours = index.is_file() and f'<meta name="{MARK}"' in index.read_text("utf-8", "replace")
    if not ours:
        raise PellucidError(f"{out} holds something that is not a wall: name another folder")
    if not force:
        raise PellucidError(f"{out} is a wall already; --force (force=True) puts the new one there")


def _tiles(
    pyramid: Pyramid, photos: Photos, laid: Laid, workers: int
) -> Generator[Step, None, None]:
    """Reads the photos row by row of the grid and gives the pyramid strips as high as a tile."""
    rows, columns = grid.shape(len(photos))
    side, at_once = laid.cell, TILE // laid.cell  # rows of cells in a strip
    order = (laid.given[:, 0] * columns + laid.given[:, 1]).argsort().tolist()
    places = laid.given[order].tolist()
    read = zip(order, places, squares(photos.opened, order, side, workers), strict=True)
    strip, first = _paper(min(rows, at_once), columns, side), 0
    for done, (row, (down, across), (square, why)) in enumerate(read, 1):
        while down >= first + at_once:
            pyramid.add(strip)
            first += at_once
            strip = _paper(min(rows - first, at_once), columns, side)
        top, left = (down - first) * side, across * side
        strip[:, top : top + side, left : left + side] = square
        if why:
            laid.unread[row] = why
        if done % EVERY == 0:
            yield Step(done, len(photos), f"{done:,} of {len(photos):,} photos")
    pyramid.add(strip)
    pyramid.close()


def _paper(rows: int, columns: int, side: int) -> Tensor:
    return torch.full((3, rows * side, columns * side), 255, dtype=torch.uint8)


@contextmanager
def _whole(out: Path, force: bool) -> Iterator[Path]:
    """A folder beside `out` that takes its place at the end, and is gone where there is none."""
    mark = secrets.token_hex(4)
    part, old = (out.with_name(f".{out.name}.{mark}.{end}") for end in ("part", "old"))
    try:
        part.mkdir()
        yield part
        check(out, force)
        if out.is_dir():
            out.rename(old)
        part.rename(out)
    except OSError as error:
        raise PellucidError(f"cannot write {out}: {error.strerror or error}") from None
    finally:
        if old.is_dir() and not out.exists():
            old.rename(out)
        for folder in (part, old):
            shutil.rmtree(folder, ignore_errors=True)
