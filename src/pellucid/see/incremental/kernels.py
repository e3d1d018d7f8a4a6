"""Kernels: operations carried out on whole maps or on rectangles."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.see.incremental.finders import RESHAPES
from pellucid.see.incremental.graph import IMAGES, Graph, Node, Ref, Refused, Shape, filled
from pellucid.see.incremental.rule import Axes, Rule
from pellucid.see.incremental.spans import Rectangles

_OVERWRITE = {
    "relu", "relu6", "hardtanh", "hardswish", "hardsigmoid", "silu", "sigmoid", "tanh", "elu",
    "leaky_relu", "gelu", "add", "sub", "mul", "div", "clamp", "clamp_min", "clamp_max", "mish",
}  # fmt: skip
# How many multiplications a processor does while it fetches one number.
FETCH = 40
HEAVY = 16  # times as many weights as numbers come out


class Kernel:
    """One operation, ready to be carried out.

    Attributes:
        node, rule: what it is.
        inputs, outs: numbers of values.
        cost: multiplications and additions for one photo, and what fetching costs.
    """

    def __init__(self, node: Node, rule: Rule, graph: Graph) -> None:
        self.node = node
        self.rule = rule
        self.inputs = node.inputs
        self.outs = node.outs
        self.shapes = [graph.shapes.get(number, ()) for number in node.outs]
        self.work = work(node, graph)
        self.cost = self.work + FETCH * 2 * prod(self.shapes[0][1:])
        self.in_place = _in_place(node, graph)
        # A kernel of one pixel lies right for either order of the numbers.
        self.turns = heavy(node, graph) and node.args[1].shape[2:] != (1, 1)
        self.counts: tuple[list[int], list[int]] = ([], [])
        if rule.kind == "slide" and "avg_pool2d" in node.name:
            height, width = graph.shapes[node.inputs[0]][2:]
            self.counts = _counts(node, rule, (height, width))

    def whole(self, values: dict[int, Any], count: int, reuse: bool = False) -> Any:
        """The outputs from whole inputs."""
        return self._call(values, self.shapes, count, reuse)

    def each(
        self, values: dict[int, Any], count: int, size: tuple[int, int], reuse: bool = False
    ) -> Any:
        """The outputs in rectangles of a size, from rectangles of that size."""
        shapes = [
            _resized(shape, at, size) for shape, at in zip(self.shapes, self.rule.axes, strict=True)
        ]
        return self._call(values, shapes, count, reuse)

    def slide(self, window: Tensor, out: Rectangles) -> Tensor:
        """The output in rectangles, from what they read."""
        node, rows, columns = self.node, self.rule.rows, self.rule.columns
        args = node.args
        if node.name == "conv2d":
            bias = args[2] if len(args) > 2 else node.kwargs.get("bias")
            groups = args[6] if len(args) > 6 else node.kwargs.get("groups", 1)
            return F.conv2d(
                window,
                args[1],
                bias,
                (rows.stride, columns.stride),
                0,
                (rows.dilation, columns.dilation),
                groups,
            )
        kernel, stride = (rows.kernel, columns.kernel), (rows.stride, columns.stride)
        if node.name == "max_pool2d":
            return F.max_pool2d(window, kernel, stride, 0, (rows.dilation, columns.dilation))
        if node.name in ("avg_pool2d", "adaptive_avg_pool2d"):
            return self._averaged(window, kernel, stride, out)
        return window  # padding: the window has it already

    def _averaged(self, window: Tensor, kernel: Any, stride: Any, out: Rectangles) -> Tensor:
        override = argument(self.node, 6, "divisor_override")
        tall, wide = self.counts
        if override or ({*tall}, {*wide}) == ({kernel[0]}, {kernel[1]}):
            return F.avg_pool2d(window, kernel, stride, 0, divisor_override=override)
        total = F.avg_pool2d(window, kernel, stride, 0, divisor_override=1)
        rows = np.array(tall)[out.top[:, None] + np.arange(out.height)]
        columns = np.array(wide)[out.left[:, None] + np.arange(out.width)]
        places = torch.from_numpy(rows[:, None, :, None] * columns[:, None, None, :])
        return total.div_(places.to(total))

    def _call(self, values: dict[int, Any], shapes: list[Shape], count: int, reuse: bool) -> Any:
        node = self.node
        if node.name in RESHAPES or node.name == "expand":
            value = filled(node.args[0], values)
            shape = (count, *shapes[0][1:])
            return value.expand(shape) if node.name == "expand" else value.reshape(shape)
        args, kwargs = filled(node.args, values), filled(node.kwargs, values)
        if node.name in ("cat", "stack"):
            parts = [
                part.expand(count, *part.shape[1:]) if part.shape[0] == 1 else part
                for part in args[0]
            ]
            return node.func(parts, *args[1:], **kwargs)
        if self.turns:
            # As the weights lie: to turn them each time costs more than to turn what is small.
            made = node.func(args[0].contiguous(), *args[1:], **kwargs)
            return made.contiguous(memory_format=torch.channels_last)
        if reuse and self.in_place is not None:
            return self.in_place(*args, **kwargs)
        return node.func(*args, **kwargs)


def heavy(node: Node, graph: Graph) -> bool:
    """Whether an operation is a convolution of a small map with many weights."""
    weight = node.args[1] if node.name == "conv2d" else None
    return (
        isinstance(weight, Tensor)
        and weight.is_contiguous()
        and weight.numel() > HEAVY * prod(graph.shapes[node.outs[0]][1:])
    )


def settled(node: Node, graph: Graph) -> Node:
    """With constants that were made for the batch cut down to one photo, to fit any batch."""

    def one(part: Any) -> Any:
        if isinstance(part, Tensor) and part.ndim == ndim and part.shape[0] == IMAGES:
            if not bool((part[:1] == part).all()):
                raise Refused(f"{node.where or node.name} treats the photos of a batch differently")
            return part[:1]
        if isinstance(part, list | tuple):
            return type(part)(one(item) for item in part)
        return part

    if node.name not in ("cat", "stack") and torch.Tag.pointwise not in node.func.tags:
        return node
    ndim = len(graph.shapes[node.outs[0]]) - (node.name == "stack")
    return replace(node, args=one(node.args))


def argument(node: Node, place: int, name: str, usual: Any = None) -> Any:
    """An argument of an operation, given by place or by name."""
    return node.args[place] if place < len(node.args) else node.kwargs.get(name, usual)


def _counts(node: Node, rule: Rule, size: tuple[int, int]) -> tuple[list[int], list[int]]:
    """Along each axis, over how many places an average is taken, for each output."""
    rim = node.name == "avg_pool2d" and argument(node, 5, "count_include_pad", True)
    found = []
    for slide, length in zip((rule.rows, rule.columns), size, strict=True):
        pad = slide.pad if rim else 0
        starts = [number * slide.stride - slide.pad for number in range(slide.length)]
        # A window past the padding, as ceil_mode makes them, is cut off there.
        found.append([min(s + slide.kernel, length + pad) - max(s, -pad) for s in starts])
    return found[0], found[1]


def _resized(shape: Shape, axes: Axes, size: tuple[int, int]) -> Shape:
    if axes is None or not shape:
        return shape
    return (*shape[: axes[0]], *size, *shape[axes[1] + 1 :])


def work(node: Node, graph: Graph) -> int:
    """Multiplications and additions of one photo."""
    out = prod(graph.shapes[node.outs[0]][1:])
    if node.name == "conv2d" and isinstance(node.args[1], Tensor):
        return 2 * out * prod(node.args[1].shape[1:])
    if node.name == "linear" and isinstance(node.args[1], Tensor):
        return 2 * out * int(node.args[1].shape[1])
    given = [graph.shapes[ref.number] for ref in node.args if isinstance(ref, Ref)]
    if node.name in ("matmul", "bmm", "mm", "linear", "conv2d"):
        return 2 * out * given[0][-1]
    if node.name == "scaled_dot_product_attention":  # every place looks at every other
        return 2 * out * 2 * given[1][-2]
    if node.name == "_native_multi_head_attention":  # with its four linear layers
        return 2 * out * (4 * given[0][-1] + 2 * given[0][-2])
    return out


def _in_place(node: Node, graph: Graph) -> Any:
    """The operator that writes its result into its first argument, where there is one."""
    name, _, overload = str(node.func.__name__).partition(".")
    packet = getattr(torch.ops.aten, name + "_", None)
    fits = (
        isinstance(node.args[0], Ref)
        and len(node.outs) == 1
        and graph.shapes[node.args[0].number] == graph.shapes[node.outs[0]]
        and packet is not None
        and overload in packet.overloads()
        and name in _OVERWRITE
    )
    return getattr(packet, overload) if fits else None
