"""Which explanation is worth believing?"""

import re
from collections.abc import Generator
from typing import Annotated

from pellucid.comparison import Comparison
from pellucid.errors import PellucidError, reason
from pellucid.explain.asked import Asked, One
from pellucid.explain.explainers import explainer, usual
from pellucid.explain.judge import BASES, Plan, baselines, counted, judged
from pellucid.explain.protocol import USUAL, Pieces, Protocol, Radius, Samples, Seed, Stages
from pellucid.images import Photo
from pellucid.judgement import Judgement
from pellucid.memory import is_full
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help


@method()
def compare(
    net: Network,
    photo: Photo,
    *,
    target: One = None,
    methods: Annotated[
        str | None,
        Help("names with ; between; if none, all but the long ones and those that say the same"),
    ] = None,
    stages: Stages = USUAL.stages,
    samples: Samples = USUAL.samples,
    radius: Radius = USUAL.radius,
    pieces: Pieces = USUAL.pieces,
    seed: Seed = USUAL.seed,
) -> Generator[Step, None, Comparison]:
    """All explanations of one photo side by side, each with badges of whether to believe it.

    The four tests of `trust`, with the same numbers. A method that this network does not suit
    says why in its place.

    Returns:
        Comparison with `.values` (methods, measures), of the methods that ran: the mean rank
        correlation and the mean SSIM of the map with those of the shuffled networks, the areas of
        deletion and insertion, the greatest change under noise; NaN of an empty map.

    Raises:
        PellucidError: no such method, several targets, or no method suits this network.

    Example:
        >>> compare(net, "photo:cat", methods="saliency; occlusion").values.shape
        torch.Size([2, 5])
    """
    if methods is None:
        chosen = usual()
    else:
        chosen = {each.name: each for each in map(explainer, re.split("[;,]", methods))}
    asked = Asked.of(net, photo, target)
    plan = Plan.of(asked, Protocol(stages, samples, radius, pieces, seed))
    total = BASES + len(chosen) * plan.parts
    bases = yield from counted(baselines(asked, plan), 0, total)
    judgements: list[Judgement] = []
    failed: dict[str, str] = {}
    for number, (name, each) in enumerate(chosen.items()):
        before = BASES + number * plan.parts
        try:
            work = judged(each, asked, plan, bases)
            judgements.append((yield from counted(work, before, total)))
        except Exception as error:  # a network may be anything, and so may a plug-in
            if is_full(error):
                raise
            failed[name] = reason(error)
            yield Step(before + plan.parts, total, f"{name} does not suit this network")
    if not judgements:
        told = "; ".join(f"{name}: {why}" for name, why in failed.items())
        raise PellucidError(f"no method explains this: {told}")
    return Comparison.of(judgements, failed, asked.name, asked.what, *plan.told(asked))
