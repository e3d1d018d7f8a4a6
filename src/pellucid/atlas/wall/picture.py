"""Picture: a wall as one large image, put together from its tiles."""

from __future__ import annotations

import os
from math import ceil, sqrt
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.nn import functional as F

from pellucid.atlas.wall import grid
from pellucid.atlas.wall.build import Wall
from pellucid.atlas.wall.pyramid import TILE, tile_path
from pellucid.errors import PellucidError, Unknown
from pellucid.images import open_image
from pellucid.pictures import file_bytes
from pellucid.writing import write_whole

Layout = Literal["grid", "scattered"]
LAYOUTS: tuple[Layout, ...] = ("grid", "scattered")
MOST_PIXELS = 48_000_000
KINDS: dict[str, Literal["jpeg", "png"]] = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg"}


def saved(
    wall: Wall, path: str | os.PathLike[str], layout: Layout = "grid", *, force: bool = False
) -> tuple[int, int]:
    """Saves a wall as one image.

    Args:
        path: ends in .png or .jpg.

    Returns:
        Its height and width in pixels, together at most `MOST_PIXELS`.

    Raises:
        PellucidError: another ending, a file is there already, or it cannot be written.
    """
    out = Path(path).expanduser()
    check(out, layout, force)
    made = pixels(wall, layout)
    write_whole(out, file_bytes(made, KINDS[out.suffix.lower()], 90))
    return made.shape[1], made.shape[2]


def check(out: Path, layout: str, force: bool) -> None:
    """Refuses what `saved` would, before the long work."""
    if layout not in LAYOUTS:
        raise Unknown("layout", layout, LAYOUTS)
    if out.suffix.lower() not in KINDS:
        raise PellucidError(f"the image of a wall is saved as .png or .jpg, not {out.name!r}")
    if os.path.lexists(out) and not force:
        raise PellucidError(f"{out} is there already; --force (force=True) overwrites it")
    if not out.absolute().parent.is_dir():
        raise PellucidError(f"no folder {out.parent} to save into")


def pixels(wall: Wall, layout: Layout = "grid") -> UInt8[Tensor, "3 height width"]:
    """The wall from the finest level that is not too large; scattered photos as in its page."""
    rows, columns = grid.shape(len(wall.given))
    level, side = wall.levels, wall.cell
    while side > 1 and rows * columns * side**2 > MOST_PIXELS:
        level, side = level - 1, side // 2
    whole = _stitched(wall, level, rows * side, columns * side)
    if layout == "grid":
        return whole
    right, down = (wall.places[:, :2] + wall.places[:, 2:] / 2).amax(0).tolist()
    scale = min(float(side), sqrt(MOST_PIXELS / (right * down)))
    page = torch.full((3, ceil(down * scale), ceil(right * scale)), 255, dtype=torch.uint8)
    for (row, column), (across, below, large) in zip(
        wall.given.tolist(), wall.places.tolist(), strict=True
    ):
        photo = whole[:, row * side : (row + 1) * side, column * side : (column + 1) * side]
        size = max(1, round(large * scale))
        left, top = round((across - large / 2) * scale), round((below - large / 2) * scale)
        shown = F.interpolate(photo[None], (size, size), mode="bilinear", antialias=True)[0]
        space = page[:, max(0, top) : top + size, max(0, left) : left + size]
        space[:] = shown[:, : space.shape[1], : space.shape[2]]
    return page


def _stitched(wall: Wall, level: int, height: int, width: int) -> Tensor:
    page = torch.empty((3, height, width), dtype=torch.uint8)
    for row in range(ceil(height / TILE)):
        for column in range(ceil(width / TILE)):
            path = tile_path(wall.path / "wall.dzi", level, column, row)
            tile = open_image(path).pixels
            top, left = row * TILE, column * TILE
            page[:, top : top + tile.shape[1], left : left + tile.shape[2]] = tile
    return page
