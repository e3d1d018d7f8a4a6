"""Is this map worth believing?"""

from collections.abc import Generator
from functools import partial
from typing import Annotated

from pellucid.explain.asked import Asked, One
from pellucid.explain.explainers import explainer
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
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.register import entries
from pellucid.verdict import Verdict

# One that passes the first test, and one that is known to fail it.
EXAMPLES = ("saliency", "guided")


@method(examples=lambda net: [{"method": name} for name in EXAMPLES if name in entries()])
def trust(
    net: Network,
    method: Annotated[str, Help("that draws the map: saliency, cam:layercam, …", names="method")],
    photo: Photo,
    *,
    target: One = None,
    stages: Stages = 8,
    samples: Samples = 10,
    radius: Radius = 0.02,
    pieces: Pieces = 28,
    seed: Seed = 0,
) -> Generator[Step, None, Verdict]:
    """Four tests of one explanation: shuffled weights, deletion, insertion, noise.

    A map that shows what the network has learned must change when the weights are shuffled, from
    the last layer to the first (Adebayo et al. 2018). The pixels that it calls important must
    matter: deleted first, they make the answer fall soon; inserted first, they bring it back
    (Petsiuk et al. 2018). And noise that the eye hardly sees must not change it much (Yeh et al.
    2019). The explained method runs with its own defaults, but for the many maps that are only
    compared with each other: of a method of many passes these are coarse.

    Returns:
        Verdict with `.values` (measures,): the mean rank correlation and the mean SSIM of the map
        with those of the shuffled networks, the areas of deletion and insertion, the greatest
        change under noise. Curves, badges and the protocol are in `.data()`.

    Raises:
        PellucidError: no such method, one that this network does not suit, or several targets.

    Example:
        >>> trust(net, "saliency", "photo:cat").save("verdict.png")
    """
    chosen = explainer(method)
    asked = Asked.of(net, photo, target)
    plan = Plan.of(asked, stages, samples, radius, pieces)
    total = BASES + plan.parts

    quick = chosen.quick(net)
    rough = partial(quick.explain, asked=asked) if quick != chosen else None
    bases = yield from counted(baselines(asked, plan), 0, total)
    work = judged(chosen.name, partial(chosen.explain, asked=asked), asked, plan, bases, rough)
    judgement = yield from counted(work, BASES, total)
    told = " Maps of shuffled networks and of noise are drawn coarsely." if rough else ""
    return Verdict.of(judgement, asked.name, plan.protocol(asked.what) + told)
