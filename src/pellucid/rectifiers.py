"""Rectifiers: which operations of a computed graph are flat or bent at zero."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from torch import Tensor
from torch.autograd.function import BackwardCFunction

from pellucid.errors import PellucidError

Kind = Literal["hard", "soft", "hidden"]

# What torch calls the backward passes of its rectifiers. Hard ones are flat below zero.
HARD = {"Relu", "Threshold"}
HARD_ABOVE_ZERO = {"Hardtanh": "_saved_min_val", "Clamp": "_saved_min", "ClampMin": "_saved_min"}
SOFT = {
    "LeakyRelu", "PreluKernel", "RreluWithNoise", "Elu", "Celu", "Gelu", "Silu", "Hardswish",
    "Mish", "Softplus",
}  # fmt: skip
# Somebody's own rectifiers, by their names.
OWN_SOFT = re.compile(r"leaky|prelu|rrelu|(?<!r)elu|silu|swish|mish|softplus", re.IGNORECASE)
OWN_HARD = re.compile(r"relu|rectif", re.IGNORECASE)
COMPILED = re.compile(r"DifferentiableGraph|CompiledFunction")


def rectifiers(start: Any) -> dict[Any, Kind]:
    """Every rectifier that gradients pass from a node of the graph down to its leaves."""
    found = ((node, _kind(node)) for node in passed(start))
    return {node: kind for node, kind in found if kind}


def passed(start: Any) -> Iterator[Any]:
    """Every node of a graph that gradients pass from one down to its leaves."""
    seen, ahead = {start}, [start]
    while ahead:
        node = ahead.pop()
        if node is None:
            continue
        yield node
        for below, _ in node.next_functions:
            if below not in seen:
                seen.add(below)
                ahead.append(below)


def _kind(node: Any) -> Kind | None:
    name = node.name().rpartition("::")[2]
    if COMPILED.search(name):
        raise PellucidError(
            "part of the network is compiled, and the rectifiers inside cannot be reached: give "
            "the module as it was before torch.compile or torch.jit"
        )
    if isinstance(node, BackwardCFunction):
        if OWN_SOFT.search(name):
            return "soft"
        return "hard" if OWN_HARD.search(name) else None
    if name == "CopySlices":
        # An operation in place on a part of a tensor; one that copies has a second way in.
        return "hidden" if len(node.next_functions) == 1 else None
    name = name.partition("Backward")[0]
    if name in HARD:
        return "hard"
    if name in HARD_ABOVE_ZERO:
        return "hard" if _is_zero(getattr(node, HARD_ABOVE_ZERO[name])) else None
    if name == "Maximum":
        return "hard" if _is_zero(_constant(node)) else None
    return "soft" if name in SOFT else None


def _constant(node: Any) -> Tensor | None:
    """Of the greater of two tensors the one that is not computed."""
    ways = [below is not None for below, _ in node.next_functions]
    if ways == [True, False]:
        return node._saved_other  # type: ignore[no-any-return]
    return node._saved_self if ways == [False, True] else None


def _is_zero(bound: Tensor | float | None) -> bool:
    if isinstance(bound, Tensor):
        return not bool(bound.any())
    return bound == 0
