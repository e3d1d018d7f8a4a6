"""Rules: how a layer with weights shares out the relevance of what it puts out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

Composite = Literal["epsilon_gamma_box", "epsilon_plus_flat", "epsilon_alpha2_beta1_flat"]
EPSILON = 1e-6  # what keeps a denominator from zero
GAMMA = 0.25  # of the weights of the wanted sign, how much more they count


class Way(NamedTuple):
    """A part of what a layer computes: some inputs through some weights."""

    given: Tensor
    weight: Tensor
    bias: Tensor | None = None


@dataclass(frozen=True)
class Weighted:
    """A layer with weights, and what went through it.

    Attributes:
        linear: (inputs, weight, bias) to what it puts out.
        low, high: what its inputs may be at least and at most; None: not known.
    """

    linear: Callable[[Tensor, Tensor, Tensor | None], Tensor]
    given: Tensor
    weight: Tensor
    bias: Tensor | None
    out: Tensor
    low: Tensor | None = None
    high: Tensor | None = None


# What goes together, and the relevance that is shared out among it.
Shares = Iterable[tuple[list[Way], Tensor]]
Rule = Callable[[Weighted, Tensor], Shares]


def epsilon(layer: Weighted, relevance: Tensor) -> Shares:
    """To each input what it adds to the output, the bias among them (Bach et al. 2015)."""
    return [([Way(layer.given, layer.weight, layer.bias)], relevance)]


def gamma(layer: Weighted, relevance: Tensor) -> Shares:
    """What adds to an output counts more than what takes away (Montavon et al. 2019).

    For inputs of both signs and negative outputs as Andéol et al. (2021).
    """
    up, down = _more(layer, min=0), _more(layer, max=0)
    for one, other, sign in ((up, down, layer.out > 0), (down, up, layer.out < 0)):
        ways = _both(layer.given, one, other[0])
        yield ways, relevance * sign


def plus(layer: Weighted, relevance: Tensor) -> Shares:
    """Only what adds to the output counts (the z+ rule: Montavon et al. 2017)."""
    adds, takes = _part(layer, min=0), _part(layer, max=0)
    return [(_both(layer.given, adds, takes[0]), relevance)]


def alpha2_beta1(layer: Weighted, relevance: Tensor) -> Shares:
    """Twice what adds to the output, less what takes away from it (Bach et al. 2015)."""
    adds, takes = _part(layer, min=0), _part(layer, max=0)
    return [
        (_both(layer.given, adds, takes[0]), 2 * relevance),
        (_both(layer.given, takes, adds[0]), -relevance),
    ]


def box(layer: Weighted, relevance: Tensor) -> Shares:
    """Measured from what inputs may be at least and at most (z^B: Montavon et al. 2017)."""
    if layer.low is None or layer.high is None:
        return epsilon(layer, relevance)
    (adds, more), (takes, less) = _part(layer, min=0), _part(layer, max=0)
    ways = [
        Way(layer.given, layer.weight, layer.bias),
        Way(layer.low, -adds, None if more is None else -more),
        Way(layer.high, -takes, None if less is None else -less),
    ]
    return [(ways, relevance)]


def flat(layer: Weighted, relevance: Tensor) -> Shares:
    """To all inputs alike, whatever they are (Lapuschkin et al. 2019)."""
    ones = Way(torch.ones_like(layer.given), torch.ones_like(layer.weight))
    return [([ones], relevance)]


class Rules(NamedTuple):
    """Of the layers that look at the photo, of those at every place, of those behind all places."""

    first: Rule
    placed: Rule
    dense: Rule


COMPOSITES: dict[Composite, Rules] = {
    "epsilon_gamma_box": Rules(box, gamma, epsilon),
    "epsilon_plus_flat": Rules(flat, plus, epsilon),
    "epsilon_alpha2_beta1_flat": Rules(flat, alpha2_beta1, epsilon),
}


def shared(layer: Weighted, rule: Rule, relevance: Tensor) -> Tensor:
    """The relevance of a layer's inputs."""
    found = torch.zeros_like(layer.given)
    for ways, part in rule(layer, relevance):
        # Behind a rectifier nothing is negative: then half of the ways are empty.
        ways = [way for way in ways if bool(way.given.any())]
        if not ways or not bool(part.any()):
            continue
        leaves = [way.given.detach().requires_grad_() for way in ways]
        with torch.enable_grad():
            outs = [
                layer.linear(leaf, way.weight, way.bias)
                for leaf, way in zip(leaves, ways, strict=True)
            ]
            whole = torch.stack(outs).sum(0) if len(outs) > 1 else outs[0]
        slopes = torch.autograd.grad(whole, leaves, part / away_from_zero(whole.detach()))
        for leaf, slope in zip(leaves, slopes, strict=True):
            found += leaf.detach() * slope
    return found


def away_from_zero(values: Tensor) -> Tensor:
    """Values to divide by: each a little farther from zero, on its own side."""
    return values + torch.where(values < 0, -EPSILON, EPSILON)


def _part(layer: Weighted, **ends: float) -> tuple[Tensor, Tensor | None]:
    """The weights of one sign."""
    bias = layer.bias
    return layer.weight.clamp(**ends), None if bias is None else bias.clamp(**ends)


def _more(layer: Weighted, **ends: float) -> tuple[Tensor, Tensor | None]:
    """All weights, those of one sign larger."""
    weight, bias = _part(layer, **ends)
    more = None if bias is None or layer.bias is None else layer.bias + GAMMA * bias
    return layer.weight + GAMMA * weight, more


def _both(given: Tensor, one: tuple[Tensor, Tensor | None], other: Tensor) -> list[Way]:
    """Positive inputs through some weights, negative ones through others: of one sign again."""
    return [Way(given.clamp(min=0), *one), Way(given.clamp(max=0), other)]
