"""Which different things does a unit look for?"""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated, Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import PellucidError
from pellucid.facet import Facets
from pellucid.images import Photo
from pellucid.make import rivals, traits
from pellucid.make.draw import Drawing
from pellucid.make.feature import Named, Size, Wanted
from pellucid.make.groups import Groups, grouped, learning, silhouette
from pellucid.make.manner import manner
from pellucid.make.objective import Objective
from pellucid.make.objectives import read
from pellucid.make.parts import parts as cut
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.recipe import Recipe

MEAN_OF = 15  # photos nearest to a group's centre, as in the paper


@method(examples=lambda net: _examples(net), exact=False)
def facets(
    net: Network,
    want: Wanted,
    photos: Photo | tuple[Photo, ...] | None = None,
    *,
    count: Annotated[
        int | None, Help("facets; as few as lie nearly best apart on the map if none", low=1)
    ] = None,
    parts: Annotated[
        int,
        Help(
            "squares along a photo's shorter side, each a photo of its own; 1: whole photos",
            low=1,
            high=16,
        ),
    ] = 1,
    top: Annotated[int, Help("photos that are used: those that raise the unit most", low=1)] = 200,
    layer: Annotated[
        str | None,
        Help("whose features tell photos apart; the one before the scores if none", names="layer"),
    ] = None,
    recipe: Named = "lucid",
    steps: Annotated[int, Help("of gradient ascent", low=1)] = 64,
    rate: Annotated[float, Help("of a step: a small one stays near the photos", low=0)] = 0.016,
    size: Size = None,
    seed: Annotated[int, Help("of map, groups and transforms")] = 0,
) -> Generator[Step, None, Facets]:
    """The several things that one unit answers to, each drawn from photos that look alike.

    A unit that means "grocery" fires at shelves and at shop fronts; one climb finds one of them.
    Multifaceted feature visualisation (Nguyen, Yosinski, Clune 2016) asks the photos first: those
    that raise the unit most are laid out by the features of a deep layer (PCA to 50 numbers,
    t-SNE to two) and grouped there by k-means; the mean of the 15 photos nearest to each group's
    centre is what a climb begins with, and short steps keep it in that facet.

    Where photos are few, `parts` cuts each into squares that overlap, which suits channels: they
    see no more than a part of a photo anyway. The paper climbs pixels with a blur that it loosens
    step by step; here a recipe of `feature` does the climbing, with short steps in place of the
    schedule.

    Args:
        photos: paths, or a folder of them; those installed here if none are given, which are few
            and of many things.

    Returns:
        Facets with `.values` (facets, 3 or 1, height, width), 0 to 1.

    Raises:
        PellucidError: fewer photos than facets, unknown unit or layer, a dead unit, scikit-learn
            is not installed, or anything that `feature` raises.

    Example:
        >>> facets(net, "class:sunflower", "photos/sunflower").save("facets.png")
    """
    objective = want if isinstance(want, Objective) else read(want, net)
    bound = objective.bind(net)
    how = manner(recipe).but(steps=steps, rate=rate, size=size)
    name = net.layer(layer).name if layer is not None else traits.penultimate(net)
    if not net.layers[name].layout.channels:
        raise PellucidError(f"layer {name!r} has no channels that could be named")
    at_hand = rivals.at_hand() if photos is None else photos
    whole_ones = (at_hand,) if isinstance(at_hand, Photo) else at_hand
    given = [part for photo in whole_ones for part in cut(photo, parts)]
    if count is not None and count > min(len(given), top):
        raise PellucidError(
            f"{count} facets need at least {count} photos, and here are {min(len(given), top)}"
        )
    if len(given) > 1:
        learning()  # told now where it is missing, not after the photos were looked at
    looks = -(-len(given) // traits.BATCH)
    values, features = yield from traits.looked_at(net, bound, name, given, looks + steps)
    used = values.argsort(descending=True, stable=True)[:top]
    groups = grouped(features[used], count, seed)
    crops = [
        torch.stack([net.preprocess.crop(given[int(used[at])])[0] for at in near])
        for near in (groups.nearest(group, MEAN_OF) for group in range(len(groups.sizes)))
    ]
    starts = torch.stack([crop.mean(0) for crop in crops])
    drawing = Drawing(net, bound, how, count=len(starts), seed=seed, begins=starts)
    whole = yield from drawing.run(objective, before=looks)
    if bool(drawing.dead().all()):
        raise PellucidError(
            f"{objective} is dead: none of these photos, nor any picture on the "
            f"way from them, gives it a gradient"
        )
    done, of = drawing.so_far(), "part" if parts > 1 else "photo"
    scores = drawing.plain()
    drawn = traits.described(net, name, done.inputs, drawing.size)
    facts = {
        "apart": apart(done.pictures), "starts apart": apart(starts),
        "silhouette": silhouette(groups.places, groups.number),
        **_kept(drawn, features[used], groups),
    }  # fmt: skip
    return Facets(
        values=done.pictures,
        caption=_told(objective, of, groups, scores, float(values.max()), facts)
        + ("" if whole else f" (stopped at step {done.step} of {steps})"),
        recipe=Recipe("", {} if whole else {"steps": done.step}),
        facts=facts,
        starts=starts,
        nearest=tuple(crops),
        places=groups.places.float(),
        groups=groups.number,
        scores=scores,
        of=of,
    )


def apart(pictures: Float[Tensor, "batch channels height width"]) -> float:
    """How far pictures differ: root mean square over pixels, mean over the pairs; 0 of one."""
    if len(pictures) < 2:
        return 0.0
    flat = pictures.flatten(1).double()
    return float(torch.pdist(flat).mean() / flat.shape[1] ** 0.5)


def _kept(
    drawn: Float[Tensor, "facets channels"],
    features: Float[Tensor, "photos channels"],
    groups: Groups,
) -> dict[str, int]:
    """How many pictures are still of their own group, in the layer's features.

    A climbed picture excites a unit more than any photo does, and so lies far from all groups, on
    one side: whether the pictures differ as the groups differ is asked apart from what all of
    them have in common.
    """
    own = torch.arange(len(drawn))
    means = torch.stack([features[groups.number == group].mean(0) for group in own])
    nearest = torch.cdist(drawn, means).argmin(1)
    lean = F.cosine_similarity((drawn - drawn.mean(0))[:, None], means - means.mean(0), dim=2)
    counts = {"nearest to their own group": nearest, "lean to their own group": lean.argmax(1)}
    return {name: int((found == own).sum()) for name, found in counts.items()}


def _told(
    objective: Objective,
    of: str,
    groups: Groups,
    scores: Tensor,
    best: float,
    facts: dict[str, Any],
) -> str:
    count = len(scores)
    told = f"{objective} in {count} facets of {len(groups.number)} {of}s" if count > 1 else ""
    told = told or f"{objective} from {len(groups.number)} {of}s that are one group"
    told += f": {', '.join(f'{score:.3g}' for score in scores.tolist())}, the best {of} {best:.3g}"
    if count > 1:
        lean, near = facts["lean to their own group"], facts["nearest to their own group"]
        told += (
            f"; {lean} of {count} pictures {'leans' if lean == 1 else 'lean'} to their own {of}s "
            f"more than to the other groups, {near} {'is' if near == 1 else 'are'} nearest to them "
            f"outright"
        )
    return told


def _examples(net: Network) -> list[dict[str, Any]]:
    units = [f"{layer.name}:{layer.layout.channels // 3}" for layer in net.spread(3)[1:2]]
    return [{"want": want, "parts": 5, "top": 60} for want in units]
