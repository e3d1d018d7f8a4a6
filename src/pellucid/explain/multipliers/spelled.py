"""spelled(): operations of several steps, written out in steps whose differences add up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from math import prod
from typing import Any

import torch
from torch import Tensor

from pellucid.explain.relevance.kinds import COMPARISONS
from pellucid.see.incremental.graph import Graph, Node, Ref, refs
from pellucid.see.incremental.kernels import argument

aten = torch.ops.aten


def spelled(graph: Graph) -> Graph:
    """A graph of the same values.

    A softmax is exp(x − log Σ exp x), and a norm divides what is left of the mean by the deviation:
    then nothing has several inputs but sums, products, quotients, and the logarithm of a sum.
    """
    write = _Writer(graph)
    for node in graph.nodes:
        spelling = SPELLINGS.get(node.name)
        if spelling is None or not spelling(write.at(node), node):
            write.nodes.append(node)
        elif write.nodes:
            write.nodes[-1] = replace(write.nodes[-1], outs=node.outs)
    return Graph(write.nodes, graph.shapes, graph.output)


class _Writer:
    """Writes operations down, one after the other."""

    def __init__(self, graph: Graph) -> None:
        self.shapes = graph.shapes
        self.nodes: list[Node] = []
        self.unused = count(graph.unused())
        self.where = ""

    def at(self, node: Node) -> _Writer:
        self.where = node.where
        return self

    def __call__(self, func: Any, *args: Any) -> Ref:
        number = next(self.unused)
        self.nodes.append(Node(func, args, {}, (number,), self.where))
        return Ref(number)


# Each writes an operation out, its result last; None where it leaves it as it is.
Spelling = Callable[[_Writer, Node], Ref | None]


def _softmax(write: _Writer, node: Node) -> Ref:
    return write(aten.exp.default, _log_softmax(write, node))


def _safe_softmax(write: _Writer, node: Node) -> Ref:
    return write(aten.nan_to_num.default, _softmax(write, node))


def _log_softmax(write: _Writer, node: Node) -> Ref:
    return _logarithms(write, node.args[0], node.args[1])


def _logarithms(write: _Writer, x: Any, axis: int) -> Ref:
    return write(aten.sub.Tensor, x, write(aten.logsumexp.default, x, [axis], True))


def _attention(write: _Writer, node: Node) -> Ref | None:
    query, key, value = node.args[:3]
    mask = argument(node, 3, "attn_mask")
    whole = isinstance(mask, Tensor) and mask.dtype == torch.bool
    if argument(node, 5, "is_causal", False) or node.kwargs.get("enable_gqa", False):
        return None
    if isinstance(mask, Ref):
        return None
    width = write.shapes[query.number][-1] if isinstance(query, Ref) else query.shape[-1]
    scale = node.kwargs.get("scale") or width**-0.5
    across = write(aten.transpose.int, key, -2, -1)
    fit = write(aten.mul.Tensor, write(aten.matmul.default, query, across), scale)
    if whole:
        fit = write(aten.masked_fill.Scalar, fit, ~mask, -torch.inf)
    elif mask is not None:
        fit = write(aten.add.Tensor, fit, mask)
    shares = write(aten.exp.default, _logarithms(write, fit, -1))
    if whole:  # of a row with nothing in it
        shares = write(aten.nan_to_num.default, shares)
    return write(aten.matmul.default, shares, value)


def _layer_norm(write: _Writer, node: Node) -> Ref:
    axes = list(range(-len(node.args[1]), 0))
    normed = _normed(write, node.args[0], axes, argument(node, 4, "eps", 1e-5))
    return _scaled(write, normed, argument(node, 2, "weight"), argument(node, 3, "bias"))


def _rms_norm(write: _Writer, node: Node) -> Ref:
    x, axes = node.args[0], list(range(-len(node.args[1]), 0))
    eps = argument(node, 3, "eps")
    eps = torch.finfo(torch.float32).eps if eps is None else eps
    return _scaled(write, _over_size(write, x, axes, eps), argument(node, 2, "weight"), None)


def _group_norm(write: _Writer, node: Node) -> Ref | None:
    eps = argument(node, 4, "eps", 1e-5)
    return _in_groups(write, node, node.args[1], eps, node.args[2:4])


def _instance_norm(write: _Writer, node: Node) -> Ref | None:
    x, weight, bias, _, _, own, _, eps, _ = node.args
    return _in_groups(write, node, write.shapes[x.number][1], eps, (weight, bias)) if own else None


def _batch_norm(write: _Writer, node: Node) -> Ref | None:
    x, weight, bias, mean, _, own, _, eps, _ = node.args
    if not own and mean is not None:
        return None  # at rest it is linear
    shape = write.shapes[x.number]
    normed = _normed(write, x, [axis for axis in range(len(shape)) if axis != 1], eps)
    return _scaled(write, normed, *(_placed(part, shape) for part in (weight, bias)))


def _in_groups(write: _Writer, node: Node, groups: int, eps: float, line: Any) -> Ref | None:
    x = node.args[0]
    if not isinstance(x, Ref) or any(refs(line)):
        return None
    shape = write.shapes[x.number]
    parts = write(aten.reshape.default, x, [shape[0], groups, prod(shape[1:]) // groups])
    normed = write(aten.reshape.default, _normed(write, parts, [2], eps), list(shape))
    both = [*line, None, None][:2]
    return _scaled(write, normed, *(_placed(part, shape) for part in both))


def _placed(part: Tensor | None, shape: tuple[int, ...]) -> Tensor | None:
    """Numbers of channels, for all their places."""
    return None if part is None else part.view(1, -1, *[1] * (len(shape) - 2))


def _normed(write: _Writer, x: Any, axes: list[int], eps: float) -> Ref:
    even = write(aten.sub.Tensor, x, write(aten.mean.dim, x, axes, True))
    return _over_size(write, even, axes, eps)


def _over_size(write: _Writer, x: Any, axes: list[int], eps: float) -> Ref:
    spread = write(aten.mean.dim, write(aten.mul.Tensor, x, x), axes, True)
    return write(aten.div.Tensor, x, write(aten.sqrt.default, write(aten.add.Scalar, spread, eps)))


def _scaled(write: _Writer, x: Ref, weight: Any, bias: Any) -> Ref:
    x = x if weight is None else write(aten.mul.Tensor, x, weight)
    return x if bias is None else write(aten.add.Tensor, x, bias)


def _length(write: _Writer, node: Node) -> Ref | None:
    x, power, axes = node.args[0], argument(node, 1, "ord", 2), argument(node, 2, "dim")
    if power != 2 or axes is None:
        return None
    squares = write(aten.mul.Tensor, x, x)
    keep = argument(node, 3, "keepdim", False)
    return write(aten.sqrt.default, write(aten.sum.dim_IntList, squares, axes, keep))


def _greater(write: _Writer, node: Node) -> Ref | None:
    return _two(write, node, aten.add.Tensor, lambda one, other: (other, (one, other)))


def _smaller(write: _Writer, node: Node) -> Ref | None:
    return _two(write, node, aten.sub.Tensor, lambda one, other: (one, (one, other)))


def _two(
    write: _Writer, node: Node, join: Any, order: Callable[[Any, Any], tuple[Any, tuple[Any, Any]]]
) -> Ref | None:
    """The greater of two is the one and what the other is above it."""
    if len(node.inputs) < 2:
        return None
    base, pair = order(*node.args[:2])
    return write(join, base, write(aten.relu.default, write(aten.sub.Tensor, *pair)))


def _compared(write: _Writer, node: Node) -> Ref | None:
    if len(node.inputs) < 2:
        return None
    return write(getattr(aten, node.name).Scalar, write(aten.sub.Tensor, *node.args[:2]), 0)


def _masked(write: _Writer, node: Node) -> Ref | None:
    x, mask, value = node.args
    if not isinstance(mask, Ref) or isinstance(value, Tensor | Ref):
        return None
    return write(aten.where.ScalarSelf, mask, value, x)


SPELLINGS: dict[str, Spelling] = {
    "softmax": _softmax,
    "_softmax": _softmax,
    "_safe_softmax": _safe_softmax,
    "log_softmax": _log_softmax,
    "_log_softmax": _log_softmax,
    "scaled_dot_product_attention": _attention,
    "layer_norm": _layer_norm,
    "rms_norm": _rms_norm,
    "group_norm": _group_norm,
    "instance_norm": _instance_norm,
    "batch_norm": _batch_norm,
    "linalg_vector_norm": _length,
    "maximum": _greater,
    "minimum": _smaller,
    "max": _greater,
    "min": _smaller,
    "fmax": _greater,
    "fmin": _smaller,
    "masked_fill": _masked,
    **dict.fromkeys(COMPARISONS - {"logical_not", "logical_and", "logical_or"}, _compared),
}
