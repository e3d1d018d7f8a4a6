"""narrowed(): nothing is computed for tokens, channels and classes that nobody asks about."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import count
from typing import Any

import torch
from torch import Tensor

from pellucid.see.incremental.attention import apart
from pellucid.see.incremental.graph import Graph, Node, Ref
from pellucid.see.incremental.spot import Spot, read, rows

aten = torch.ops.aten


def narrowed(graph: Graph) -> Graph:
    """A graph of the same answer, in which the last layers answer for what is asked only.

    Of the score of one class, or of one channel, the layer that makes it computes no other: a row
    of its weights does. A vision transformer answers from its class token. Behind the last
    attention every other token is computed for nothing; inside it the others are read, but need
    not look around themselves.
    """
    graph = apart(graph)
    asked: dict[int, set[Spot | None]] = defaultdict(set)
    asked[graph.output].add(None)
    spots: dict[int, Spot] = {}  # of values that are made for one token or channel only
    for node in reversed(graph.nodes):
        wanted = asked[node.outs[0]]
        spot = next(iter(wanted)) if len(wanted) == len(node.outs) == 1 else None
        given = read(node, spot, graph)
        if spot and given is not None and node.name != "select":
            spots[node.outs[0]] = spot
        for number in node.inputs:
            asked[number].add((given or {}).get(number))
    return _cut(graph, spots)


def _cut(graph: Graph, spots: dict[int, Spot]) -> Graph:
    """The graph with values of one token where that suffices."""
    shapes = dict(graph.shapes)
    nodes: list[Node] = []
    unused = count(graph.unused())

    def cut_out(number: int, spot: Spot) -> int:
        """The one token of a value that is there with all."""
        new = next(unused)
        shapes[new] = _one(shapes[number], spot.axis)
        args = (Ref(number), spot.axis, spot.place, spot.place + 1)
        nodes.append(Node(aten.slice.Tensor, args, {}, (new,), "", views=True))
        return new

    for node in graph.nodes:
        number = node.outs[0]
        spot = spots.get(number)
        if node.name == "select" and node.inputs[0] in spots:
            node = replace(node, args=(node.args[0], 1, 0))
        elif spot is not None:
            given = read(node, spot, graph) or {}
            new = {
                value: cut_out(value, given[value])
                for value in node.inputs
                if value in given and value not in spots
            }
            length = len(graph.shapes[number])
            if rows(node, spot.axis, length - 1):
                node = replace(node, args=_row(node.args, spot.place))
            # Of a layer's other weights none is one token's.
            placed = spot if torch.Tag.pointwise in node.func.tags else None
            node = replace(node, args=_filled(node.args, new, placed, length))
            shapes[number] = _one(shapes[number], spot.axis)
        nodes.append(node)
    return Graph(nodes, shapes, graph.output)


def _filled(part: Any, new: dict[int, int], spot: Spot | None, length: int) -> Any:
    """Arguments with other values in their places, and of constants the one token's."""
    if isinstance(part, Ref):
        return Ref(new.get(part.number, part.number))
    if isinstance(part, Tensor) and spot and part.ndim >= length - spot.axis:
        axis = spot.axis - length
        return part if part.shape[axis] == 1 else part.narrow(axis, spot.place, 1)
    if isinstance(part, list | tuple):
        return type(part)(_filled(item, new, spot, length) for item in part)
    return part


def _row(args: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    """Arguments with one row of each weight."""
    return tuple(part.narrow(0, place, 1) if isinstance(part, Tensor) else part for part in args)


def _one(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], 1, *shape[axis + 1 :])
