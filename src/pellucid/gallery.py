"""Gallery: pictures of many units, under the names of their layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from pellucid import tiles
from pellucid.box import Box, shared
from pellucid.ink import lettered, text_width
from pellucid.results import Result

LEAST, SMALLEST = 96, 24  # px of a picture: small ones are enlarged; of very many none is smaller
MOST_PIXELS = 24_000_000  # of the page, above which pictures are drawn smaller
HEAD = 22  # px of a heading
NARROWEST = 2 * tiles.GAP + LEAST  # px of a page


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Gallery(Result):
    """Pictures of many units.

    Attributes:
        values: (pictures, 3 or 1, height, width), 0 to 1.
        layers: of each picture the layer, one after another.
        names: of each unit in its layer: the channel, the class.
        scores: (pictures,), the value that each unit reaches on its picture.
        dead: (pictures,), which units are dead: nothing gave them a gradient, they have no picture.
    """

    values: Float[Tensor, "pictures channels height width"]
    layers: tuple[str, ...]
    names: tuple[str, ...]
    scores: Float[Tensor, "pictures"]
    dead: Bool[Tensor, "pictures"]

    def of(self, layer: str) -> Float[Tensor, "pictures channels height width"]:
        """The pictures of one layer."""
        return self.values[self._rows(layer)]

    def image(self) -> Float[Tensor, "3 height width"]:
        """A grid for each layer under its name; a unit that is dead or silent is an empty frame."""
        layers = list(dict.fromkeys(self.layers))
        size = self._size()
        columns = _columns([len(self._rows(layer)) for layer in layers], *size)
        parts = []
        for layer in layers:
            rows = self._rows(layer)
            grid = tiles.arranged(
                torch.stack([self._tile(row, size) for row in rows]),
                [self._label(row, size[1]) for row in rows],
                1,
                min(columns, len(rows)),
            )
            title = f"{layer}: {self.told(rows)}"
            width = max(grid.shape[2], NARROWEST)
            head = torch.full((3, HEAD, width), tiles.PAPER)
            text = tiles.tailed(title, width - 2 * tiles.GAP, 13)
            parts += [lettered(head, text, 4, tiles.GAP, 13, tiles.INK), grid]
        width = max(part.shape[2] for part in parts)
        padded = [F.pad(part, (0, width - part.shape[2]), value=tiles.PAPER) for part in parts]
        return torch.cat(padded, 1)

    def cells(self) -> list[tuple[str, Box[float]]]:
        """Of each unit, where all are of one layer; its name is the channel or the class."""
        if len(set(self.layers)) != 1:
            return []
        size = self._size()
        columns = min(_columns([len(self.values)], *size), len(self.values))
        boxes, (height, width) = tiles.spots(len(self.values), size, True, columns)
        page = HEAD + height, max(width, NARROWEST)
        below = [Box(top + HEAD, left, low + HEAD, right) for top, left, low, right in boxes]
        return [(name, shared(box, page)) for name, box in zip(self.names, below, strict=True)]

    @property
    def silent(self) -> Bool[Tensor, "pictures"]:
        """Which units do not answer to what was drawn for them: nothing fires, and all is zero."""
        return ~self.dead & (self.scores == 0)

    def told(self, rows: Sequence[int]) -> str:
        """How many pictures those are, and of how many units there is none."""
        drawn = f"{len(rows)} {'units' if len(rows) > 1 else 'unit'}"
        lost = (("dead", self.dead), ("silent", self.silent))
        counts = [(int(units[list(rows)].sum()), word) for word, units in lost]
        return ", ".join([drawn, *(f"{count} {word}" for count, word in counts if count)])

    def data(self) -> dict[str, Any]:
        """With the unit, the value and the state of each picture."""
        states = self.dead.tolist(), self.silent.tolist()
        rows = zip(self.layers, self.names, self.scores.tolist(), *states, strict=True)
        keys = ("layer", "name", "value", "dead", "silent")
        return super().data() | {"pictures": [dict(zip(keys, row, strict=True)) for row in rows]}

    def _rows(self, layer: str) -> list[int]:
        return [number for number, name in enumerate(self.layers) if name == layer]

    def _size(self) -> tuple[int, int]:
        """Height and width of a picture as it is drawn."""
        count, _, height, width = self.values.shape
        longer = max(height, width)
        if longer < LEAST:
            times = -(-LEAST // longer)
            return height * times, width * times
        scale = min(1.0, sqrt(MOST_PIXELS / (count * height * width)))
        scale = max(scale, min(1.0, SMALLEST / longer))
        return max(1, round(scale * height)), max(1, round(scale * width))

    def _tile(self, row: int, size: tuple[int, int]) -> Float[Tensor, "3 height width"]:
        if bool(self.dead[row]) or bool(self.silent[row]):
            return _empty(size, "dead" if bool(self.dead[row]) else "silent")
        picture = self.values[row].detach().cpu().float().expand(3, -1, -1)
        if size[0] > picture.shape[1]:
            return tiles.enlarged(picture, max(size))
        return picture if picture.shape[1:] == size else tiles.resized(picture, size)

    def _label(self, row: int, width: int) -> str:
        """The unit's name and, where there is room, its value."""
        if bool(self.dead[row]) or bool(self.silent[row]):
            return self.names[row]
        whole = f"{self.names[row]}: {float(self.scores[row]):.3g}"
        return whole if text_width(whole, tiles.LETTER) <= width else self.names[row]


def _columns(counts: Sequence[int], height: int, width: int) -> int:
    """As many as make a page of several grids about as wide as tall; of one as `tiles.across`.

    Of what comes near to it, that which leaves the fewest places of a last row empty.
    """
    if len(counts) == 1:
        return tiles.across(counts[0], height, width)

    def tall(columns: int) -> int:
        rows = sum(-(-count // columns) for count in counts)
        return rows * (height + tiles.LETTER + 2 * tiles.GAP) + len(counts) * HEAD

    most = max(counts)
    best = min(range(1, most + 1), key=lambda columns: abs(columns * width - tall(columns)))
    near = range(max(1, best - 2), min(most, best + 2) + 1)

    def empty(columns: int) -> float:
        return sum(-count % columns for count in counts if count > columns) / columns

    return min(near, key=lambda columns: (empty(columns), abs(columns - best)))


def _empty(size: tuple[int, int], word: str) -> Float[Tensor, "3 height width"]:
    """Paper with a frame, and in it the word."""
    height, width = size
    blank = torch.full((3, height, width), tiles.PAPER)
    blank[:, [0, -1]] = blank[:, :, [0, -1]] = 0.7
    if height < 2 * tiles.LETTER:
        return blank
    return lettered(
        blank, tiles.fitted(word, width - 2), height / 2 - 8, width / 2, tiles.LETTER,
        tiles.FAINT, anchor="ma",
    )  # fmt: skip
