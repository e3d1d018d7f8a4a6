"""Diagram: where the blocks and lines of a network's drawing lie, group within group."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

OUTSIDE = ""  # both ends of a group's wires that lead out of it
AT_FIRST = 40  # blocks that are shown before anybody opens a group
WIDE, TALL, ROUND = 220, 46, 28  # px of a block and of an operation between blocks
ACROSS, DOWN, FORK = 16, 22, 40  # px between blocks; below each other where lines part or meet
HEAD, RIM = 44, 12  # px of an opened group around its parts
NEAR, FAR = 16, 84  # px that a line swings out past the blocks that it passes


@dataclass
class Place:
    """Where a part lies, in px of the whole drawing.

    Attributes:
        anchor: from its left, where lines come in and go out.
        opened: whether its own parts are drawn inside of it.
    """

    name: str
    left: float
    top: float
    width: float
    height: float
    anchor: float
    opened: bool = False

    @property
    def centre(self) -> float:
        """Where lines come in and go out."""
        return self.left + self.anchor


@dataclass
class Drawing:
    """Blocks in the order of computing, and paths of lines as SVG has them.

    Attributes:
        middle: from the left, where lines come in and go out.
        ways_out: lines that end at the edge of a group, without a tip.
    """

    width: float
    height: float
    middle: float = 0.0
    places: list[Place] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    ways_out: list[str] = field(default_factory=list)


class Diagram:
    """A network's parts, as the task `plan` tells of them.

    Each group is drawn from above to below: a part stands below all that it reads, those of the
    same depth side by side, and a line that passes by others swings out to the right.

    Args:
        plan: plain data.
    """

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.parts: dict[str, dict[str, Any]] = {part["name"]: part for part in plan["parts"]}
        self.children: dict[str, list[str]] = {}
        for part in plan["parts"]:
            self.children.setdefault(part["inside"], []).append(part["name"])

    def groups(self, name: str) -> list[str]:
        """The groups around a part, the outermost first."""
        found: list[str] = []
        inside = self.parts[name]["inside"]
        while inside:
            found.insert(0, inside)
            inside = self.parts[inside]["inside"]
        return found

    @cached_property
    def wires(self) -> dict[str, list[tuple[str, str]]]:
        """Of each group the wires between its own parts, and from and to the outside of it."""
        found: dict[str, dict[tuple[str, str], None]] = {}
        for start, end in self.plan["wires"]:
            before, after = self._seen(start), self._seen(end)
            for group in [*before, *(one for one in after if one not in before)]:
                pair = before.get(group, OUTSIDE), after.get(group, OUTSIDE)
                if pair[0] != pair[1]:
                    found.setdefault(group, {})[pair] = None
        return {group: list(pairs) for group, pairs in found.items()}

    def first_opened(self) -> set[str]:
        """Groups that are open at the beginning: level after level, as long as it is no crowd."""
        opened: set[str] = set()
        level = list(self.children.get("", []))
        shown = len(level)
        while True:
            groups = [name for name in level if self.parts[name]["group"]]
            level = [child for group in groups for child in self.children[group]]
            if not level or shown - len(groups) + len(level) > AT_FIRST:
                return opened
            shown += len(level)
            opened |= set(groups)

    def drawn(self, opened: Iterable[str]) -> Drawing:
        """The whole drawing with some groups opened."""
        return self._group("", frozenset(opened))

    def _seen(self, name: str) -> dict[str, str]:
        """Of each group around a part, which of the group's own parts it is or lies in."""
        if not name:
            return {}
        chain = [*self.groups(name), name]
        return dict(zip(["", *chain], chain, strict=False))

    def _group(self, group: str, opened: frozenset[str]) -> Drawing:
        names = self.children.get(group, [])
        wires = self.wires.get(group, [])
        inner = {
            name: self._group(name, opened)
            for name in names
            if name in opened and self.parts[name]["group"]
        }
        sizes = {name: self._size(name, inner.get(name)) for name in names}
        depth = _depths(names, wires)
        rows: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
        for name in names:
            rows[depth[name]].append(name)
        reach = {name: 0 for name in names}
        for start, end in wires:
            if start:
                reach[start] = max(reach[start], depth.get(end, len(rows)) - depth[start])
        drawing = Drawing(0, 0)
        widths = [sum(sizes[name][0] for name in row) + ACROSS * (len(row) - 1) for row in rows]
        halves = [
            sizes[row[0]][2] if len(row) == 1 else width / 2
            for row, width in zip(rows, widths, strict=True)
        ]
        middle = drawing.middle = max(halves, default=0)
        where: dict[str, Place] = {}
        for at, (row, width) in enumerate(zip(rows, widths, strict=True)):
            many = len(row) > 1 or (at > 0 and len(rows[at - 1]) > 1)
            drawing.height += FORK if many else DOWN
            centre = middle if len(row) > 1 else _below(row[0], where, depth, wires, middle)
            left = max(0.0, centre - (sizes[row[0]][2] if len(row) == 1 else width / 2))
            for name in sorted(row, key=lambda name: reach[name]):  # long lines start at the right
                where[name] = Place(name, left, drawing.height, *sizes[name], name in inner)
                left += sizes[name][0] + ACROSS
            drawing.height += max(sizes[name][1] for name in row)
        bent = rows and (len(rows[-1]) > 1 or abs(where[rows[-1][0]].centre - middle) > 1)
        drawing.height += FORK if bent else DOWN
        ends = middle, drawing.height
        edges = [place.left + place.width for place in where.values()]
        lines = self._lines(group, drawing, where, depth, rows, wires, ends)
        drawing.width = max([0.0, *edges, *lines])
        for name in names:
            drawing.places.append(where[name])
            if name in inner:
                _put(drawing, inner[name], where[name])
        return drawing

    def _size(self, name: str, inner: Drawing | None) -> tuple[float, float, float]:
        """Width, height, and where lines come in from above."""
        if inner is not None:
            width = max(WIDE, inner.width + 2 * RIM)
            return width, inner.height + HEAD, (width - inner.width) / 2 + inner.middle
        sign = self.parts[name]["sign"]
        width = max(ROUND, 9 * len(sign) + 14) if sign else WIDE
        return width, ROUND if sign else TALL, width / 2

    def _lines(
        self,
        group: str,
        drawing: Drawing,
        where: dict[str, Place],
        depth: dict[str, int],
        rows: list[list[str]],
        wires: list[tuple[str, str]],
        ends: tuple[float, float],
    ) -> list[float]:
        """Draws the wires of a group; gives how far to the right they come."""
        middle, bottom = ends
        edge = [max(where[name].left + where[name].width for name in row) for row in rows]
        reached = []
        for start, end in wires:
            first = depth[start] if start else -1
            last = depth[end] if end else len(rows)
            a, b = where.get(start), where.get(end)
            lines = drawing.lines if end or not group else drawing.ways_out
            x0, y0 = (a.centre, a.top + a.height) if a else (middle, 0.0)
            x1, y1 = (b.centre, b.top) if b else (middle, bottom)
            if last - first == 1:
                half = (y1 - y0) / 2 if abs(x1 - x0) > 1 else 0
                lines.append(
                    f"M{x0:.0f} {y0:.0f}C{x0:.0f} {y0 + half:.0f} {x1:.0f} {y1 - half:.0f} "
                    f"{x1:.0f} {y1:.0f}"
                )
                continue
            # From side to side, out past all that lies between.
            x0, y0 = (a.left + a.width, a.top + min(a.height, TALL) / 2) if a else (x0, y0 + 4)
            x1, y1 = (b.left + b.width, b.top + min(b.height, TALL) / 2) if b else (x1, y1 - 4)
            passed = max([x0, x1, *edge[first + 1 : last]])
            out = passed + min(FAR, NEAR + 7 * (last - first - 2))
            turn = min(14.0, (y1 - y0) / 2)
            lines.append(
                f"M{x0:.0f} {y0:.0f}H{out - turn:.0f}Q{out:.0f} {y0:.0f} {out:.0f} {y0 + turn:.0f}"
                f"V{y1 - turn:.0f}Q{out:.0f} {y1:.0f} {out - turn:.0f} {y1:.0f}H{x1:.0f}"
            )
            reached.append(out + 4)
        return reached


def _below(
    name: str,
    where: dict[str, Place],
    depth: dict[str, int],
    wires: list[tuple[str, str]],
    middle: float,
) -> float:
    """The centre of a part that is alone in its row: that of what it reads in the row above."""
    above = [
        where[start].centre
        for start, end in wires
        if end == name and start and depth[start] == depth[name] - 1
    ]
    return sum(above) / len(above) if above else middle


def _depths(names: list[str], wires: list[tuple[str, str]]) -> dict[str, int]:
    """Of each part the length of the longest way to it, from 0; what reads nothing is after all."""
    reads: dict[str, list[str]] = {name: [] for name in names}
    known = set()
    for start, end in wires:
        if end:
            known.add(end)
            if start:
                reads[end].append(start)
    depth: dict[str, int] = {}
    for name in names:  # in the order of computing: what it reads has its depth already
        before = [depth[one] for one in reads[name] if one in depth]
        loose = max(depth.values(), default=-1) if name not in known else -1
        depth[name] = max(before, default=loose) + 1
    return depth


def _put(drawing: Drawing, inner: Drawing, place: Place) -> None:
    """Takes the drawing of an opened group into that around it."""
    right = place.left + (place.width - inner.width) / 2
    down = place.top + HEAD
    for part in inner.places:
        part.left, part.top = part.left + right, part.top + down
    drawing.places += inner.places
    drawing.lines += [_moved(line, right, down) for line in inner.lines]
    drawing.ways_out += [_moved(line, right, down) for line in inner.ways_out]


def _moved(line: str, right: float, down: float) -> str:
    """The same path elsewhere: each letter of it takes places in its own order."""

    def shift(found: re.Match[str]) -> str:
        letter, numbers = found[1], [float(word) for word in found[2].split()]
        steps = {"H": [right], "V": [down]}.get(letter, [right, down])
        moved = [value + steps[at % len(steps)] for at, value in enumerate(numbers)]
        return letter + " ".join(f"{value:.0f}" for value in moved)

    return re.sub(r"([A-Z])([-\d. ]+)", shift, line)
