"""What does a unit look for?"""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated, Any

from pellucid.digits import apart
from pellucid.errors import PellucidError
from pellucid.images import Photo
from pellucid.make import rivals
from pellucid.make.draw import Drawing
from pellucid.make.manner import manner
from pellucid.make.objective import Objective, Scaled, Sum
from pellucid.make.objectives import UnitObjective, read
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.portrait import Portrait
from pellucid.recipe import Recipe

Wanted = Annotated[
    str,
    Help("a unit, or units and more added up: conv4:17 - 0.1 * total_variation", names="objective"),
]
Named = Annotated[
    str,
    Help("how to draw: simple, yosinski1 to yosinski4, jitter, lucid, crop, maco"),
]
Steps = Annotated[int | None, Help("of gradient ascent; the recipe's if none", low=1)]
Rate = Annotated[float | None, Help("of a step; the recipe's if none", low=0, high=1e6)]
Size = Annotated[
    str | None,
    Help("px: 128 the shorter side, 96x128 height x width; the input's if none", names="words"),
]
CanvasWords = Annotated[
    str | None, Help("pixels, fourier or phase; the recipe's if none", names="words")
]
TransformWords = Annotated[
    str | None,
    Help("such as jitter 0.04; rotate 5, or none; the recipe's if none", names="words"),
]
RegulariserWords = Annotated[
    str | None,
    Help("such as decay 0.02; blur 0.5 4, or none; the recipe's if none", names="words"),
]
ClimbWords = Annotated[
    str | None, Help("such as adam 0.05 or even 0.05; the recipe's if none", names="words")
]


@method(examples=lambda net: _examples(net), exact=False)
def feature(
    net: Network,
    want: Wanted,
    photos: Photo | tuple[Photo, ...] | None = None,
    *,
    recipe: Named = "crop",
    steps: Steps = None,
    rate: Rate = None,
    size: Size = None,
    canvas: CanvasWords = None,
    transforms: TransformWords = None,
    regularisers: RegulariserWords = None,
    climb: ClimbWords = None,
    seed: Annotated[int, Help("of noise and transforms")] = 0,
) -> Generator[Step, None, Portrait]:
    """The picture that a unit answers to most strongly, drawn from nothing.

    Gradient ascent on the image: I* = argmax f(I) + R(I), the network fixed (Erhan et al. 2009;
    Simonyan, Vedaldi, Zisserman 2014). For a channel the mean over its places is raised, for a
    class its unnormalised score.

    A recipe says how: `simple` is the course's, from zeros with L2 decay; `yosinski1` to
    `yosinski4` have the four published sets of regularisers (Yosinski et al. 2015); `jitter` is
    the simple one seen a little moved; `lucid` climbs in waves with natural colours (Olah,
    Mordvintsev, Schubert 2017); `crop` does so in parts of the picture, enlarged, and so finds
    what holds at several sizes; `maco` climbs in the waves' phases alone (Fel et al. 2023). Each
    part of a recipe can be set otherwise. Beside the picture stand its climb, how high it is when
    seen afresh, and the best that a real photo reaches.

    Args:
        photos: real ones to compare with; those installed here if none are given.

    Returns:
        Portrait with `.values` (3 or 1, height, width), 0 to 1.

    Raises:
        PellucidError: unknown unit or recipe; a dead unit, which has no gradient whatever is
            shown; steps that go so far that a number is no longer finite; a size that is too small.

    Example:
        >>> feature(net, "conv4:17").save("unit.png")
    """
    objective = want if isinstance(want, Objective) else read(want, net)
    bound = objective.bind(net)
    how = manner(recipe).but(
        steps=steps, rate=rate, size=size, canvas=canvas, transforms=transforms,
        regularisers=regularisers, climb=climb,
    )  # fmt: skip
    drawing = Drawing(net, bound, how, seed=seed)
    whole = yield from drawing.run(objective)
    done = drawing.so_far()
    if bool(drawing.dead()[0]):
        raise PellucidError(
            f"{objective} is dead: no picture on the way gave it any gradient, not even with "
            f"rectifiers held open, so there is nothing to climb. Another seed may wake it; the "
            f"layer before may say more"
        )
    given = (photos,) if isinstance(photos, Photo) else photos
    final, fresh = float(drawing.plain()[0]), drawing.fresh()[:, 0]
    rival = rivals.best(net, bound, given)
    facts: dict[str, Any] = {"value": final, "fresh value": float(fresh.mean())}
    sure = _probability(net, objective, drawing)
    low, high = apart(float(done.curve[0, 0]), final)
    told = f"{objective}: from {low} to {high} in {done.step} steps"
    if sure is not None:
        facts["fresh probability"] = sure
        told += f", probability seen afresh {sure:.1%}"
    if not whole:
        told += f" (stopped, of {how.steps})"
    if rival is not None:
        told += f"; the best photo reaches {rival[1]:.3g}"
    return Portrait(
        values=done.pictures[0],
        caption=told,
        recipe=Recipe("", {} if whole else {"steps": done.step}),
        facts=facts,
        curve=done.curve[:, 0],
        fresh=fresh,
        weight=done.weight[0],
        rival=rival,
    )


def _probability(net: Network, objective: Objective, drawing: Drawing) -> float | None:
    """Of a class its mean probability on the finished picture, seen afresh."""
    while not isinstance(objective, UnitObjective):
        if isinstance(objective, Sum):
            objective = objective.parts[0]
        elif isinstance(objective, Scaled) and objective.times > 0:
            objective = objective.part
        else:
            return None
    unit = net.unit(objective.name)
    if not unit.is_class:
        return None
    shares = drawing.fresh_probabilities()[:, 0, unit.channel]
    if unit.position is not None:
        shares = shares[:, unit.position[0], unit.position[1]]
    return float(shares.mean())


def _examples(net: Network) -> list[dict[str, str]]:
    units = [f"{layer.name}:{layer.layout.channels // 3}" for layer in net.spread(3)[1:]]
    classes = [f"class:{9 * net.classes // 10}"] if len(net.layers[""].shape) == 1 else []
    return [{"want": want} for want in [*classes, *units]]
