"""Written: a network's operations for one photo, one by one, to be carried out with gradients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.question import Question
from pellucid.see.incremental.capture import capture
from pellucid.see.incremental.fold import folded
from pellucid.see.incremental.graph import Graph, Node, Refused, filled

Values = dict[int, Any]  # by number

CASTS = {"to", "_to_copy", "type_as", "float", "double", "half", "bfloat16"}


def written(asked: Question, row: int) -> Graph:
    """What the network computes from a photo to the values of all targets: (1, targets).

    Batch normalisation is folded away, and constants have digits enough to divide by little.

    Raises:
        PellucidError: it cannot be written down.
    """
    net, inputs = asked.net, asked.inputs[row : row + 1]
    try:
        with _in_parts():
            graph, _ = capture(asked.reader(row), inputs, net.module, lots=True)
    except Refused as why:
        raise PellucidError(
            f"the operations of {net.name} cannot be written down one by one ({why}): ask for "
            f"integrated, which needs gradients only"
        ) from why
    graph = folded(graph, heavy_too=True)
    return replace(graph, nodes=[_thawed(node) for node in graph.nodes])


def carried_out(node: Node, values: Values) -> Values:
    """The outputs of an operation by number."""
    args, kwargs = filled(node.args, values), filled(node.kwargs, values)
    if node.name in CASTS and isinstance(args[0], Tensor) and args[0].is_floating_point():
        return {node.outs[0]: args[0]}  # all is computed with as many digits as the photo has
    made = node.func(*args, **kwargs)
    outs = list(made) if isinstance(made, tuple | list) else [made]
    return dict(zip(node.outs, outs, strict=True))


def wide(tensor: Tensor) -> Tensor:
    """With digits enough to divide by little."""
    narrow = tensor.is_floating_point() and tensor.element_size() < 4
    return tensor.float() if narrow else tensor


def told(node: Node) -> str:
    """An operation, and where it stands."""
    return f"{node.name} at {node.where}" if node.where else node.name


def _thawed(node: Node) -> Node:
    """With constants that gradients may be taken beside: not those made in inference mode."""

    def one(part: Any) -> Any:
        if isinstance(part, Tensor):
            return wide(part.clone() if part.is_inference() else part.detach())
        if isinstance(part, list | tuple):
            return type(part)(one(item) for item in part)
        return part

    kwargs = {key: one(value) for key, value in node.kwargs.items()}
    return replace(node, args=one(node.args), kwargs=kwargs)


@contextmanager
def _in_parts() -> Iterator[None]:
    """Attention is computed by its operations, not in one piece."""
    was = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(was)
