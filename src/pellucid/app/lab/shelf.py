"""Shelf: what the page shows of an atlas, in files that it serves and without one full path."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from pellucid.app.lab.collection import MOST, PLACE, bare
from pellucid.atlas.atlas import Atlas
from pellucid.atlas.map import Map
from pellucid.atlas.maps import plainly
from pellucid.atlas.page.page import facts, grouped
from pellucid.atlas.pixel_space import opened, pixels
from pellucid.atlas.wall.scatter import scattered
from pellucid.atlas.wall.squares import squared
from pellucid.errors import PellucidError
from pellucid.method import Step
from pellucid.pictures import file_bytes
from pellucid.writing import write_whole

SIDE, ACROSS = 48, 24  # px of a photo on a sheet, photos along it
EACH = ACROSS**2
DIGITS = 3  # of places on the map, whose unit is the side of a usual photo


class Shelf:
    """What the page shows of an atlas.

    Args:
        folder: of the lab.
    """

    def __init__(self, atlas: Atlas, folder: Path) -> None:
        self.atlas = atlas
        self.shown = folder / PLACE
        self.table = folder / PLACE.parent / "pixels.npy"
        (self.shown / "thumbs").mkdir(parents=True, exist_ok=True)
        (self.shown / "sheets").mkdir(exist_ok=True)

    @cached_property
    def rows(self) -> Int[Tensor, "shown"]:
        """The photos on the map: all, or of very many some, evenly chosen."""
        count = len(self.atlas)
        return torch.linspace(0, count - 1, min(count, MOST)).round().long()

    @property
    def sheets(self) -> int:
        """How many sheets of small photos there are; 0 before they are unpacked."""
        return -(-len(self.rows) // EACH) if self.table.exists() else 0

    def name(self, row: int) -> str:
        """Of a photo's file, without its folder."""
        return bare(self.atlas.images.uris[row])

    def known(self, row: int) -> dict[str, Any]:
        """What there is to say of a photo."""
        images = self.atlas.images
        label, number = images.labels[row], int(images.predicted[row])
        classes = self.atlas.classes
        sees = classes[number].split(",")[0] if 0 <= number < len(classes) else ""
        height, width = images.sizes[row].tolist()
        judged = bool(label and sees) and plainly(label) in {plainly(one) for one in classes}
        return {
            "row": row,
            "label": label,
            "file": self.name(row),
            "size": [height, width],
            "sees": sees,
            "share": float(images.probability[row].nan_to_num()) if sees else 0.0,
            "right": plainly(label) == plainly(sees) if judged else None,
        }

    def row(self, asked: Any) -> int:
        """A row as somebody asked for it.

        Raises:
            PellucidError: there is no such row.
        """
        if isinstance(asked, bool) or not isinstance(asked, int):
            raise PellucidError(f"a photo is asked for by its row, a whole number, not {asked!r}")
        if not 0 <= asked < len(self.atlas):
            raise PellucidError(f"the atlas has photos 0 to {len(self.atlas) - 1}, not {asked}")
        return asked

    def unpack(self) -> Generator[Step, None, None]:
        """Writes the thumbnails as files and on sheets, and takes down their pixels."""
        if self.table.exists():
            return
        count, table = len(self.rows), []
        for number, part in enumerate(torch.split(self.rows, EACH)):
            rows = part.tolist()
            files = self.atlas.thumbnails(rows)
            self._thumbs(rows, files)
            sheet = torch.zeros(3, SIDE * -(-len(rows) // ACROSS), SIDE * ACROSS, dtype=torch.uint8)
            for at, photo in enumerate(opened(files, rows)):
                down, right = at // ACROSS * SIDE, at % ACROSS * SIDE
                sheet[:, down : down + SIDE, right : right + SIDE] = squared(photo, SIDE)
                table.append(pixels(photo))
            write_whole(self.shown / "sheets" / f"{number}.jpg", file_bytes(sheet, "jpeg", 80))
            done = min(count, (number + 1) * EACH)
            yield Step(done, count, f"thumbnails: {done:,} of {count:,}")
        whole = self.table.with_name(".pixels.part.npy")
        np.save(whole, torch.stack(table).numpy(), allow_pickle=False)
        os.replace(whole, self.table)  # the last thing: that it is there says that all is

    def pixels(self) -> UInt8[Tensor, "images numbers"] | None:
        """All photos as rows of pixels; None of too many, or where they are not unpacked."""
        if len(self.rows) < len(self.atlas) or not self.table.exists():
            return None
        return torch.from_numpy(np.load(self.table, allow_pickle=False))

    def ensure(self, rows: Iterable[int]) -> None:
        """Writes the thumbnails of some photos, where they are not yet."""
        missing = [row for row in {*rows} if not (self.shown / "thumbs" / f"{row}.jpg").exists()]
        if missing:
            self._thumbs(missing, self.atlas.thumbnails(missing))

    def drawn(self, made: Map) -> dict[str, Any]:
        """A map as the page's script draws it, in a file."""
        rows = self.rows
        groups = grouped(made, rows)
        data = facts(made, rows, groups)
        data["uris"] = [self.name(row) for row in rows.tolist()]
        data["rows"] = None if len(rows) == len(self.atlas) else rows.tolist()
        data["shares"] = (100 * self.atlas.images.probability[rows].nan_to_num()).round().tolist()
        places = scattered(made.values[rows]).flatten().tolist()
        data["places"] = [round(place, DIGITS) for place in places]
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        mark = hashlib.sha256(text.encode()).hexdigest()[:16]
        write_whole(self.shown / f"map-{mark}.json", text.encode())
        return {
            "file": f"map-{mark}.json",
            "sheets": self.sheets,
            "shown": len(rows),
            "count": len(self.atlas),
            "quality": made.quality,
        }

    @contextmanager
    def plain(self) -> Iterator[None]:
        """What goes wrong inside, told without this machine's folders."""
        try:
            yield
        except PellucidError as error:
            raise PellucidError(self.without_folders(str(error))) from None

    def without_folders(self, text: str) -> str:
        """A text in which files have their names only."""
        home = self.atlas.path
        text = text.replace(home, bare(home))
        return re.sub(r"(?:[A-Za-z]:|\w+:/)?(?:[/\\][^/\\:'\"#\n]+)*[/\\](?=[^/\\\s])", "", text)

    def _thumbs(self, rows: Sequence[int], files: Sequence[bytes]) -> None:
        for row, file in zip(rows, files, strict=True):
            (self.shown / "thumbs" / f"{row}.jpg").write_bytes(file)
