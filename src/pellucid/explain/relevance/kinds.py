"""Kinds: what each operation of a network does with the relevance of its output."""

from __future__ import annotations

from math import prod
from typing import Literal

import torch
from torch import Tensor

from pellucid.explain.written import CASTS
from pellucid.see.incremental.finders import RESHAPES, SPLITS
from pellucid.see.incremental.graph import Graph, Node, Ref, refs
from pellucid.see.incremental.rules import SAME

# pass:  one input has it as it is, number by number.
# move:  it goes where the numbers came from.
# share: to the inputs, by what each of their numbers adds; of two factors to each a half of that,
#        and where one only says how much of the other is let in, all to the other.
# rule:  a layer with weights.
Kind = Literal["pass", "move", "share", "rule"]

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
    "logsumexp",
}  # fmt: skip
LAYERS = {
    "conv1d", "conv2d", "conv3d", "linear", "conv_transpose1d", "conv_transpose2d",
    "conv_transpose3d", "convolution",
}  # fmt: skip
SUMS = {"add", "sub", "rsub", "subtract"}
PRODUCTS = {"mul", "multiply"}
QUOTIENTS = {"div", "divide", "true_divide"}
# Linear in each of several factors; behind the colon the first factor among the arguments.
FACTORS = {
    "mul": 0, "multiply": 0, "matmul": 0, "bmm": 0, "mm": 0, "mv": 0, "dot": 0, "einsum": 0,
    "bilinear": 0, "addmm": 1, "addmv": 1, "addbmm": 1, "baddbmm": 1, "addcmul": 1,
}  # fmt: skip
DEGREES = {"var": 2}  # what doubles its inputs grows by so many doublings
ATTENTION = "scaled_dot_product_attention"
SOFTMAX = {"softmax", "_softmax", "_safe_softmax", "log_softmax", "_log_softmax"}
COMPARISONS = {"gt", "ge", "lt", "le", "eq", "ne", "logical_not", "logical_and", "logical_or"}
GATES = SOFTMAX | COMPARISONS | {"sigmoid", "hardsigmoid"}
# Gates too, unless the other factor is one: of GELU, and of what a GRU writes.
SOFTER = {"tanh", "erf"}
CUT_OFF = {"relu6", "hardtanh", "clamp", "clamp_min", "clamp_max"}  # of x + 3 in a hard swish
THROUGH = MOVES | CASTS | {"dropout", "contiguous", "clone", "nan_to_num", "masked_fill"}


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

    def of(self, node: Node) -> tuple[Kind, dict[int, float]]:
        """The kind, and the inputs that have relevance: how much of what they add counts."""
        inputs = node.inputs
        every = dict.fromkeys(inputs, 1.0)
        if self.raw.issuperset((*inputs, *node.outs)) and node.name not in MOVES:
            return "pass", every
        if node.name in LAYERS:
            return "rule" if _weighted(node) else "share", _number(node.args[0])
        if node.name in MOVES:
            return "move", every
        if node.name == ATTENTION:
            return "share", _number(node.args[2])
        if node.name in QUOTIENTS:
            return "share", _number(node.args[0])
        if node.name in NORMS | SAME | SOFTMAX:
            return "pass", _number(node.args[0])
        alone = len(inputs) == 1 and torch.Tag.pointwise in node.func.tags
        if alone and node.name not in SUMS and self._alike(node):
            return "pass", every
        if node.name in FACTORS:
            return "share", self._product(node)
        return "share", dict.fromkeys(inputs, 1 / DEGREES.get(node.name, 1))

    def _product(self, node: Node) -> dict[int, float]:
        """To what is let in; where no factor says how much, to all of them alike."""
        first = FACTORS[node.name]
        found = [ref.number for ref in refs(node.args[first:])]
        summand = {ref.number: 1.0 for ref in refs(node.args[:first])}
        if len(set(found)) == 2:
            for least in (2, 1):
                gates = [number for number in found if self._gate(number) >= least]
                if len(gates) == 1:
                    return {number: 1.0 for number in found if number not in gates} | summand
            # One number for a whole channel says how much of it is let in.
            small, large = sorted(found, key=lambda number: prod(self.graph.shapes[number]))
            sizes = [prod(self.graph.shapes[number]) for number in (small, large)]
            if sizes[0] < sizes[1] and node.name in PRODUCTS:
                return {large: 1.0} | summand
        return dict.fromkeys(found, 1 / max(1, len(found))) | summand

    def _gate(self, number: int) -> int:
        """How surely a value says what is let in: 2 shares and yes or no, 1 softer ones, else 0."""
        node = self.made.get(number)
        if node is None:
            return 0
        if node.name in GATES:
            return 2
        if node.name in SOFTER:
            return 1
        before = node.inputs
        if node.name in CUT_OFF:
            moved = self.made.get(before[0])
            shifted = moved is not None and moved.name in SUMS and len(moved.inputs) == 1
            return 1 if shifted else self._gate(before[0])
        if node.name in QUOTIENTS:  # shares are made to add up to one again
            return self._gate(node.args[0].number) if isinstance(node.args[0], Ref) else 0
        mixed = node.name in LAYERS and _weighted(node)  # heads that talk to each other
        if node.name in THROUGH or mixed:
            return self._gate(before[0]) if len(before) == 1 else 0
        if node.name in SUMS | PRODUCTS:
            return min(self._gate(one) for one in before)
        return 0

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


def _number(part: object) -> dict[int, float]:
    return {part.number: 1.0} if isinstance(part, Ref) else {}
