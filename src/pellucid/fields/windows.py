"""Operations that slide windows over the plane: convolution, pooling, padding, resizing, slicing.

Their core is the list of taps: which input units each output unit reads. A tap outside the input
reads padding, unless a fold says which unit stands in for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from pellucid.fields.sight import Call, Lost, Rule, Seen, Sight, chosen, dimensions, only

Window = tuple[Sequence[Sequence[int]], Fraction | int]  # taps, and how far they move per unit
Fold = Callable[[int, int], int]  # a tap and the number of units -> the unit that stands in


def slid(source: Seen, windows: Mapping[int, Window], fold: Fold | None = None) -> Sight:
    """The sight behind windows that slide along some of the dimensions."""
    axes = []
    for axis, (dim, inner) in zip(source.sight.axes, source.sight.places, strict=True):
        if dim in windows:
            if inner != 1 or source.shape[dim] != len(axis):
                raise Lost
            taps, step = windows[dim]
            axis = axis.through(taps, step, _bound(fold, len(axis)) if fold else None)
        axes.append(axis)
    return replace(source.sight, axes=(axes[0], axes[1]))


def _bound(fold: Fold, units: int) -> Callable[[int], int]:
    return lambda tap: fold(tap, units)


def gathered(units: int, kernel: int, stride: int, padding: int, dilation: int) -> Window:
    """A convolution's or a pooling's window."""
    firsts = [o * stride - padding for o in range(units)]
    return [range(at, at + dilation * (kernel - 1) + 1, dilation) for at in firsts], stride


def scattered(units: int, kernel: int, stride: int, padding: int, dilation: int) -> Window:
    """A transposed convolution's: the input units whose kernels reach output unit o."""
    reaches = [[o + padding - k * dilation for k in range(kernel)] for o in range(units)]
    taps = [sorted(at // stride for at in reach if at % stride == 0) for reach in reaches]
    return taps, Fraction(1, stride)


def convolved(call: Call) -> Sight:
    source, a = only(call), call.arguments
    if source.name != "input" or any(dim == 1 for dim, _ in source.sight.places):
        raise Lost  # the kernel is made from the image, or positions are the channels
    window, count = scattered if a["transposed"] else gathered, len(source.shape) - 2
    settings = [_each(a[name], count) for name in ("stride", "padding", "dilation")]
    windows = {}
    for dim, (kernel, *setting) in enumerate(zip(a["weight"].shape[2:], *settings, strict=True), 2):
        if (kernel, setting[:2]) != (1, [1, 0]):
            windows[dim] = window(call.shape[dim], kernel, *setting)
    sight = slid(source, windows)
    return replace(sight, mixed=sight.mixed and a["groups"] > 1)


def pooled(call: Call) -> Sight:
    source, a, count = only(call), call.arguments, len(call.arguments["kernel_size"])
    names = ("kernel_size", "stride" if a["stride"] else "kernel_size", "padding")
    settings = [*(_each(a[name], count) for name in names), _each(a.get("dilation", 1), count)]
    windows = {}
    for dim, setting in enumerate(zip(*settings, strict=True), len(call.shape) - count):
        if setting[:3] != (1, 1, 0):
            windows[dim] = gathered(call.shape[dim], *setting)
    return slid(source, windows)


def adaptively_pooled(call: Call) -> Sight:
    source, windows = only(call), {}
    for dim in range(len(call.shape) - len(call.arguments["output_size"]), len(call.shape)):
        old, new = source.shape[dim], call.shape[dim]
        if new == 1 and old > 1:
            raise Lost  # global pooling
        taps = [range(o * old // new, -(-(o + 1) * old // new)) for o in range(new)]
        windows[dim] = taps, Fraction(old, new)
    return slid(source, windows)


def padded(fold: Fold | None) -> Rule:
    """Borders added or, where negative, cropped; torch lists the last dimension first."""

    def rule(call: Call) -> Sight:
        source, a = only(call), call.arguments
        pads = a["pad"] if "pad" in a else a["padding"]
        windows: dict[int, Window] = {}
        for i, (before, after) in enumerate(zip(pads[::2], pads[1::2], strict=True)):
            dim = len(call.shape) - 1 - i
            if before or after:
                windows[dim] = [[o - before] for o in range(call.shape[dim])], 1
        sight = slid(source, windows, fold)
        channels = windows.keys() - {dim for dim, _ in sight.places}  # padded ones see nothing
        return replace(sight, mixed=sight.mixed or bool(channels))

    return rule


def interpolated(radius: int, antialias: bool = False, centred: bool = True) -> Rule:
    """Resizing by a kernel of `radius` units around the centre; 0 takes the nearest unit."""

    def rule(call: Call) -> Sight:
        source, a, windows = only(call), call.arguments, {}
        for dim, side in ((2, "h"), (3, "w")):
            old, new = source.shape[dim], call.shape[dim]
            given = a.get(f"scales_{side}")
            corners = bool(a.get("align_corners")) and new > 1
            scale = (old - 1) / (new - 1) if corners else 1 / given if given else old / new
            # torch rounds in single precision: where it may round either way, both units count.
            slack = 0.0 if Fraction(scale).denominator <= 1024 else 1e-3
            reach = radius * max(scale, 1.0) if antialias else radius
            taps = []
            for o in range(new):
                at = o * scale if corners or not centred else (o + 0.5) * scale
                if radius:
                    at = at if corners else at - 0.5
                    low = math.floor(at - reach - slack) + 1
                    high = math.ceil(at + reach + slack) - 1
                else:
                    low, high = math.floor(at - slack), math.floor(at + slack)
                taps.append(range(low, high + 1))
            windows[dim] = taps, Fraction(scale).limit_denominator(10**6)
        return slid(source, windows, clamp)

    return rule


def shuffled(call: Call) -> Sight:
    """pixel_shuffle and its inverse: blocks of channels become blocks of pixels, and back."""
    source, windows = only(call), {}
    for dim in (len(call.shape) - 2, len(call.shape) - 1):
        old, new = source.shape[dim], call.shape[dim]
        taps = [range(o * old // new, -(-(o + 1) * old // new)) for o in range(new)]
        windows[dim] = taps, Fraction(old, new)
    return replace(slid(source, windows), mixed=True)


def sliced(call: Call) -> Sight:
    source = only(call)
    (dim,) = dimensions(call, len(source.shape))
    if source.shape == call.shape:
        return source.sight
    if all(d != dim for d, _ in source.sight.places):
        return chosen(call)
    first, step = call.arguments["start"] or 0, call.arguments["step"]
    first = max(first + source.shape[dim], 0) if first < 0 else first
    return slid(source, {dim: ([[first + o * step] for o in range(call.shape[dim])], step)})


def rolled(call: Call) -> Sight:
    source, a, windows = only(call), call.arguments, {}
    for dim, shift in zip(a["dims"], a["shifts"], strict=True):
        dim %= len(call.shape)
        windows[dim] = [[o - shift] for o in range(call.shape[dim])], 1
    if len(windows) < len(a["dims"]):
        raise Lost  # rolled twice along one dimension
    return slid(source, windows, wrap)


def flipped(call: Call) -> Sight:
    source = only(call)
    windows = {d: ([[n - 1 - o] for o in range(n)], 1) for d, n in enumerate(call.shape)}
    return slid(source, {d: windows[d] for d in dimensions(call, len(call.shape), "dims")})


def clamp(tap: int, units: int) -> int:
    return min(max(tap, 0), units - 1)


def wrap(tap: int, units: int) -> int:
    return tap % units


def mirror(tap: int, units: int) -> int:
    return units - 1 - abs(units - 1 - abs(tap))


def _each(value: Any, count: int) -> list[int]:
    values = [value] if isinstance(value, int) else list(value)
    return values * count if len(values) == 1 else values
