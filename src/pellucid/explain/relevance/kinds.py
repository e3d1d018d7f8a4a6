"""Kinds: what each operation of a network does with the relevance of its output."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from pellucid.see.incremental.finders import RESHAPES, SPLITS
from pellucid.see.incremental.graph import Graph, Node, Ref, refs
from pellucid.see.incremental.rules import SAME

# pass:  one input has it as it is, number by number.
# move:  it goes where the numbers came from.
# share: to all inputs, by what each adds.
# halve: to two factors alike, each by what its numbers add.
# value: to one input of two, by what each of its numbers adds: the other says how much is let in.
# rule:  a layer with weights.
# end:   to none: weights of attention are taken as given.
Kind = Literal["pass", "move", "share", "halve", "value", "rule", "end"]

CASTS = {"to", "_to_copy", "type_as", "float", "double", "half", "bfloat16"}
NORMS = {
    "batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm", "native_layer_norm",
    "native_group_norm", "local_response_norm",
}  # fmt: skip
MOVES = RESHAPES | SPLITS | {
    "permute", "transpose", "t", "numpy_T", "movedim", "swapaxes", "select", "unbind", "expand",
    "expand_as", "repeat", "tile", "cat", "concat", "stack", "roll", "flip", "rot90", "pad",
    "constant_pad_nd", "reflection_pad2d", "replication_pad2d", "pixel_shuffle",
    "pixel_unshuffle", "channel_shuffle", "native_channel_shuffle", "index", "index_select",
    "gather", "take", "unfold", "im2col", "upsample_nearest2d", "max_pool1d", "max_pool2d",
    "max_pool2d_with_indices", "adaptive_max_pool2d", "amax", "amin", "max", "min", "topk", "sort",
}  # fmt: skip
LAYERS = {
    "conv1d", "conv2d", "conv3d", "linear", "conv_transpose1d", "conv_transpose2d",
    "conv_transpose3d", "convolution",
}  # fmt: skip
SUMS = {"add", "sub", "rsub", "subtract"}
PRODUCTS = {"mul", "multiply"}
QUOTIENTS = {"div", "divide", "true_divide"}
MATRICES = {"matmul", "bmm", "mm", "einsum"}
ATTENTION = "scaled_dot_product_attention"
SOFTMAX = {"softmax", "_softmax", "_safe_softmax"}
GATES = SOFTMAX | {"sigmoid", "hardsigmoid"}


class Kinds:
    """The kinds of a graph's operations.

    Attributes:
        raw: values that are the photo still, moved, or made darker or lighter as a whole.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.made = {number: node for node in graph.nodes for number in node.outs}
        self.raw = {0}
        for node in graph.nodes:
            if self.raw.issuperset(node.inputs) and self._keeps(node):
                self.raw.update(node.outs)

    def of(self, node: Node) -> tuple[Kind, tuple[int, ...]]:
        """The kind, and the inputs that have the relevance."""
        inputs = node.inputs
        if self.raw.issuperset((*inputs, *node.outs)) and node.name not in MOVES:
            return "pass", inputs
        if node.name in LAYERS and _weighted(node):
            return "rule", inputs[:1]
        if node.name in MOVES:
            return "move", inputs
        if node.name in SOFTMAX:
            return "end", ()
        if node.name == ATTENTION:
            return "value", _number(node.args[2])
        if len(inputs) == 2 and node.name in PRODUCTS | MATRICES:
            return self._product(node)
        if node.name in QUOTIENTS:
            return "value", _number(node.args[0])
        if node.name in NORMS | SAME:
            return "pass", _number(node.args[0])
        alone = len(inputs) == 1 and torch.Tag.pointwise in node.func.tags
        if alone and node.name not in SUMS and self._alike(node):
            return "pass", inputs
        return "share", inputs

    def _product(self, node: Node) -> tuple[Kind, tuple[int, ...]]:
        """To what is let in; where neither factor says how much, to both."""
        first, second = node.inputs
        gates = [self._gate(first), self._gate(second)]
        if gates[0] == gates[1] and node.name in PRODUCTS:
            # One number for a whole channel says how much of it is let in.
            size = [_numbers(self.graph.shapes[number]) for number in (first, second)]
            gates = [size[0] < size[1], size[1] < size[0]]
        if gates[0] == gates[1]:
            return "halve", (first, second)
        return "value", (second if gates[0] else first,)

    def _gate(self, number: int) -> bool:
        """Whether a value is made by what gives shares: a softmax or a sigmoid."""
        node = self.made.get(number)
        while node is not None and node.name not in GATES:
            moved = node.name in MOVES | CASTS | {"dropout", "contiguous", "clone"}
            scaled = node.name in PRODUCTS | QUOTIENTS
            if len(node.inputs) != 1 or not (moved or scaled):
                return False
            node = self.made.get(node.inputs[0])
        return node is not None

    def _keeps(self, node: Node) -> bool:
        if node.name in MOVES | CASTS | {"contiguous", "clone", "detach", "alias"}:
            return True
        scaled = node.name in SUMS | PRODUCTS | QUOTIENTS and isinstance(node.args[0], Ref)
        return scaled and len(node.inputs) == 1 and self._alike(node)

    def _alike(self, node: Node) -> bool:
        shapes = self.graph.shapes
        return shapes[node.inputs[0]] == shapes[node.outs[0]]


def _weighted(node: Node) -> bool:
    """Whether the weights are weights, not something that depends on the photo."""
    first, weight = node.args[:2]
    return (
        isinstance(first, Ref)
        and isinstance(weight, Tensor)
        and not any(refs((node.args[1:], node.kwargs)))
    )


def _number(part: object) -> tuple[int, ...]:
    return (part.number,) if isinstance(part, Ref) else ()


def _numbers(shape: tuple[int, ...]) -> int:
    found = 1
    for length in shape:
        found *= length
    return found
