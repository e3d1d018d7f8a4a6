"""Inverted: a photo, and the pictures that layers of a network cannot tell from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid import tiles
from pellucid.ink import lettered
from pellucid.panels import percent
from pellucid.results import Result

CELL = 144  # px of a picture's longer side, at least
COLUMNS = 6  # codes beside each other; further ones come below
MARGIN, BETWEEN, LINE = 12, 14, 18  # px


@dataclass(frozen=True)
class Row:
    """One code.

    Attributes:
        layer: its name; "" is the network's output.
        name: as it is shown.
        depth: how deep it lies, share of all layers, up to 1.
        variation: weight of the prior that it was inverted with.
    """

    layer: str
    name: str
    depth: float
    variation: float


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Inverted(Result):
    """Pictures from the codes of one photo.

    Attributes:
        values: (codes, starts, 3 or 1, height, width), 0 to 1, shallow codes first.
        photo: (3 or 1, height, width), 0 to 1: what the network was shown.
        rows: one for each code.
        errors: (codes, starts), relative: the distance of the picture's code to the photo's, over
            the length of that.
        psnr: (codes, starts), of the picture against the photo, dB.
    """

    values: Float[Tensor, "codes starts channels height width"]
    photo: Float[Tensor, "channels height width"]
    rows: tuple[Row, ...]
    errors: Float[Tensor, "codes starts"]
    psnr: Float[Tensor, "codes starts"]

    def of(self, name: str) -> Float[Tensor, "starts channels height width"]:
        """The pictures of one code, by its layer or by the name that is shown."""
        names = [(row.layer, row.name) for row in self.rows]
        return self.values[next(at for at, known in enumerate(names) if name in known)]

    def data(self) -> dict[str, Any]:
        """With the table: what is left of the photo at each depth."""
        numbers = zip(self.rows, self.errors.tolist(), self.psnr.tolist(), strict=True)
        return super().data() | {
            "codes": [
                vars(row) | {"relative error": errors, "psnr": psnr}
                for row, errors, psnr in numbers
            ]
        }

    def image(self) -> Float[Tensor, "3 height width"]:
        """The photo, then shallow to deep; below each its error and how like the photo it is."""
        starts = self.values.shape[1]
        groups = [
            range(first, min(first + COLUMNS, len(self.rows)))
            for first in range(0, len(self.rows), COLUMNS)
        ]
        parts = [self._group(group, start) for group in groups for start in range(starts)]
        wide = max(part.shape[2] for part in parts)
        page = torch.cat([F.pad(part, (0, wide - part.shape[2]), value=1.0) for part in parts], 1)
        return F.pad(page, (MARGIN,) * 4, value=tiles.PAPER)

    def _group(self, codes: range, start: int) -> Float[Tensor, "3 height width"]:
        first = ["the photo"] if start == 0 else [""]
        cells = [self._cell(self.photo if start == 0 else None, first)]
        for at in codes:
            said = [
                self.rows[at].name,
                f"error {percent(float(self.errors[at, start]))}",
                f"{float(self.psnr[at, start]):.1f} dB",
            ]
            cells.append(self._cell(self.values[at, start], said))
        return torch.cat(cells, 2)

    def _cell(
        self, picture: Float[Tensor, "channels height width"] | None, lines: list[str]
    ) -> Float[Tensor, "3 tall wide"]:
        shown = tiles.enlarged(self.photo if picture is None else picture, CELL).float()
        shown = shown.expand(3, -1, -1) if picture is not None else torch.ones_like(shown[:1])
        shown = shown.expand(3, -1, -1)
        wide = max(shown.shape[2], CELL * 3 // 4)
        cell = torch.full((3, shown.shape[1] + 3 * LINE + BETWEEN, wide + BETWEEN), tiles.PAPER)
        cell[:, : shown.shape[1], : shown.shape[2]] = shown
        for number, line in enumerate(lines):
            ink = tiles.FAINT if number else tiles.INK
            fits = tiles.tailed(line, wide, 13)
            cell = lettered(cell, fits, shown.shape[1] + 3 + number * LINE, 0, 13, ink)
        return cell
