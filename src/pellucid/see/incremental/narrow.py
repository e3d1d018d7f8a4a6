"""narrowed(): nothing is computed for tokens of a transformer that nobody asks about."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import count
from math import prod
from typing import Any, NamedTuple

import torch
from torch import Tensor

from pellucid.see.incremental.attention import apart
from pellucid.see.incremental.finders import RESHAPES, turned
from pellucid.see.incremental.graph import Graph, Node, Ref, refs
from pellucid.see.incremental.rules import SAME

ATTENTION = "scaled_dot_product_attention"
aten = torch.ops.aten


class Spot(NamedTuple):
    """The one number along an axis that is asked for."""

    axis: int
    place: int


def narrowed(graph: Graph) -> Graph:
    """A graph of the same answer, in which the last layers answer for one token only.

    A vision transformer answers from its class token. Behind the last attention every other token
    is computed for nothing; inside it the others are read, but need not look around themselves.
    """
    graph = apart(graph)
    asked: dict[int, set[Spot | None]] = defaultdict(set)
    asked[graph.output].add(None)
    spots: dict[int, Spot] = {}  # of values that are made for one token only
    for node in reversed(graph.nodes):
        wanted = asked[node.outs[0]]
        spot = next(iter(wanted)) if len(wanted) == len(node.outs) == 1 else None
        given = _read(node, spot, graph)
        if spot and any(given.values()) and node.name != "select":
            spots[node.outs[0]] = spot
        for number in node.inputs:
            asked[number].add(given.get(number))
    return _cut(graph, spots)


def _read(node: Node, spot: Spot | None, graph: Graph) -> dict[int, Spot]:
    """What is read of each input for one spot of the output; nothing of those read altogether."""
    first = node.inputs[0] if node.inputs else 0
    shape, out = graph.shapes.get(first, ()), graph.shapes.get(node.outs[0], ())
    if node.name == "select" and len(shape) == 3 and node.args[1] % 3 == 1:
        return {first: Spot(1, node.args[2] % shape[1])}
    if spot is None:
        return {}
    axis, last = spot.axis, len(out) - 1
    if node.name == ATTENTION:
        return {first: spot} if axis == last - 1 and _plain(node) else {}
    if node.name == "matmul":  # as attention is written by hand
        rows = axis == last - 1 and len(node.inputs) == 2 and len(shape) == len(out)
        return {first: spot} if rows else {}
    if node.name in ("softmax", "_softmax"):
        return {first: spot} if axis != node.args[1] % len(out) else {}
    if node.name in ("transpose", "permute"):
        return {first: spot._replace(axis=turned(node, last + 1)[axis])}
    if node.name in RESHAPES:
        for at in range(1, len(shape)):
            if shape[at] == out[axis] and prod(shape[:at]) == prod(out[:axis]):
                return {first: spot._replace(axis=at)}
        return {}
    alone = (node.name == "layer_norm" and len(node.args[1]) == 1) or node.name == "linear"
    if alone and not any(refs((node.args[1:], node.kwargs))) and axis != last:
        return {first: spot}
    if node.name == "prelu":  # its weights are channels'
        return {}
    if node.name in SAME or torch.Tag.pointwise in node.func.tags:
        shapes = [graph.shapes[number] for number in node.inputs]
        return dict.fromkeys(node.inputs, spot) if all(one == out for one in shapes) else {}
    return {}


def _plain(node: Node) -> bool:
    """Whether an attention lets every token look at every other, and nothing is drawn by lot."""
    # One of them may be the same for all photos, or ask and answer.
    three = len(node.inputs) == 3 and all(isinstance(part, Ref) for part in node.args[:3])
    more = [*node.args[3:6], *(node.kwargs.get(name) for name in ("attn_mask", "is_causal"))]
    return three and not any(isinstance(part, Tensor) or part for part in more)


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
            given = _read(node, spot, graph)
            new = {
                value: cut_out(value, given[value])
                for value in node.inputs
                if value in given and value not in spots
            }
            length = len(graph.shapes[number])
            # Of a layer's weights none is one token's.
            placed = spot if torch.Tag.pointwise in node.func.tags else None
            node = replace(node, args=_filled(node.args, new, placed, length))
            shapes[number] = _one(shapes[number], spot.axis)
        nodes.append(node)
    return Graph(nodes, shapes, graph.output)


def _filled(part: Any, new: dict[int, int], spot: Spot | None, length: int) -> Any:
    """Arguments with other values in their places, and of constants the one token's."""
    if isinstance(part, Ref):
        return Ref(new.get(part.number, part.number))
    if isinstance(part, Tensor) and spot and part.ndim >= length - spot.axis > 1:
        axis = spot.axis - length
        return part if part.shape[axis] == 1 else part.narrow(axis, spot.place, 1)
    if isinstance(part, list | tuple):
        return type(part)(_filled(item, new, spot, length) for item in part)
    return part


def _one(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], 1, *shape[axis + 1 :])
