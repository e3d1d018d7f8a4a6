"""Comparison: all explanations of one photo side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid import tiles
from pellucid.badges import HEIGHT, badged, keyed
from pellucid.ink import lettered
from pellucid.judgement import Judgement, short
from pellucid.results import Result
from pellucid.verdict import GAP, WIDTH, blank, fitting, small_print, stacked

COLUMNS = 4
MEANS = {
    "good": "passes",
    "fair": "in part, or no better than chance or the centre",
    "bad": "fails",
}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Comparison(Result):
    """What was measured of many maps.

    Attributes:
        values: (methods, measures), of those that ran, in the order of `judgement.MEASURES`.
        judgements: one for each of these.
        failed: the other methods, and what they say.
        target: what was explained.
        what: the answer that was watched: "probability", "activation", "value".
        protocol: how all was measured.
    """

    values: Float[Tensor, "methods measures"]
    judgements: tuple[Judgement, ...]
    failed: dict[str, str]
    target: str
    what: str
    protocol: str

    @classmethod
    def of(
        cls,
        judgements: list[Judgement],
        failed: dict[str, str],
        target: str,
        what: str,
        protocol: str,
        brief: str,
    ) -> Comparison:
        """With a caption that names those that pass the first test, and those that do not.

        What is empty already says nothing of shuffling, and stands apart.

        Args:
            brief: the protocol in a few words.
        """
        groups: dict[str, list[str]] = {}
        for each in judgements:
            if not each.empty:
                groups.setdefault(each.badges[0].words, []).append(each.name)
        told = [f"{words}: {', '.join(names)}" for words, names in groups.items()]
        told[:1] = [f"as the weights are shuffled, the map {first}" for first in told[:1]]
        if empty := [each.name for each in judgements if each.empty]:
            told.append(f"the map is empty from the start, nothing to judge: {', '.join(empty)}")
        ways = "1 way" if len(judgements) == 1 else f"{len(judgements)} ways"
        return cls(
            values=torch.tensor([each.numbers for each in judgements]),
            judgements=tuple(judgements),
            failed=failed,
            target=target,
            what=what,
            protocol=protocol,
            caption=f"{target} explained in {ways}; {'; '.join(told)} ({brief})",
        )

    def data(self) -> dict[str, Any]:
        """With all curves, the badges and the protocol."""
        return (
            super().data()
            | {
                "target": self.target,
                "protocol": self.protocol,
                "methods": [each.data() for each in self.judgements],
                "failed": self.failed,
            }
            | self.judgements[0].bases.data()
        )

    def image(self) -> Float[Tensor, "3 height width"]:
        """A cell for each method, its map over the photo, its badges below; who lacks, and why."""
        wide = (WIDTH - (COLUMNS - 1) * GAP) // COLUMNS
        shape = fitting(self.judgements[0].heatmap.photo.size, wide)
        cells = [self._photo(wide, shape)]
        cells += [self._cell(each, wide, shape) for each in self.judgements]
        rows = []
        for first in range(0, len(cells), COLUMNS):
            row = blank(cells[0].shape[1])
            for number, cell in enumerate(cells[first : first + COLUMNS]):
                left = number * (wide + GAP)
                row[:, :, left : left + wide] = cell
            rows.append(row)
        key = keyed(blank(HEIGHT), MEANS, 0)
        lacking = [small_print(f"Not here, {name}: {why}.") for name, why in self.failed.items()]
        return stacked([*rows, key, *lacking, small_print(self.protocol)])

    def _empty(self, title: str, wide: int, shape: tuple[int, int]) -> Tensor:
        cell = torch.full((3, 20 + shape[0] + 6 + 4 * HEIGHT, wide), tiles.PAPER)
        return lettered(cell, tiles.fitted(title, wide, 14), 0, 0, 14, tiles.INK)

    def _photo(self, wide: int, shape: tuple[int, int]) -> Tensor:
        first = self.judgements[0]
        photo = first.heatmap.photo
        cell = self._empty(self.target, wide, shape)
        cell[:, 20 : 20 + shape[0], : shape[1]] = tiles.resized(photo.floats(), shape)
        random, centre = first.bases.random, first.bases.centre
        lines = [
            f"{self.what} for the whole photo {short(first.clean)}",
            "deletion / insertion without any map:",
            f"  random order {short(random.deletion.area)} / {short(random.insertion.area)}",
            f"  from the centre {short(centre.deletion.area)} / {short(centre.insertion.area)}",
        ]
        for number, line in enumerate(lines):
            top = 20 + shape[0] + 8 + number * HEIGHT
            cell = lettered(cell, tiles.fitted(line, wide, 12), top, 0, 12, tiles.FAINT)
        return cell

    def _cell(self, each: Judgement, wide: int, shape: tuple[int, int]) -> Tensor:
        cell = self._empty(each.name, wide, shape)
        cell[:, 20 : 20 + shape[0], : shape[1]] = tiles.resized(each.heatmap.over().values, shape)
        for number, badge in enumerate(each.badges):
            cell = badged(cell, badge, 20 + shape[0] + 6 + number * HEIGHT)
        return cell
