"""Pyramid: a picture too large for memory as tiles of JPEG, at every power of two."""

from __future__ import annotations

from math import ceil
from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.nn import functional as F

from pellucid.pictures import file_bytes

TILE = 256  # px, the side of a tile
QUALITY = 85  # of the JPEG files
DZI = """<?xml version="1.0" encoding="UTF-8"?>
<Image xmlns="http://schemas.microsoft.com/deepzoom/2008"
 Format="jpg" Overlap="0" TileSize="{tile}">
<Size Width="{width}" Height="{height}"/>
</Image>
"""


class Pyramid:
    """Writes a picture that comes in strips, from its top, as Deep Zoom tiles.

    A strip as high as a tile is cut and written; halved, it waits for the next one, and both are
    a strip of the picture at half its size. So there is never more in memory than one strip of
    each level, whatever the picture's height. The names are those of Microsoft's Deep Zoom:
    NAME.dzi, and NAME_files/LEVEL/COLUMN_ROW.jpg, where level 0 has one pixel.

    Args:
        path: of NAME.dzi, in a folder that is there.
        height, width: of the picture in pixels.
    """

    def __init__(self, path: Path, height: int, width: int) -> None:
        self.path = path
        self.size = height, width
        self.levels = (max(height, width) - 1).bit_length()  # the finest; that of one pixel is 0
        self.waiting: dict[int, Tensor] = {}
        self.rows = [0] * (self.levels + 1)
        self.tiles = 0
        self.bytes = 0

    def at(self, level: int) -> tuple[int, int]:
        """Height and width of the picture at a level."""
        part = 2 ** (self.levels - level)
        return ceil(self.size[0] / part), ceil(self.size[1] / part)

    def add(self, strip: UInt8[Tensor, "3 height width"]) -> None:
        """The next strip of the picture: `TILE` pixels high, the last one perhaps less."""
        self._write(self.levels, strip)

    def close(self) -> None:
        """Writes the file that says how large all is."""
        height, width = self.size
        self._file(self.path, DZI.format(tile=TILE, width=width, height=height).encode())

    def _write(self, level: int, strip: Tensor) -> None:
        for column, left in enumerate(range(0, strip.shape[2], TILE)):
            name = tile_path(self.path, level, column, self.rows[level])
            name.parent.mkdir(parents=True, exist_ok=True)
            self._file(name, file_bytes(strip[:, :, left : left + TILE], quality=QUALITY))
            self.tiles += 1
        self.rows[level] += 1
        if not level:
            return
        above = self.waiting.pop(level - 1, None)
        half = halved(strip)
        half = half if above is None else torch.cat([above, half], 1)
        whole = self.at(level - 1)[0]
        if half.shape[1] < TILE and self.rows[level - 1] * TILE + half.shape[1] < whole:
            self.waiting[level - 1] = half
        else:
            self._write(level - 1, half)

    def _file(self, path: Path, content: bytes) -> None:
        path.write_bytes(content)
        self.bytes += len(content)


def tile_path(path: Path, level: int, column: int, row: int) -> Path:
    """Where a tile of the pyramid NAME.dzi is."""
    return path.with_name(f"{path.stem}_files") / str(level) / f"{column}_{row}.jpg"


def halved(picture: UInt8[Tensor, "3 height width"]) -> UInt8[Tensor, "3 h w"]:
    """Each pixel the mean of four; an odd last row or column stands for two."""
    height, width = picture.shape[1:]
    if height % 2 or width % 2:
        even = F.pad(picture[None].float(), (0, width % 2, 0, height % 2), mode="replicate")
        picture = even[0].byte()
    # Rounded, not cut, or a picture would darken from level to level.
    parts = picture.short()
    parts = parts[:, ::2] + parts[:, 1::2]
    return ((parts[:, :, ::2] + parts[:, :, 1::2] + 2) // 4).byte()
