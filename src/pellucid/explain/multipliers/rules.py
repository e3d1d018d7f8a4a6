"""Rules: what the multipliers of an operation's outputs make of those of its inputs.

The differences of the inputs, times their multipliers, add up to those of the outputs, times
theirs: whatever a rule does, that is what it keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

from pellucid.explain.relevance.kinds import FACTORS, LAYERS, MOVES, QUOTIENTS, SUMS
from pellucid.explain.written import CASTS, Values, carried_out
from pellucid.see.incremental.graph import Node, Ref
from pellucid.see.incremental.rules import SAME

NEAR = 32  # roundings apart: too near for a quotient of differences
MOST = 64  # places on the line between photo and baseline
PICKS = {
    "max_pool1d", "max_pool2d", "max_pool3d", "max_pool2d_with_indices", "adaptive_max_pool1d",
    "adaptive_max_pool2d", "adaptive_max_pool3d", "amax", "amin", "max", "min",
}  # fmt: skip
LEAST = {"amin", "min"}
AS_IT_IS = {"detach", "alias", "clone", "contiguous"}
LINEAR = (MOVES - PICKS - {"topk", "sort", "logsumexp"}) | LAYERS | SUMS | {
    "mean", "sum", "neg", "avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d",
    "adaptive_avg_pool2d", "adaptive_avg_pool3d", "upsample_bilinear2d", "upsample_bicubic2d",
    "batch_norm",
}  # fmt: skip
# Of these the gradient half way between photo and baseline is exact.
SQUARE = (FACTORS.keys() - {"einsum"}) | {"var"}
Given = Sequence[Tensor | None]
Parts = dict[int, Tensor]


def linear(node: Node, values: Values) -> bool:
    """Whether an operation has the same gradient everywhere."""
    moved = node.name in LINEAR and (node.name not in LAYERS or len(node.inputs) == 1)
    return moved and all(_fractions(values[number]) for number in node.inputs)


def sure(node: Node, values: Values) -> bool:
    """Whether nothing can get lost at an operation."""
    square = node.name in LINEAR | SQUARE and all(_counts(node, values[n]) for n in node.inputs)
    ways = _alone(node, values), _picks(node), _chooses(node), _divides(node), square
    return any(ways) or node.name in AS_IT_IS | {"logsumexp"}


def handed(node: Node, photo: Values, start: Values, given: Given) -> Parts:
    """The multipliers of an operation's inputs, by number; of those that have any.

    Args:
        photo: all values for the photo.
        start: all values for the baseline.
        given: the multipliers of the outputs; None: zero.
    """
    first, *_ = given
    if first is None:
        return _along(node, photo, start, given)
    if node.name in AS_IT_IS:
        return {node.inputs[0]: first}
    if _chooses(node):
        return _chosen(node, photo, start, first)
    if _divides(node):
        return _divided(node, photo, start, first)
    if _picks(node):
        return {node.inputs[0]: _picked(node, photo, start, first)}
    if node.name == "logsumexp":
        return {node.inputs[0]: _summed(node, photo, start, first)}
    if _alone(node, photo) and node.name not in LINEAR | SQUARE:
        return {node.inputs[0]: _each(node, photo, start, first)}
    return _along(node, photo, start, given)


def balance(multipliers: Tensor, photo: Tensor, start: Tensor) -> float:
    """What values add to the difference of the answers."""
    difference = _real(photo, multipliers) - _real(start, multipliers)
    ways = (multipliers.conj() * difference).real
    return float(ways.nan_to_num(0, 0, 0).sum())


def _alone(node: Node, values: Values) -> bool:
    """Whether each number is made of one number."""
    pointwise = node.name in SAME | CASTS or torch.Tag.pointwise in node.func.tags
    real = not any(values[number].is_complex() for number in (*node.inputs, *node.outs))
    return pointwise and real and len(node.inputs) == len(node.outs) == 1


def _picks(node: Node) -> bool:
    return node.name in PICKS and len(node.inputs) == 1


def _chooses(node: Node) -> bool:
    return node.name == "where" and isinstance(node.args[0], Ref)


def _divides(node: Node) -> bool:
    """Whether a division is one by what depends on the photo, of what depends on it, too."""
    return node.name in QUOTIENTS and len(node.inputs) == 2 and not node.kwargs


def _fractions(value: Tensor) -> bool:
    return value.is_floating_point() or value.is_complex()


def _counts(node: Node, value: Tensor) -> bool:
    """Whether a value has multipliers: fractions, and all that is multiplied."""
    return _fractions(value) or node.name in FACTORS


def _each(node: Node, photo: Values, start: Values, given: Tensor) -> Tensor:
    """Difference out by difference in (the rescale rule: Shrikumar, Greenside, Kundaje 2017)."""
    number, out = node.inputs[0], node.outs[0]

    def slope(middle: Tensor) -> Tensor:
        with torch.enable_grad():
            leaf = middle.detach().to(photo[number].dtype)
            leaf = leaf.requires_grad_() if leaf.is_floating_point() else leaf
            made = carried_out(node, photo | {number: leaf})[out]
        if not made.requires_grad:
            return torch.zeros_like(middle)
        found: Tensor = torch.autograd.grad(made, leaf, torch.ones_like(made))[0]
        return found

    one, other = _real(photo[number], given), _real(start[number], given)
    rise = _real(photo[out], given) - _real(start[out], given)
    if one.shape == given.shape:
        return given * _steepness(one, other, rise, slope)
    # Of several that are made of one number, as by a constant for each channel.
    ends = one.expand_as(given), other.expand_as(given)
    return (given * _steepness(*ends, rise, torch.zeros_like)).sum_to_size(one.shape)


def _steepness(
    one: Tensor, other: Tensor, rise: Tensor, slope: Callable[[Tensor], Tensor]
) -> Tensor:
    """The rise by the step from the one to the other; the slope where there is no step."""
    step, middle = one - other, (one + other) / 2
    near = step.abs() <= NEAR * torch.finfo(one.dtype).eps * middle.abs()
    found = rise / step
    if bool(near.any()):
        found = torch.where(near, slope(middle), found)
    return found.nan_to_num(0, 0, 0)


def _picked(node: Node, photo: Values, start: Values, given: Tensor) -> Tensor:
    """The difference of the greatest, to where it lies in the photo or in the baseline."""
    number, out, *rest = node.inputs[0], *node.outs
    others = [None] * len(rest)
    found = torch.zeros_like(photo[number])
    most = torch.minimum if node.name in LEAST else torch.maximum
    between = most(photo[out], start[out])
    for at, rise in (
        (photo[number], between - start[out]),
        (start[number], photo[out] - between),
    ):
        found += gradients(node, photo, {number: at}, [given * rise, *others])[number]

    def slope(middle: Tensor) -> Tensor:
        return gradients(node, photo, {number: middle}, [given, *others])[number]

    return _steepness(photo[number], start[number], found, slope)


def _summed(node: Node, photo: Values, start: Values, given: Tensor) -> Tensor:
    """Of log Σ exp: back through the logarithm, the sum and the exponentials, none too large."""
    number, out = node.inputs[0], node.outs[0]
    ends, outs = [photo[number], start[number]], [photo[out], start[out]]
    if not (len(node.args) > 2 and node.args[2]):
        axes = sorted(axis % ends[0].ndim for axis in node.args[1])
        for axis in axes:
            outs = [one.unsqueeze(axis) for one in outs]
            given = given.unsqueeze(axis)
    top = torch.maximum(*outs)

    def steep(one: Tensor, other: Tensor) -> Tensor:
        one, other = one - top, other - top
        return _steepness(one, other, one.exp() - other.exp(), torch.exp)

    return (given / steep(*outs)).nan_to_num(0, 0, 0) * steep(*ends)


def _chosen(node: Node, photo: Values, start: Values, whole: Tensor) -> Parts:
    """Of two by a third that depends on the photo, too: as a product of yes or no and each."""
    yes = [side[node.args[0].number].to(whole.dtype) for side in (photo, start)]
    share = (yes[0] + yes[1]) / 2
    found: Parts = {}
    middles = []
    for part, weight in zip(node.args[1:], (share, 1 - share), strict=True):
        if isinstance(part, Ref):
            one, other = photo[part.number], start[part.number]
            more = (whole * weight).sum_to_size(one.shape)
            found[part.number] = found[part.number] + more if part.number in found else more
            middles.append((one + other) / 2)
        else:
            middles.append(part)
    switch = torch.where(yes[0] == yes[1], 0, whole * (middles[0] - middles[1]))
    found[node.args[0].number] = switch.nan_to_num(0, 0, 0).sum_to_size(yes[0].shape)
    return found


def _divided(node: Node, photo: Values, start: Values, given: Tensor) -> Parts:
    """Of a quotient: as of the product that it makes with what it is divided by.

    A product with the inverse would be split evenly, too, but into parts that are huge and nearly
    cancel where the one divisor is small, as that of a norm on a baseline with nothing in it.
    """
    above, below = node.inputs
    (a, a0), (b, b0), (q, q0) = ((photo[n], start[n]) for n in (above, below, node.outs[0]))
    alike = b * b0 > 0
    upper = torch.where(alike, 2 / (b + b0), (1 / b + 1 / b0) / 2)
    lower = torch.where(alike, (q + q0) / (b + b0), (a + a0) / (2 * b * b0))
    found = {above: given * upper, below: -given * lower}
    return {n: part.nan_to_num(0, 0, 0).sum_to_size(photo[n].shape) for n, part in found.items()}


def _along(node: Node, photo: Values, start: Values, given: Given) -> Parts:
    """The mean gradient on the straight line from the baseline to the photo.

    Half way of what is linear or a product of two, which splits it evenly between both; else at so
    many places that nothing is lost.
    """
    pairs = {
        number: (_real(photo[number], photo[0]), _real(start[number], photo[0]))
        for number in node.inputs
        if _counts(node, photo[number])
    }
    certain, places = sure(node, photo), 1
    while True:
        found: Parts = {}
        for place, weight in _places(places):
            at = {n: torch.lerp(end, one, place) for n, (one, end) in pairs.items()}
            for number, part in gradients(node, photo, at, given).items():
                part = part if places == 1 else weight * part
                found[number] = found[number] + part if number in found else part
        if certain or places == MOST or not found or _kept(node, photo, start, given, found):
            return found
        places *= 2


@cache
def _places(count: int) -> list[tuple[float, float]]:
    """Gauss and Legendre's, on 0 to 1, with their weights."""
    places, weights = np.polynomial.legendre.leggauss(count)
    return [(float(at + 1) / 2, float(w) / 2) for at, w in zip(places, weights, strict=True)]


def _kept(node: Node, photo: Values, start: Values, given: Given, found: Parts) -> bool:
    """Whether the inputs add what the outputs do, but for roundings."""
    left, size = 0.0, 0.0
    for number, one in zip(node.outs, given, strict=True):
        if one is not None:
            left += balance(one, photo[number], start[number])
            sizes = photo[number].abs() + start[number].abs()
            size += torch.finfo(one.dtype).eps * float((one.abs() * sizes).sum())
    left -= sum(balance(part, photo[n], start[n]) for n, part in found.items())
    return abs(left) <= NEAR * size


def gradients(node: Node, values: Values, at: Parts, given: Given) -> Parts:
    """The gradients of an operation's inputs, with some of its values put in place."""
    return followed(node, *started(node, values, at), given)


def started(node: Node, values: Values, at: Parts) -> tuple[Parts, Values]:
    """An operation's inputs and outputs, ready for gradients."""
    leaves = {number: value.detach().requires_grad_() for number, value in at.items()}
    with torch.enable_grad():
        return leaves, carried_out(node, values | leaves)


def followed(node: Node, leaves: Parts, outs: Values, given: Given) -> Parts:
    """The gradients of inputs from those of the outputs."""
    ways = [
        (outs[number], one)
        for number, one in zip(node.outs, given, strict=True)
        if one is not None and outs[number].requires_grad
    ]
    if not ways or not leaves:
        return {}
    slopes = torch.autograd.grad(
        [out for out, _ in ways],
        list(leaves.values()),
        [one for _, one in ways],
        retain_graph=True,
        allow_unused=True,
    )
    return {n: slope for n, slope in zip(leaves, slopes, strict=True) if slope is not None}


def _real(value: Tensor, like: Tensor) -> Tensor:
    """Whole numbers, and yes and no, as fractions."""
    return value if _fractions(value) else value.to(like.dtype)
