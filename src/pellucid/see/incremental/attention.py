"""apart(): the attention of a transformer as operations that keep the photos of a batch apart."""

from __future__ import annotations

from itertools import count
from typing import Any

import torch

from pellucid.see.incremental.graph import Graph, Node, Ref

VIEWS = {"reshape", "transpose", "permute", "select"}
FUSED = "_native_multi_head_attention"
aten = torch.ops.aten


def apart(graph: Graph) -> Graph:
    """A graph of the same values.

    Queries, keys and values that lie one behind the other in front of the batch, as timm's
    transformers cut them, are cut inside of each photo. The last attention that torch computes in
    one piece is written as its parts, so that single tokens may ask in it.
    """
    writing = _Writing(graph)
    fused = [node for node in graph.nodes if node.name == FUSED and _alone(node, graph)]
    for node in graph.nodes:
        if fused and node is fused[-1]:
            writing.attention(node)
        elif node.name in ("unbind", "select") and int((*node.args, 0)[1]) == 0:
            writing.picked(node)
        else:
            writing.nodes.append(node)
    return Graph(writing.nodes, writing.shapes, graph.output).pruned()


def _alone(node: Node, graph: Graph) -> bool:
    """Whether tokens look at each other, all at all, and nobody asks how much."""
    read = {number for other in graph.nodes for number in other.inputs} | {graph.output}
    masked = len(node.args) > 9 and node.args[9] is not None
    return len(node.inputs) == 1 and not masked and not node.kwargs and node.outs[1] not in read


class _Writing:
    """A graph that is being written anew."""

    def __init__(self, graph: Graph) -> None:
        self.shapes = dict(graph.shapes)
        self.made = {number: node for node in graph.nodes for number in node.outs}
        self.nodes: list[Node] = []
        self.unused = count(graph.unused())

    def add(self, func: Any, args: Any, shape: Any, like: Node, out: int | None = None) -> Ref:
        out = next(self.unused) if out is None else out
        self.shapes[out] = tuple(shape)
        node = Node(func, args, {}, (out,), like.where)
        node.views = node.name in VIEWS
        self.nodes.append(node)
        return Ref(out)

    def picked(self, node: Node) -> None:
        """Parts of a tensor whose axes were turned: cut first, turned after."""
        turned = self.made.get(node.inputs[0])
        if turned is None or turned.name != "permute" or turned.args[1][0] == 0:
            self.nodes.append(node)
            return
        shape = self.shapes[turned.inputs[0]]
        first, *order = (axis % len(shape) for axis in turned.args[1])
        left = [axis - (axis > first) for axis in order]
        rest = [*shape[:first], *shape[first + 1 :]]
        places = [int(node.args[2])] if node.name == "select" else range(len(node.outs))
        for place, out in zip(places, node.outs, strict=True):
            one = self.add(aten.select.int, (turned.args[0], first, place), rest, node)
            shape_out = [rest[axis] for axis in left]
            self.add(aten.permute.default, (one, left), shape_out, node, out)

    def attention(self, node: Node) -> None:
        """Three linear layers, attention between their heads, and a fourth one."""
        tokens, _, _, width, heads, weight, bias, weight_out, bias_out = node.args[:9]
        shape = self.shapes[tokens.number]
        parted = (*shape[:2], heads, width // heads)
        turned = (parted[0], heads, parted[1], parted[3])
        asked = []
        for part, add in zip(weight.chunk(3), bias.chunk(3), strict=True):
            made = self.add(aten.linear.default, (tokens, part, add), shape, node)
            made = self.add(aten.reshape.default, (made, list(parted)), parted, node)
            asked.append(self.add(aten.transpose.int, (made, 1, 2), turned, node))
        found = self.add(aten.scaled_dot_product_attention.default, tuple(asked), turned, node)
        found = self.add(aten.transpose.int, (found, 1, 2), parted, node)
        found = self.add(aten.reshape.default, (found, list(shape)), shape, node)
        self.add(aten.linear.default, (found, weight_out, bias_out), shape, node, node.outs[0])
