"""Diagram: no block on another, everything below what it reads, groups around their parts."""

import re
from itertools import pairwise
from typing import Any

import pytest

from pellucid.app.lab.diagram import AT_FIRST, Diagram, Place


def plan(wires: list[tuple[str, str]], inside: dict[str, str] | None = None) -> dict[str, Any]:
    """A plan from wires, parts in the order in which they come in them."""
    inside = inside or {}
    names = list(dict.fromkeys(name for pair in wires for name in pair if name))
    for group in dict.fromkeys(inside.values()):  # it ends with the last of its parts
        names.insert(1 + max(names.index(name) for name in inside if inside[name] == group), group)
    parts = [
        {
            "name": name,
            "inside": inside.get(name, ""),
            "sign": "+" if name.startswith("+") else "",
            "group": name in inside.values(),
        }
        for name in names
    ]
    return {"parts": parts, "wires": wires}


CHAIN = plan([("", "a"), ("a", "b"), ("b", "c"), ("c", "")])
FORK = plan([("", "a"), ("a", "b"), ("a", "c"), ("b", "d"), ("d", "+"), ("c", "+"), ("+", "")])
NEST = plan(
    [("", "a"), ("a", "g.x"), ("g.x", "g.y"), ("a", "+"), ("g.y", "+"), ("+", "z"), ("z", "")],
    {"g.x": "g", "g.y": "g", "+": "g"},
)
DENSE = plan([(f"n{i}", f"n{j}") for j in range(6) for i in range(j)] + [("", "n0"), ("n5", "")])


def overlap(one: Place, other: Place) -> bool:
    return (
        one.left < other.left + other.width
        and other.left < one.left + one.width
        and one.top < other.top + other.height
        and other.top < one.top + one.height
    )


@pytest.mark.parametrize("given", [CHAIN, FORK, NEST, DENSE])
def test_blocks_lie_apart_and_below_what_they_read(given: dict[str, Any]) -> None:
    diagram = Diagram(given)
    drawn = diagram.drawn({"g"})
    where = {place.name: place for place in drawn.places}
    assert set(where) == set(diagram.parts)
    for one in drawn.places:
        assert one.left >= 0 and one.left + one.width <= drawn.width + 0.5
        assert one.top >= 0 and one.top + one.height <= drawn.height
        for other in drawn.places:
            around = one.name in diagram.groups(other.name) or other.name in diagram.groups(
                one.name
            )
            if one is not other and not around:
                assert not overlap(one, other), (one, other)
    for start, end in given["wires"]:
        if start and end:
            assert where[start].top + where[start].height < where[end].top


def test_a_group_lies_around_its_parts_only_where_it_is_open() -> None:
    diagram = Diagram(NEST)
    closed = {place.name for place in diagram.drawn(set()).places}
    assert closed == {"a", "g", "z"}
    where = {place.name: place for place in diagram.drawn({"g"}).places}
    for name in ("g.x", "g.y", "+"):
        assert where["g"].left < where[name].left
        assert where[name].top + where[name].height < where["g"].top + where["g"].height
    assert where["g"].opened and not where["z"].opened


def test_wires_are_told_level_by_level() -> None:
    wires = Diagram(NEST).wires
    assert wires[""] == [("", "a"), ("a", "g"), ("g", "z"), ("z", "")]
    assert set(wires["g"]) == {
        ("", "g.x"), ("", "+"), ("g.x", "g.y"), ("g.y", "+"), ("+", ""),
    }  # fmt: skip


def test_lines_begin_and_end_at_their_blocks() -> None:
    drawn = Diagram(CHAIN).drawn(set())
    assert len(drawn.lines) == 4
    for line, (above, below) in zip(drawn.lines[1:], pairwise(drawn.places), strict=False):
        x0, y0, *_, x1, y1 = map(float, re.findall(r"-?\d+", line))
        assert (x0, y0) == (round(above.centre), round(above.top + above.height))
        assert (x1, y1) == (round(below.centre), round(below.top))


def test_a_line_that_passes_blocks_goes_around_them() -> None:
    drawn = Diagram(FORK).drawn(set())
    where = {place.name: place for place in drawn.places}
    (around,) = [line for line in drawn.lines if "H" in line]
    out = max(float(x) for x in re.findall(r"[HQ](-?\d+)", around))
    assert out > where["c"].left + where["c"].width and out > where["d"].left + where["d"].width
    assert around.endswith(f"H{where['+'].left + where['+'].width:.0f}")


def test_at_first_no_more_is_open_than_can_be_seen() -> None:
    names = [f"g{number // 8}.{number}" for number in range(48)]
    wires = list(pairwise(["", *names, ""]))
    crowd = Diagram(plan(wires, {name: name.partition(".")[0] for name in names}))
    assert crowd.first_opened() == set() and len(names) > AT_FIRST
    assert Diagram(NEST).first_opened() == {"g"}
