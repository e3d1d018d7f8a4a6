"""What a tensor's elements see of the image, and how operations without windows carry it along."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from pellucid.fields.axis import Axis

Shape = tuple[int, ...]
# Where a tensor keeps an axis: in dimension d, as (index // inner) % units. Inner is 1 unless
# dimensions were flattened together, as the tokens of a transformer or the rows of a matrix product
# are.
Place = tuple[int, int]


@dataclass(frozen=True)
class Sight:
    """What a tensor's elements see, and which of its dimensions are vertical and horizontal."""

    axes: tuple[Axis, Axis]
    places: tuple[
        Place, ...
    ] = ()  # empty once the plane is lost: then all elements see the whole image
    mixed: bool = False  # channels differ, the axes are their hull (behind a concatenation)

    def fits(self, shape: Shape) -> bool:
        """Whether a tensor of this shape has the axes at their places and nothing else there."""
        units: dict[int, int] = {}
        for axis, (dim, _) in zip(self.axes, self.places, strict=False):
            units[dim] = units.get(dim, 1) * len(axis)
        return bool(units) and all(d < len(shape) and shape[d] == n > 0 for d, n in units.items())

    @classmethod
    def nothing(cls) -> Sight:
        """The sight of a rule that is Lost: it fits no tensor."""
        return cls((Axis.pixels(0), Axis.pixels(0)))

    def part(self) -> Sight:
        """The sight of some of the channels."""
        down, across = self.axes
        return replace(self, axes=(down.at_most(), across.at_most())) if self.mixed else self


@dataclass(frozen=True)
class Seen:
    """A tensor argument that depends on the image; its shape is that from before the operation."""

    name: str
    shape: Shape
    sight: Sight


@dataclass(frozen=True)
class Call:
    """One operation: its arguments by name, those seen, the shape of its first output."""

    arguments: dict[str, Any]
    seen: list[Seen]
    shape: Shape


class Lost(Exception):
    """Raised by a rule when no box smaller than the whole image is certain."""


# The rules: each takes a call and says what its output sees, or is Lost. None may claim more than
# it is sure of.

Rule = Callable[[Call], Sight]


def only(call: Call) -> Seen:
    """The one argument that depends on the image."""
    if len(call.seen) != 1 or not call.seen[0].sight.places:
        raise Lost
    return call.seen[0]


def moved(source: Seen, move: Callable[[int], int]) -> Sight:
    places = tuple((move(dim), inner) for dim, inner in source.sight.places)
    return replace(source.sight, places=places)


def pure(source: Seen) -> bool:
    """Whether the plane has two dimensions of the tensor to itself."""
    sight = source.sight
    pairs = zip(sight.axes, sight.places, strict=True) if sight.places else ()
    return bool(sight.places) and all(
        inner == 1 and source.shape[dim] == len(axis) for axis, (dim, inner) in pairs
    )


def dimensions(call: Call, ndim: int, name: str = "dim") -> set[int]:
    """An argument that names dimensions, counted from the front; none named means all."""
    dims = call.arguments[name]
    dims = [dims] if isinstance(dims, int) else dims
    return {dim % ndim for dim in dims} if dims else set(range(ndim))


def unknown(call: Call) -> Sight:
    raise Lost


def shape_only(call: Call) -> Sight:
    raise Lost  # never called: the output has the input's shape, nothing of the image


def pointwise(call: Call) -> Sight:
    """Each element from those at its own position: the union of what they see."""
    result: Sight | None = None
    for source in call.seen:
        lead = len(call.shape) - len(source.shape)
        sight = moved(source, lambda dim, lead=lead: dim + lead)  # type: ignore[misc]
        if not sight.places or any(
            source.shape[dim - lead] != call.shape[dim] for dim, _ in sight.places
        ):
            raise Lost  # spread over the plane: a global number, as in squeeze and excitation
        result = sight if result is None else _union(result, sight)
    assert result is not None
    return result


def _union(one: Sight, other: Sight) -> Sight:
    if one.places != other.places:
        raise Lost
    down, across = (a.union(b) for a, b in zip(one.axes, other.axes, strict=True))
    return Sight((down, across), one.places, one.mixed or other.mixed)


def copied(call: Call) -> Sight:
    """copy_: what was there before is gone."""
    fresh = [source for source in call.seen if source.name == "src"]
    return pointwise(replace(call, seen=fresh or call.seen))


def joined(call: Call) -> Sight:
    """Concatenation along channels: each sees its own, together they see the union."""
    (dim,) = dimensions(call, len(call.shape))
    result: Sight | None = None
    for source in call.seen:
        lead = len(call.shape) - len(source.shape)  # 1 when stacking, which makes a new dimension
        sight = moved(source, lambda d, lead=lead: d + (lead and d >= dim))  # type: ignore[misc]
        if not sight.places or any(d == dim for d, _ in sight.places):
            raise Lost
        mixed = result is not None and result.axes != sight.axes
        result = sight if result is None else _union(result, sight)
        result = replace(result, mixed=result.mixed or mixed)
    assert result is not None
    every = len(call.seen) == len(call.arguments["tensors"])
    return replace(result, mixed=result.mixed or not every)


def reshaped(call: Call) -> Sight:
    """Views: an axis survives where its steps through memory order stay within one dimension."""
    source, places = only(call), []
    for axis, (dim, inner) in zip(source.sight.axes, source.sight.places, strict=True):
        step, units = inner * math.prod(source.shape[dim + 1 :]), len(axis)
        tails = [math.prod(call.shape[d + 1 :]) for d in range(len(call.shape))]
        fits = [
            (size != units, abs(d - dim), d, step // tail)
            for d, (size, tail) in enumerate(zip(call.shape, tails, strict=True))
            if tail and step % tail == 0 and size % (step // tail * units) == 0
        ]
        if not fits:
            raise Lost
        places.append(
            min(fits)[2:]
        )  # several only for an axis of one unit, whose place does not matter
    return replace(source.sight, places=tuple(places))


def permuted(call: Call) -> Sight:
    source = only(call)
    order = [dim % len(source.shape) for dim in call.arguments["dims"]]
    return moved(source, order.index)


def transposed(call: Call) -> Sight:
    source, ndim = only(call), len(call.shape)
    if ndim < 2:
        return source.sight
    one, two = (call.arguments.get(name, i) % ndim for i, name in enumerate(["dim0", "dim1"]))
    return moved(source, lambda dim: {one: two, two: one}.get(dim, dim))


def chosen(call: Call) -> Sight:
    """Some of the channels: split, select, unbind, index_select."""
    source = only(call)
    (dim,) = dimensions(call, len(source.shape))
    if any(d == dim for d, _ in source.sight.places):
        raise Lost
    gone = len(source.shape) - len(call.shape)
    return moved(source, lambda d: d - (gone and d > dim)).part()


def indexed(call: Call) -> Sight:
    """x[:, [2, 1, 0]]: channels picked by a constant list."""
    indices = call.arguments["indices"]
    ((dim, index),) = [(i, index) for i, index in enumerate(indices) if index is not None]
    if index.ndim != 1 or index.dtype == torch.bool:
        raise Lost
    return chosen(replace(call, arguments={"dim": dim}))


def reduced(call: Call) -> Sight:
    """Whatever mixes along `dim`, a mean, a maximum, a softmax: fine across channels."""
    source = only(call)
    dims = dimensions(call, len(source.shape))
    if any(dim in dims for dim, _ in source.sight.places):
        raise Lost
    if len(call.shape) == len(source.shape):
        return source.sight
    return moved(source, lambda dim: dim - sum(d < dim for d in dims))


def layer_normalised(call: Call) -> Sight:
    source = only(call)
    first = len(source.shape) - len(call.arguments["normalized_shape"])
    if any(dim >= first for dim, _ in source.sight.places):
        raise Lost
    return source.sight


def batch_normalised(call: Call) -> Sight:
    if call.arguments.get(
        "training"
    ):  # by the image's own statistics, as instance normalisation does
        raise Lost
    return only(call).sight


def product(left: str, right: str) -> Rule:
    """A matrix product with a constant: pointwise unless it sums over positions."""

    def rule(call: Call) -> Sight:
        source = only(call)
        if source.name not in (left, right):
            raise Lost
        summed = len(source.shape) - (1 if source.name == left else 2)
        if any(dim == summed for dim, _ in source.sight.places):
            raise Lost
        units = math.prod(len(axis) for axis in source.sight.axes)
        every = math.prod(source.shape) == units * source.shape[summed]
        return replace(source.sight, mixed=source.sight.mixed and not every)

    return rule
