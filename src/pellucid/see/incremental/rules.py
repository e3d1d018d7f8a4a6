"""rule(): how an operation of a network passes rectangles on."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import torch
from torch import Tensor

from pellucid.see.incremental.finders import FINDERS, RESHAPES, each
from pellucid.see.incremental.graph import IMAGES, Graph, Node, Refused
from pellucid.see.incremental.rule import Axes, Case, Rule, place

SAME = {
    "clone", "contiguous", "detach", "alias", "to", "_to_copy", "dropout", "feature_dropout",
    "relu6", "hardtanh", "selu", "celu", "elu", "mish", "silu", "gelu", "hardswish", "hardsigmoid",
    "softplus", "leaky_relu", "threshold", "rrelu", "log_sigmoid", "logit", "square", "prelu",
    "type_as", "float", "double", "half", "clip",
}  # fmt: skip
_ATTENTION = {"scaled_dot_product_attention", "_native_multi_head_attention", "bmm", "baddbmm"}
_OVER_PLACES = {"group_norm", "instance_norm", "layer_norm"}


def rule(node: Node, graph: Graph, axes: dict[int, Axes]) -> Rule:
    """The rule of an operation, from the axes of its inputs.

    Raises:
        Refused: it mixes the photos of a batch.
    """
    shapes = [graph.shapes[number] for number in node.inputs]
    outs = [graph.shapes[number] for number in node.outs if number in graph.shapes]
    if any(not shape or shape[0] != IMAGES for shape in [*shapes, *outs]):
        folds = all(shape and shape[0] % IMAGES == 0 for shape in [*shapes, *outs])
        what = "folds parts of a photo into the batch" if folds else "mixes the photos of a batch"
        raise Refused(f"{place(node)} {what}")
    if node.name == "batch_norm" and (node.args[5] or not isinstance(node.args[3], Tensor)):
        raise Refused(f"{place(node)} normalises over the batch")
    whole = Rule(
        "whole", (None,) * len(node.outs), why=_reason(node, [axes[n] for n in node.inputs])
    )
    if not all(axes[number] for number in node.inputs):
        return whole
    places = [axes[number] or (0, 0) for number in node.inputs]
    finder = FINDERS.get(node.name)
    if finder is None and (node.name in SAME or torch.Tag.pointwise in node.func.tags):
        finder = each
    found = finder(Case(node, shapes, outs, places)) if finder else None
    if found is None:
        return whole
    # A map of one place says something about the whole photo.
    kept = tuple(
        at if at and prod(shape[axis] for axis in at) > 1 else None
        for at, shape in zip(found.axes, outs, strict=True)
    )
    return replace(found, axes=kept) if any(kept) or found.kind == "mean" else whole


def _reason(node: Node, places: list[Axes]) -> str:
    if node.name in _ATTENTION:
        return f"attention at {place(node)}"
    if node.name in _OVER_PLACES and any(places):
        return f"normalisation over the photo at {place(node)}"
    if any(places) and not all(places) and torch.Tag.pointwise in node.func.tags:
        return f"squeeze-and-excitation at {place(node)}"
    # What stands outside of the network reads the answer off.
    told = any(places) and node.where and node.name not in RESHAPES
    return f"{node.name} at {node.where}" if told else ""
