"""Which explanation is worth believing?"""

import re
from collections.abc import Generator
from functools import partial
from typing import Annotated

from pellucid.comparison import Comparison
from pellucid.errors import PellucidError
from pellucid.explain.asked import Asked, One
from pellucid.explain.explainers import explainer, explainers
from pellucid.explain.judge import (
    BASES,
    Pieces,
    Plan,
    Radius,
    Samples,
    Seed,
    Stages,
    baselines,
    counted,
    judged,
)
from pellucid.images import Photo
from pellucid.judgement import Judgement
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
        str | None, Help("names with ; between; if none, all but those that take minutes")
    ] = None,
    stages: Stages = 4,
    samples: Samples = 3,
    radius: Radius = 0.02,
    pieces: Pieces = 28,
    seed: Seed = 0,
) -> Generator[Step, None, Comparison]:
    """All explanations of one photo side by side, each with badges of whether to believe it.

    The four tests of `trust`, with fewer stages and samples, and methods of many passes with
    coarse settings. A method that this network does not suit says why in its place.

    Returns:
        Comparison with `.values` (methods, measures), of the methods that ran: the mean rank
        correlation and the mean SSIM of the map with those of the shuffled networks, the areas of
        deletion and insertion, the greatest change under noise.

    Raises:
        PellucidError: no such method, several targets, or no method suits this network.

    Example:
        >>> compare(net, "photo:cat", methods="saliency; occlusion").values.shape
        torch.Size([2, 5])
    """
    if methods is None:
        chosen = {name: each for name, each in explainers().items() if not each.long}
    else:
        chosen = {each.name: each for each in map(explainer, re.split("[;,]", methods))}
    asked = Asked.of(net, photo, target)
    plan = Plan.of(asked, stages, samples, radius, pieces)
    total = BASES + len(chosen) * plan.parts
    bases = yield from counted(baselines(asked, plan), 0, total)
    judgements: list[Judgement] = []
    failed: dict[str, str] = {}
    for number, (name, each) in enumerate(chosen.items()):
        before = BASES + number * plan.parts
        map_of = partial(each.quick(net).explain, asked=asked)
        try:
            work = judged(name, map_of, asked, plan, bases)
            judgements.append((yield from counted(work, before, total)))
        except PellucidError as error:
            failed[name] = str(error)
            yield Step(before + plan.parts, total, f"{name} does not suit this network")
    if not judgements:
        told = "; ".join(f"{name}: {why}" for name, why in failed.items())
        raise PellucidError(f"no method explains this: {told}")
    coarse = " Methods of many passes are run coarsely here."
    return Comparison.of(judgements, failed, asked.name, plan.protocol(asked.what) + coarse)
