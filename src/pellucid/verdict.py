"""Verdict: one explanation under all tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid import tiles
from pellucid.badges import HEIGHT, badged
from pellucid.chart import BLUE, GREY, ORANGE, Axis, Line, chart
from pellucid.curve import Curve, Pair
from pellucid.digits import apart
from pellucid.ink import lettered, text_width
from pellucid.judgement import Judgement, short
from pellucid.results import Result

WIDTH = 960
MARGIN, GAP = 12, 14
SIDE = 224  # px: longer side of the photo
CHART = 236  # px: height of a chart


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Verdict(Result):
    """What was measured of one map, and what it means.

    Attributes:
        values: (measures,), in the order of `judgement.MEASURES`.
        judgement: the map, the curves and the badges.
        target: what was explained.
        what: the answer that was watched: "probability", "activation", "value".
        protocol: how all was measured.
    """

    values: Float[Tensor, "measures"]
    judgement: Judgement
    target: str
    what: str
    protocol: str

    @classmethod
    def of(cls, judgement: Judgement, target: str, what: str, protocol: str, brief: str) -> Verdict:
        """With a caption that sums it up, the protocol in brief."""
        badges = "; ".join(map(str, judgement.badges))
        told = "an empty map, nothing to judge" if judgement.empty else f"{badges} ({brief})"
        return cls(
            values=torch.tensor(judgement.numbers),
            judgement=judgement,
            target=target,
            what=what,
            protocol=protocol,
            caption=f"{judgement.name} of {target}: {told}",
        )

    def data(self) -> dict[str, Any]:
        """With all curves, the badges and the protocol."""
        return super().data() | {
            "target": self.target,
            "protocol": self.protocol,
            **self.judgement.data(),
            **self.judgement.bases.data(),
        }

    def image(self) -> Float[Tensor, "3 height width"]:
        """The map and the badges, the maps of the shuffled networks, the curves."""
        told = small_print(self.protocol)
        if self.judgement.curves is None:
            return stacked([self._head(), told])
        return stacked([self._head(), self._strip(), self._charts(self.judgement.curves), told])

    def _head(self) -> Float[Tensor, "3 height width"]:
        found = self.judgement
        photo = found.heatmap.photo
        shape = fitting(photo.size, SIDE)
        room = blank(4 * (HEIGHT + 2 * 14 + 8) + 30)[:, :, 2 * (shape[1] + GAP) + GAP :]
        clean = f"whose {self.what} is {short(found.clean)}"
        title = tiles.fitted(f"{found.name} of {self.target}, {clean}", room.shape[2], 16)
        room = lettered(room, title, 0, 0, 16, tiles.INK)
        top = 30
        for badge in found.badges:
            room = badged(room, badge, top)
            top += HEIGHT
            for line in tiles.wrapped(found.meaning(badge), room.shape[2] - HEIGHT - 2, 11)[:2]:
                room = lettered(room, line, top, HEIGHT + 2, 11, tiles.FAINT)
                top += 14
            top += 8
        page = blank(max(shape[0], top))
        page[:, : shape[0], : shape[1]] = tiles.resized(photo.floats(), shape)
        left = shape[1] + GAP
        over = found.heatmap.over().values
        page[:, : shape[0], left : left + shape[1]] = tiles.resized(over, shape)
        page[:, :top, left + shape[1] + 2 * GAP :] = room[:, :top]
        return page

    def _strip(self) -> Float[Tensor, "3 height width"]:
        """The map, and what becomes of it while the network is destroyed."""
        found = self.judgement
        shown = [found.reference, *found.maps]
        columns = max(9, len(shown))
        wide = (WIDTH + 4) // columns - 4
        room = wide - text_width("to ", tiles.LETTER)
        names = ["as trained", *(f"to {tiles.dotted(stage, room)}" for stage in found.stages)]
        top, left, bottom, right = found.heatmap.frame.view()
        shape = fitting((bottom - top, right - left), wide)
        page = blank(20 + shape[0] + 18)
        page = lettered(
            page,
            "The same map while the weights are shuffled, from the last layer to the first",
            0,
            0,
            13,
            tiles.INK,
        )
        for number, (each, name) in enumerate(zip(shown, names, strict=True)):
            cell = page[:, 20:, number * (wide + 4) : number * (wide + 4) + wide]
            seen = each.drawn()[:, top:bottom, left:right]
            cell[:, : shape[0], : shape[1]] = tiles.resized(seen, shape)
            cell = cell[:, shape[0] :]
            cell[:] = lettered(cell, tiles.fitted(name, wide), 2, 0, tiles.LETTER, tiles.FAINT)
        return page

    def _charts(self, own: Pair) -> Float[Tensor, "3 height width"]:
        wide = (WIDTH - 2 * 20) // 3
        charts = [
            self._randomisation(wide),
            *(self._curve(own, which, wide) for which in ("deletion", "insertion")),
        ]
        page = blank(CHART)
        for number, each in enumerate(charts):
            left = number * (wide + 20)
            page[:, :, left : left + wide] = each
        return page

    def _randomisation(self, wide: int) -> Tensor:
        found = self.judgement
        count = len(found.stages)
        alike, seen, *_ = found.numbers
        low = min(0.0, *found.correlations, *found.similarities)
        low = 0.0 if low > -0.02 else -0.5 if low > -0.5 else -1.0
        names = ["none", *found.stages]
        return chart(
            "How alike the map stays",
            [
                Line(
                    list(enumerate((1.0, *found.correlations))),
                    f"rank correlation, mean {alike:.2f}", BLUE, dots=True,
                ),
                Line(
                    list(enumerate((1.0, *found.similarities))),
                    f"SSIM, mean {seen:.2f}", ORANGE, 4, dots=True,
                ),
            ],
            Axis(0, count, list(enumerate(names)), "weights shuffled from the last layer down to"),
            Axis(low, 1, [(v, f"{v:g}") for v in (-1, -0.5, 0, 0.5, 1) if v >= low]),
            (CHART, wide),
        )  # fmt: skip

    def _curve(self, pair: Pair, which: str, wide: int) -> Tensor:
        bases = self.judgement.bases
        own, random, centre = (getattr(each, which) for each in (pair, bases.random, bases.centre))
        highest = max(max(curve.values) for curve in (own, random, centre))
        lowest = min(min(curve.values) for curve in (own, random, centre))

        def points(curve: Curve) -> list[tuple[float, float]]:
            return list(zip(curve.shares, curve.values, strict=True))

        areas = apart(own.area, random.area, centre.area)
        best = "low" if which == "deletion" else "high"
        shares = [(v, f"{v:.0%}") for v in (0.0, 0.25, 0.5, 0.75, 1.0)]
        done = "deleted" if which == "deletion" else "inserted"
        return chart(
            f"{which.capitalize()}: good is {best}",
            [
                Line(points(own), f"this map, area {areas[0]}", BLUE, filled=True),
                Line(points(random), f"random order, {areas[1]}", GREY),
                Line(points(centre), f"from the centre, {areas[2]}", ORANGE, 5),
            ],
            Axis(0, 1, shares, f"share of the pixels {done}"),
            Axis.around(min(0.0, lowest), max(0.0, highest)),
            (CHART, wide),
        )


def blank(height: int) -> Float[Tensor, "3 height width"]:
    """Paper of the usual width."""
    return torch.full((3, height, WIDTH), tiles.PAPER)


def fitting(size: tuple[int, int], longer: int) -> tuple[int, int]:
    """A height and width in proportion, the longer of them given."""
    scale = longer / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def small_print(text: str) -> Float[Tensor, "3 height width"]:
    """A paragraph in small letters."""
    lines = tiles.wrapped(text, WIDTH, tiles.LETTER)
    page = blank(15 * len(lines))
    for number, line in enumerate(lines):
        page = lettered(page, line, 15 * number, 0, tiles.LETTER, tiles.FAINT)
    return page


def stacked(parts: list[Float[Tensor, "3 _ width"]]) -> Float[Tensor, "3 height width"]:
    """Parts of one page below each other, with margins."""
    height = sum(part.shape[1] + GAP for part in parts) - GAP
    page = torch.full((3, height + 2 * MARGIN, WIDTH + 2 * MARGIN), tiles.PAPER)
    top = MARGIN
    for part in parts:
        page[:, top : top + part.shape[1], MARGIN : MARGIN + WIDTH] = part
        top += part.shape[1] + GAP
    return page
