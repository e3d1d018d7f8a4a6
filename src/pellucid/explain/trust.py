"""Is this map worth believing?"""

from collections.abc import Generator
from typing import Annotated

from pellucid.explain.asked import Asked, One
from pellucid.explain.explainers import explainer
from pellucid.explain.judge import BASES, Plan, baselines, counted, judged
from pellucid.explain.protocol import USUAL, Pieces, Protocol, Radius, Samples, Seed, Stages
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
    stages: Stages = USUAL.stages,
    samples: Samples = USUAL.samples,
    radius: Radius = USUAL.radius,
    pieces: Pieces = USUAL.pieces,
    seed: Seed = USUAL.seed,
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
        change under noise; NaN of an empty map, of which nothing can be measured. Curves, badges
        and the protocol are in `.data()`.

    Raises:
        PellucidError: no such method, one that this network does not suit, or several targets.

    Example:
        >>> trust(net, "saliency", "photo:cat").save("verdict.png")
    """
    chosen = explainer(method)
    asked = Asked.of(net, photo, target)
    plan = Plan.of(asked, Protocol(stages, samples, radius, pieces, seed))
    total = BASES + plan.parts
    bases = yield from counted(baselines(asked, plan), 0, total)
    judgement = yield from counted(judged(chosen, asked, plan, bases), BASES, total)
    return Verdict.of(judgement, asked.name, asked.what, *plan.told(asked))
