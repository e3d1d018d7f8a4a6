"""Spot: the one number along an axis that is asked for, and what has to be read for it."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import torch
from torch import Tensor

from pellucid.see.incremental.finders import RESHAPES, turned
from pellucid.see.incremental.graph import Graph, Node, Ref, Shape, refs
from pellucid.see.incremental.kernels import argument
from pellucid.see.incremental.rules import SAME

ATTENTION = "scaled_dot_product_attention"
POOLS = {"max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d"}
MEANS = {"mean", "sum", "amax", "amin"}


class Spot(NamedTuple):
    """The one number along an axis that is asked for."""

    axis: int
    place: int


Read = dict[int, Spot] | None  # by input


def read(node: Node, spot: Spot | None, graph: Graph) -> Read:
    """What is read of each input for one spot of the output.

    An input that is not in it is read altogether; None: so are all, and no less is made.
    """
    first = node.inputs[0] if node.inputs else 0
    shape, out = graph.shapes.get(first, ()), graph.shapes.get(node.outs[0], ())
    if node.name == "select" and shape and node.args[1] % len(shape) == 1:
        return {first: Spot(1, node.args[2] % shape[1])}
    if spot is None:
        return None
    axis, last = spot.axis, len(out) - 1
    if node.name == ATTENTION:
        return {first: spot} if axis == last - 1 and _plain(node) else None
    if node.name == "matmul":  # as attention is written by hand
        asks = axis == last - 1 and len(node.inputs) == 2 and len(shape) == len(out)
        return {first: spot} if asks else None
    if node.name in ("softmax", "_softmax"):
        return {first: spot} if axis != node.args[1] % len(out) else None
    if node.name in ("transpose", "permute"):
        return {first: spot._replace(axis=turned(node, last + 1)[axis])}
    if node.name in RESHAPES:
        for at in range(1, len(shape)):
            if shape[at] == out[axis] and prod(shape[:at]) == prod(out[:axis]):
                return {first: spot._replace(axis=at)}
        return None
    if node.name in POOLS:
        return {first: spot} if axis == 1 else None
    if node.name in MEANS:
        return _kept(node, first, spot, len(shape), len(out))
    if rows(node, axis, last):
        return {first: spot} if node.name == "batch_norm" else {}
    alone = (node.name == "layer_norm" and len(node.args[1]) == 1) or node.name == "linear"
    if alone and _lone(node) and axis != last:
        return {first: spot}
    if node.name == "prelu":  # its weights are channels'
        return None
    if node.name in SAME or torch.Tag.pointwise in node.func.tags:
        return _broadcast(node, spot, out, graph)
    return None


def _broadcast(node: Node, spot: Spot, out: Shape, graph: Graph) -> Read:
    """Of an operation place by place; what is the same for all channels is read altogether."""
    shapes = {number: graph.shapes[number] for number in node.inputs}
    if any(len(shape) != len(out) for shape in shapes.values()):
        return None
    return {number: spot for number, shape in shapes.items() if shape[spot.axis] > 1}


def _lone(node: Node) -> bool:
    """Whether only the first argument depends on the photo."""
    return isinstance(node.args[0], Ref) and not any(refs((node.args[1:], node.kwargs)))


def rows(node: Node, axis: int, last: int) -> bool:
    """Whether each place along an axis of the output has a row of the node's weights."""
    if not _lone(node) or node.kwargs:
        return False
    if node.name == "linear":
        return axis == last
    if node.name == "conv2d":
        return axis == 1 and argument(node, 6, "groups", 1) == 1
    return node.name == "batch_norm" and axis == 1


def _kept(node: Node, first: int, spot: Spot, before: int, after: int) -> Read:
    """Of a mean over some axes."""
    given = node.args[1] if len(node.args) > 1 else None
    if not isinstance(given, int | list | tuple):
        return None
    gone = {axis % before for axis in ([given] if isinstance(given, int) else given)}
    if before == after:
        return None if spot.axis in gone else {first: spot}
    left = [axis for axis in range(before) if axis not in gone]
    return {first: spot._replace(axis=left[spot.axis])}


def _plain(node: Node) -> bool:
    """Whether an attention lets every token look at every other, and nothing is drawn by lot."""
    # One of them may be the same for all photos, or ask and answer.
    three = len(node.inputs) == 3 and all(isinstance(part, Ref) for part in node.args[:3])
    more = [*node.args[3:6], *(node.kwargs.get(name) for name in ("attn_mask", "is_causal"))]
    return three and not any(isinstance(part, Tensor) or part for part in more)
