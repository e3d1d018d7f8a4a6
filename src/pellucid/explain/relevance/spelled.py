"""spelled(): operations that are several in one, written out, for each has a way of its own."""

from __future__ import annotations

from itertools import count

import torch

from pellucid.see.incremental.graph import Graph, Node, Ref
from pellucid.see.incremental.kernels import argument

aten = torch.ops.aten


def spelled(graph: Graph) -> Graph:
    """A graph of the same values, in which a gated linear unit is its half and the half's gate."""
    shapes, nodes = dict(graph.shapes), []
    unused = count(graph.unused())
    for node in graph.nodes:
        if node.name != "glu":
            nodes.append(node)
            continue
        half, gate, share = (next(unused) for _ in range(3))
        shapes |= dict.fromkeys((half, gate, share), shapes[node.outs[0]])
        chunks = (node.args[0], 2, argument(node, 1, "dim", -1))
        nodes += [
            Node(aten.chunk.default, chunks, {}, (half, gate), node.where),
            Node(aten.sigmoid.default, (Ref(gate),), {}, (share,), node.where),
            Node(aten.mul.Tensor, (Ref(half), Ref(share)), {}, node.outs, node.where),
        ]
    return Graph(nodes, shapes, graph.output)
