"""Finders: the rule of each operation; None where it has to be carried out whole."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from torch import Tensor

from pellucid.see.incremental.graph import Node, Refused
from pellucid.see.incremental.rule import Case, Rule, parts, place, tensors
from pellucid.see.incremental.spans import Slide

RESHAPES = {"view", "reshape", "_unsafe_view", "flatten", "unflatten", "squeeze", "unsqueeze"}
SPLITS = {"chunk", "split", "split_with_sizes", "tensor_split", "narrow", "slice"}
Finder = Callable[[Case], Rule | None]


def pair(value: Any, usual: int = 1) -> tuple[int, int]:
    """Two numbers from one, two, or none."""
    numbers = list(value) if isinstance(value, list | tuple) else [value]
    numbers = numbers or [usual]
    return int(numbers[0]), int(numbers[-1])


def padding(case_padding: Any, kernel: tuple[int, int], dilation: tuple[int, int]) -> list[int]:
    """Places added above and on the left, of a convolution."""
    if case_padding == "same":
        return [d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True)]
    return [0, 0] if case_padding == "valid" else list(pair(case_padding))


def turned(node: Node, ndim: int) -> list[int]:
    """Where each axis was before a permutation or a transposition."""
    if node.name == "permute":
        return [axis % ndim for axis in node.args[1]]
    a, b = (axis % ndim for axis in node.args[1:3])
    order = list(range(ndim))
    order[a], order[b] = b, a
    return order


def each(case: Case) -> Rule | None:
    out = case.outs[0]
    for shape, axes in zip(case.shapes, case.places, strict=True):
        if len(shape) != len(out) or axes != case.axes:
            return None
        if any(shape[axis] != out[axis] for axis in axes):
            return None
    if case.node.name != "prelu":
        for value in tensors(case.node):
            for axis in case.axes:
                axis -= len(out) - value.ndim
                if axis >= 0 and value.shape[axis] != 1:
                    return None  # a constant that differs from place to place
    return case.each()


def _conv(case: Case) -> Rule | None:
    if case.axes != (2, 3) or not case.alone():
        return None
    kernel = case.node.args[1].shape[2:]
    stride = pair(case.argument(3, "stride", 1))
    dilation = pair(case.argument(5, "dilation", 1))
    pad = padding(case.argument(4, "padding", 0), tuple(kernel), dilation)
    return _slide(case, tuple(kernel), stride, pad, dilation)


def _slide(
    case: Case, kernel: Any, stride: Any, pad: Any, dilation: Any, value: float = 0.0
) -> Rule:
    rows, columns = (
        Slide(kernel[i], stride[i], pad[i], dilation[i], case.outs[0][2 + i]) for i in (0, 1)
    )
    return Rule("slide", (case.axes,), rows, columns, value)


def _pool(case: Case) -> Rule | None:
    if case.axes != (2, 3):
        return None
    kernel = pair(case.argument(1, "kernel_size"))
    stride = pair(case.argument(2, "stride") or kernel)
    pad = pair(case.argument(3, "padding", 0))
    if case.node.name == "avg_pool2d":
        return _slide(case, kernel, stride, pad, (1, 1))
    dilation = pair(case.argument(4, "dilation", 1))
    return _slide(case, kernel, stride, pad, dilation, float("-inf"))


def _adaptive(case: Case) -> Rule | None:
    size, out = case.size, pair(case.node.args[1])
    if case.axes != (2, 3) or any(s % o for s, o in zip(size, out, strict=True)):
        return None
    if out == (1, 1):
        return Rule("mean", (None,))
    kernel = (size[0] // out[0], size[1] // out[1])
    return _slide(case, kernel, kernel, (0, 0), (1, 1))


def _pad(case: Case) -> Rule | None:
    mode, value = "constant", case.argument(2, "value")
    if case.node.name == "pad":
        mode, value = case.argument(2, "mode", "constant"), case.argument(3, "value")
    around = list(case.node.args[1])
    last = len(case.shapes[0]) - 1
    added = {last - i // 2: around[i] for i in range(0, len(around), 2)}
    ends = {last - i // 2: around[i] for i in range(1, len(around), 2)}
    moved = {axis for axis in added if added[axis] or ends[axis]}
    if mode != "constant" or 0 in moved:
        return None
    if not moved & set(case.axes):
        return case.each()
    if moved - set(case.axes):
        return None
    rows, columns = (Slide(1, pad=added.get(a, 0), length=case.outs[0][a]) for a in case.axes)
    return Rule("slide", (case.axes,), rows, columns, float(value or 0))


def _pool_channels(case: Case) -> Rule | None:
    kernel, stride = case.argument(1, "kernel_size"), case.argument(2, "stride")
    pad = case.argument(3, "padding", 0)
    triples = [list(t) if isinstance(t, list | tuple) else [t] for t in (kernel, stride, pad)]
    flat = [tuple(t[-2:]) if len(t) > 2 else tuple(t * 2)[:2] for t in triples]
    still = flat[0] == (1, 1) and flat[1] == (1, 1) and flat[2] == (0, 0)
    return case.each() if still and case.axes == (3, 4) else None


def _reduce(case: Case) -> Rule | None:
    ndim = len(case.shapes[0])
    given = case.argument(1, "dim")
    if not isinstance(given, int | list | tuple):
        return None
    dims = {axis % ndim for axis in ([given] if isinstance(given, int) else given)}
    if 0 in dims:
        raise Refused(f"{place(case.node)} mixes the photos of a batch")
    if dims == set(case.axes) and case.node.name in ("mean", "sum"):
        return Rule("mean", (None,))
    if dims & set(case.axes):
        return None
    gone = 0 if case.argument(2, "keepdim", False) else 1
    moved = tuple(axis - gone * sum(dim < axis for dim in dims) for axis in case.axes)
    return Rule("each", ((moved[0], moved[1]),) * len(case.outs))


def _along(place: int, name: str = "dim", usual: int = -1) -> Finder:
    """The rule of an operation along one axis: each place by itself, unless it is one of places."""

    def find(case: Case) -> Rule | None:
        axis = int(case.argument(place, name, usual)) % len(case.shapes[0])
        if any(at != case.axes for at in case.places):
            return None
        if any(isinstance(part, Tensor) for part in parts(case.node.args[0])):
            return None
        return None if axis in (0, *case.axes) else case.each()

    return find


def _layer_norm(case: Case) -> Rule | None:
    first = len(case.shapes[0]) - len(case.node.args[1])
    return case.each() if max(case.axes) < first and case.alone() else None


def _batch_norm(case: Case) -> Rule | None:
    return case.each() if 1 not in case.axes and case.alone() else None


def _linear(case: Case) -> Rule | None:
    flat = case.node.name == "matmul" and getattr(case.node.args[1], "ndim", 0) != 2
    last = len(case.shapes[0]) - 1
    return None if flat or last in case.axes or not case.alone() else case.each()


def _permute(case: Case) -> Rule | None:
    order = turned(case.node, len(case.shapes[0]))
    if order[0] != 0:
        raise Refused(f"{place(case.node)} folds parts of a photo into the batch")
    found = order.index(case.axes[0]), order.index(case.axes[1])
    return case.each(found) if found[1] == found[0] + 1 else None


def _reshape(case: Case) -> Rule | None:
    """Places stay places where both axes stand together, behind as many numbers as before."""
    before, out = prod(case.shapes[0][: case.axes[0]]), case.outs[0]
    for axis in range(1, len(out) - 1):
        if prod(out[:axis]) == before and out[axis : axis + 2] == case.size:
            return case.each((axis, axis + 1))
    return None


def _split(case: Case) -> Rule | None:
    place = 1 if case.node.name in ("narrow", "slice") else 2
    axis = int(case.argument(place, "dim", 0)) % len(case.shapes[0])
    if all(out == case.shapes[0] for out in case.outs):
        endless = case.node.name == "slice" and int(case.argument(3, "end") or 2**62) >= 2**31
        return case.each() if axis or endless else None
    return None if axis in (0, *case.axes) else case.each()


def _select(case: Case) -> Rule | None:
    place = {"select": 1, "unbind": 1}[case.node.name]
    axis = int(case.argument(place, "dim", 0)) % len(case.shapes[0])
    if axis in (0, *case.axes):
        return None
    moved = [at - (axis < at) for at in case.axes]
    return Rule("each", ((moved[0], moved[1]),) * len(case.outs))


def _stack(case: Case) -> Rule | None:
    axis = int(case.argument(1, "dim", 0)) % len(case.outs[0])
    joined = all(at == case.axes for at in case.places) and not any(tensors(case.node))
    moved = [at + (axis <= at) for at in case.axes]
    return (
        None if not joined or not axis or axis == moved[1] - 1 else case.each((moved[0], moved[1]))
    )


def _shuffle(case: Case) -> Rule | None:
    return case.each() if case.axes == (2, 3) else None


FINDERS: dict[str, Finder] = {
    "conv2d": _conv,
    "max_pool2d": _pool,
    "avg_pool2d": _pool,
    "avg_pool3d": _pool_channels,
    "adaptive_avg_pool2d": _adaptive,
    "pad": _pad,
    "constant_pad_nd": _pad,
    **dict.fromkeys(("mean", "sum", "amax", "amin", "max", "min"), _reduce),
    **dict.fromkeys(("softmax", "_softmax", "log_softmax", "_log_softmax", "glu"), _along(1)),
    "cat": _along(1, usual=0),
    "layer_norm": _layer_norm,
    "batch_norm": _batch_norm,
    **dict.fromkeys(("linear", "matmul"), _linear),
    **dict.fromkeys(("permute", "transpose"), _permute),
    **dict.fromkeys(RESHAPES, _reshape),
    **dict.fromkeys(SPLITS, _split),
    **dict.fromkeys(("select", "unbind"), _select),
    "stack": _stack,
    **dict.fromkeys(("channel_shuffle", "native_channel_shuffle"), _shuffle),
}
