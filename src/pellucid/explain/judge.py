"""Judge: all measures of one map, one after the other."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Annotated, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import PellucidError
from pellucid.explain import curves
from pellucid.explain.asked import Asked
from pellucid.explain.sensitivity import changes
from pellucid.explain.shuffle import cascade, layers_down
from pellucid.explain.similarity import rank_correlation, ssim
from pellucid.heatmap import Heatmap
from pellucid.judgement import Judgement, Pair
from pellucid.method import Step
from pellucid.network import Network
from pellucid.option import Help

BASES = curves.RANDOM + 1  # how often `baselines` yields
T = TypeVar("T")
Explain = Callable[[Network], Heatmap]
Stages = Annotated[
    int, Help("groups of layers whose weights are shuffled, one after the other", low=1)
]
Samples = Annotated[int, Help("photos with noise, of which the greatest change counts", low=1)]
Radius = Annotated[float, Help("of the noise, as a share of black to white", low=0, high=1)]
Pieces = Annotated[int, Help("of the pixels, deleted and inserted one by one", low=1)]
Seed = Annotated[int, Help("of the shuffling, the noise and the random orders")]


@dataclass(frozen=True)
class Plan:
    """How thoroughly a map is judged; see the settings of `trust`."""

    groups: list[tuple[str, ...]]
    samples: int
    radius: float
    pieces: int

    @classmethod
    def of(cls, asked: Asked, stages: int, samples: int, radius: float, pieces: int) -> "Plan":
        """For a network.

        Raises:
            PellucidError: it has no weights to shuffle.
        """
        groups = layers_down(asked.net, asked.target.layers, stages)
        if not groups:
            raise PellucidError(f"{asked.net.name} has no weights before {asked.name} to shuffle")
        return cls(groups, samples, radius, pieces)

    @property
    def parts(self) -> int:
        """How often `judged` yields."""
        return 3 + len(self.groups) + self.samples

    def protocol(self, what: str) -> str:
        """What is measured, in words: numbers of another protocol cannot be compared.

        Args:
            what: the answer: a probability, an activation.
        """
        return (
            f"Randomised: mean rank correlation of the map with those of the network whose "
            f"weights are shuffled in {len(self.groups)} steps, the last layer first, empty maps "
            f"left out; low is good. "
            f"Deletion: the strongest pixels first, 1/{self.pieces} of all at a time, become the "
            f"mean grey of training (zero after normalising); low is good. Insertion: they return "
            f"to the photo blurred by {curves.BLUR} px (sigma {curves.SIGMA:g}); high is good. "
            f"Both are areas under the {what} over the share of pixels, by trapezia; chance is "
            f"the mean of {curves.RANDOM} random orders, the centre goes by the distance from it. "
            f"Noise: greatest change of the map, as a share of it, in {self.samples} trials of "
            f"uniform noise up to {self.radius:g} of black to white; low is good."
        )


def baselines(asked: Asked, plan: Plan) -> Generator[str, None, tuple[Pair, Pair]]:
    """Deletion and insertion in random order, and from the centre outward."""
    found = []
    for _ in range(curves.RANDOM):
        order = torch.randperm(asked.inputs[0, 0].numel())
        found.append(curves.both(asked.score, asked.inputs, order, plan.pieces))
        yield "random order"
    size = (asked.inputs.shape[2], asked.inputs.shape[3])
    centre = curves.both(asked.score, asked.inputs, curves.from_the_centre(size), plan.pieces)
    yield "the centre first"
    return curves.mean(found), centre


def judged(
    name: str,
    explain: Explain,
    asked: Asked,
    plan: Plan,
    bases: tuple[Pair, Pair],
    rough: Explain | None = None,
) -> Generator[str, None, Judgement]:
    """Yields what is done, after each part.

    Args:
        explain: the map of the photo and the target that a network gives.
        bases: of `baselines`.
        rough: the same faster, for the many maps that are only compared with each other.
    """
    net = asked.net
    heatmap = explain(net)
    reference = rough(net) if rough else heatmap
    rough = rough or explain
    evidence = heatmap.evidence()
    yield f"{name}: the map"
    order = curves.by_strength(evidence, (asked.inputs.shape[2], asked.inputs.shape[3]))
    fall = curves.deletion(asked.score, asked.inputs, order, plan.pieces)
    yield f"{name}: deletion"
    rise = curves.insertion(asked.score, asked.inputs, order, plan.pieces)
    yield f"{name}: insertion"
    evidence = reference.evidence()
    maps, correlations, similarities = [], [], []
    for group, destroyed in zip(plan.groups, cascade(net, plan.groups), strict=True):
        maps.append(rough(destroyed))
        sizes, others = evidence.abs(), _on(maps[-1], evidence).abs()
        correlations.append(rank_correlation(sizes, others))
        similarities.append(ssim(sizes, others))
        yield f"{name}: weights shuffled down to {group[-1] or net.name}"
    noise = []

    def again(shaken: Network) -> Float[Tensor, "h w"]:
        return _on(rough(shaken), evidence)

    for change in changes(net, again, evidence, plan.radius, plan.samples):
        noise.append(change)
        yield f"{name}: noise"
    return Judgement(
        name=name,
        heatmap=heatmap,
        reference=reference,
        stages=tuple(group[-1] or net.name for group in plan.groups),
        maps=tuple(maps),
        correlations=tuple(correlations),
        similarities=tuple(similarities),
        curves=Pair(fall, rise),
        random=bases[0],
        centre=bases[1],
        sensitivity=max(noise),
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
