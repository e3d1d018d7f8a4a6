"""folded(): batch normalisation at rest, worked into the convolution or dense layer before it."""

from __future__ import annotations

import torch
from torch import Tensor

from pellucid.see.incremental.finders import RESHAPES, SPLITS
from pellucid.see.incremental.graph import Graph, Node
from pellucid.see.incremental.kernels import heavy

LAYERS = {"conv1d", "conv2d", "conv3d", "linear"}
VIEWS = RESHAPES | SPLITS | {"permute", "transpose", "select", "unbind", "expand", "contiguous"}


def folded(graph: Graph, heavy_too: bool = False) -> Graph:
    """A graph of the same values with fewer operations.

    Args:
        heavy_too: whether layers are folded that have many weights for what they put out: they
            have weights of their own then, which takes more memory than time is saved.
    """
    norms = foldable(graph, heavy_too)
    gone = {id(norm) for norm in norms.values()}
    nodes = [
        _merged(node, norms[node.outs[0]]) if node.outs[0] in norms else node
        for node in graph.nodes
        if id(node) not in gone
    ]
    return Graph(nodes, graph.shapes, graph.output)


def foldable(graph: Graph, heavy_too: bool = False) -> dict[int, Node]:
    """The normalisations that can be folded, by the value of the layer before them."""
    readers: dict[int, list[Node]] = {}
    for node in graph.nodes:
        for number in node.inputs:
            readers.setdefault(number, []).append(node)
    found = {}
    for node in graph.nodes:
        after = readers.get(node.outs[0], [])
        if (
            node.name in (LAYERS if heavy_too else {"conv2d"})
            and len(after) == 1
            and after[0].name == "batch_norm"
            and isinstance(after[0].args[3], Tensor)
            and not after[0].args[5]  # else it is not at rest
            and node.outs[0] != graph.output
            and isinstance(node.args[1], Tensor)
            # Behind a linear layer of many places the norm's channels may be the places.
            and len(graph.shapes[node.outs[0]]) == node.args[1].ndim
            and (heavy_too or not heavy(node, graph))
        ):
            found[node.outs[0]] = after[0]
    return found


def _merged(layer: Node, norm: Node) -> Node:
    weight: Tensor = layer.args[1]
    bias = layer.args[2] if len(layer.args) > 2 else layer.kwargs.get("bias")
    _, scale, shift, mean, variance, _, _, small, _ = norm.args
    # Few numbers, in double precision: they are rounded once, with the weights.
    factor = (variance.double() + small).rsqrt()
    factor = factor if scale is None else factor * scale.double()
    offset = -mean.double() if bias is None else bias.double() - mean.double()
    offset = offset * factor if shift is None else offset * factor + shift.double()
    wide = torch.promote_types(weight.dtype, torch.float32)
    each = (-1, *[1] * (weight.ndim - 1))
    scaled = (weight.to(wide) * factor.to(wide).view(each)).to(weight.dtype)
    if weight.ndim == 4:
        scaled = scaled.contiguous(memory_format=torch.channels_last)
    return Node(
        layer.func,
        (layer.args[0], scaled, offset.to(weight.dtype), *layer.args[3:]),
        {key: value for key, value in layer.kwargs.items() if key != "bias"},
        norm.outs,
        layer.where,
    )


def last_uses(graph: Graph) -> dict[int, int]:
    """After which operation nothing reads a value any more, nor another that lies in its memory."""
    roots = {0: 0}
    for node in graph.nodes:
        for number in node.outs:
            # A reshaping may have copied there and look into the same memory here.
            inside = node.views or node.name in VIEWS
            roots[number] = roots[node.inputs[0]] if inside else number
    ends: dict[int, int] = {}
    for place, node in enumerate(graph.nodes):
        for number in node.inputs:
            ends[roots[number]] = place
    ends[roots[graph.output]] = len(graph.nodes)
    return {number: ends.get(root, -1) for number, root in roots.items()}
