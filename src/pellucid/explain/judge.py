"""Judge: all measures of one map, one after the other."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.aim import AreaTarget
from pellucid.curve import Bases, Pair
from pellucid.errors import PellucidError
from pellucid.explain import curves
from pellucid.explain.asked import Asked
from pellucid.explain.explainers import Explainer
from pellucid.explain.protocol import Protocol
from pellucid.explain.sensitivity import changes
from pellucid.explain.shuffle import cascade, layers_down, named
from pellucid.explain.similarity import rank_correlation, ssim
from pellucid.heatmap import Heatmap
from pellucid.judgement import Judgement
from pellucid.method import Step
from pellucid.network import Network

BASES = curves.RANDOM + 1  # how often `baselines` yields
T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """A protocol, settled for one network and target.

    Attributes:
        groups: of layers that are shuffled together, the last first.
    """

    how: Protocol
    groups: list[tuple[str, ...]]

    @classmethod
    def of(cls, asked: Asked, how: Protocol) -> Plan:
        """For a network.

        Raises:
            PellucidError: it has no weights to shuffle.
        """
        groups = layers_down(asked.net, asked.target.layers, how.stages)
        if not groups:
            raise PellucidError(f"{asked.net.name} has no weights before {asked.name} to shuffle")
        pixels = asked.inputs[0, 0].numel()
        return cls(replace(how, pieces=min(how.pieces, pixels)), groups)

    @property
    def parts(self) -> int:
        """How often `judged` yields."""
        return 3 + len(self.groups) + self.how.samples

    def told(self, asked: Asked) -> tuple[str, str]:
        """The protocol in words, at length and in brief; see there."""
        long, brief = self.how.told(len(self.groups), asked.what), self.how.brief(len(self.groups))
        more = asked.target.told(0, asked.what).removeprefix("; ")
        if not more:
            return long, brief
        more += "; shuffled networks are asked there too, which holds their maps to the same place"
        return f"{long} The {more}.", f"{brief}; {more}"


def baselines(asked: Asked, plan: Plan) -> Generator[str, None, Bases]:
    """Deletion and insertion in random order, and from the centre outward."""
    found = []
    for _ in range(curves.RANDOM):
        order = torch.randperm(asked.inputs[0, 0].numel())
        found.append(curves.both(asked.score, asked.inputs, order, plan.how.pieces))
        yield "random order"
    size = (asked.inputs.shape[2], asked.inputs.shape[3])
    centre = curves.both(asked.score, asked.inputs, curves.from_the_centre(size), plan.how.pieces)
    yield "the centre first"
    return Bases.of(found, centre)


def judged(
    each: Explainer, asked: Asked, plan: Plan, bases: Bases
) -> Generator[str, None, Judgement]:
    """Yields what is done, after each part.

    Every method is judged on the same shuffled networks and under the same noise. The many maps
    that are only compared with each other are drawn coarsely, where a method has coarse settings.

    Args:
        bases: of `baselines`.
    """
    net, name = asked.net, each.name
    heatmap = each.explain(net, asked)
    yield f"{name}: the map"
    if heatmap.flat:
        yield from (f"{name}: an empty map" for _ in range(plan.parts - 1))
        return Judgement.of_nothing(name, heatmap, bases)
    chance = torch.Generator().manual_seed(plan.how.seed)
    size = (asked.inputs.shape[2], asked.inputs.shape[3])
    order = curves.by_strength(heatmap.evidence(), size, chance)
    fall = curves.deletion(asked.score, asked.inputs, order, plan.how.pieces)
    yield f"{name}: deletion"
    rise = curves.insertion(asked.score, asked.inputs, order, plan.how.pieces)
    yield f"{name}: insertion"
    rough = each.quick(net)
    reference = heatmap if rough is each else rough.explain(net, asked)
    if reference.flat:  # too coarse to see anything
        rough, reference = each, heatmap
    evidence = reference.evidence()
    maps, correlations, similarities = [], [], []
    for group, destroyed in zip(plan.groups, cascade(net, plan.groups, chance), strict=True):
        maps.append(rough.explain(destroyed, asked))
        sizes, others = evidence.abs(), _on(maps[-1], evidence).abs()
        correlations.append(rank_correlation(sizes, others))
        similarities.append(ssim(sizes, others))
        yield f"{name}: weights shuffled down to {named(group, net)}"
    noise = []

    def again(shaken: Network) -> Float[Tensor, "h w"]:
        return _on(rough.explain(shaken, asked), evidence)

    how = plan.how
    for change in changes(net, again, evidence, how.radius, how.samples, chance):
        noise.append(change)
        yield f"{name}: noise"
    return Judgement(
        name=name,
        heatmap=heatmap,
        reference=reference,
        stages=tuple(named(group, net) for group in plan.groups),
        maps=tuple(maps),
        correlations=tuple(correlations),
        similarities=tuple(similarities),
        curves=Pair(fall, rise),
        bases=bases,
        sensitivity=max(noise),
        held=isinstance(asked.target, AreaTarget),
    )


def _on(heatmap: Heatmap, other: Float[Tensor, "h w"]) -> Float[Tensor, "h w"]:
    """A map's evidence on the grid of another; a method may choose its layer by the network."""
    found = heatmap.evidence()
    if found.shape == other.shape:
        return found
    size = (other.shape[0], other.shape[1])
    return F.interpolate(found[None, None], size, mode="bilinear", align_corners=False)[0, 0]


def counted(work: Generator[str, None, T], done: int, total: int) -> Generator[Step, None, T]:
    """Work as steps, after `done` others."""
    while True:
        try:
            text = next(work)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        done += 1
        yield Step(done, total, text)
