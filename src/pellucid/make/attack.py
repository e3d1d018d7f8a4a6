"""How little has to change for another answer?"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Annotated, Any

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attacked import Attacked
from pellucid.images import Photo, open_image
from pellucid.make.attempts import DOUBLINGS, HALVINGS, Attack, Attempt, Way, smallest
from pellucid.make.ball import LEVELS, Image, Norm, length
from pellucid.method import Step, method
from pellucid.misled import Draw
from pellucid.network import Network
from pellucid.option import Help
from pellucid.panels import Opinion, percent
from pellucid.recipe import Recipe

MOST = 32  # levels: what is tried at most; of l2 the length of such a change of every value


@method(examples=lambda net: [{}])
def attack(
    net: Network,
    photo: Photo,
    *,
    target: Annotated[
        str | None,
        Help("class to be taken for; away from the most probable one if none", names="unit"),
    ] = None,
    way: Annotated[Way, Help("many small steps, each brought back, or a single one")] = "pgd",
    norm: Annotated[
        Norm, Help("what small means: the greatest change of a value, or the length of all of them")
    ] = "linf",
    size: Annotated[
        float | None,
        Help("linf: levels of 255; l2: length, pixels from 0 to 1; the smallest if none", low=0),
    ] = None,
    most: Annotated[
        float | None,
        Help("size tried at most; if none, that of a change of every value by 32 levels", low=1e-3),
    ] = None,
    steps: Annotated[int, Help("of pgd, for each size", low=1, high=100_000)] = 10,
    start: Annotated[bool, Help("begin pgd at a random place, not at the photo")] = True,
    draw: Annotated[
        Draw, Help("photo, change and result, and what is said of them; the result alone")
    ] = "panels",
    seed: Annotated[int, Help("of the random place")] = 0,
) -> Generator[Step, None, Attacked]:
    """The photo changed as little as possible, so that the network takes it for something else.

    Every pixel moves a little the way in which the class becomes more probable: in one step
    (`fgsm`: Goodfellow, Shlens, Szegedy 2015), or in many, after each of which the picture is
    brought back to within the size of the photo (`pgd`: Madry et al. 2018). Sizes count in pixels,
    before normalisation, and the result stays between black and white.

    Without `size` the smallest that works is looked for: doubled until the network gives in, then
    by bisection. The result is rounded to 8 bits, as a file is, and judged so; where rounding
    undoes the smallest change, a somewhat greater one is taken.

    Returns:
        Attacked with `.values` (3 or 1, height, width), 0 to 1: the picture in the network's input.
        `.alone()` draws it pixel for pixel.

    Raises:
        PellucidError: unknown target, or the network takes the photo for it already.

    Example:
        >>> attack(net, "photo:cat", target="sunflower").facts["smallest"]
        6.1875
    """
    asked = Attack.of(net, photo, target, way, norm, steps, start, seed)
    most = asked.usual_most(MOST) if most is None else most
    total = 1 if size is not None else DOUBLINGS + 1 + HALVINGS + 1
    sizes = iter([asked.at(size)]) if size is not None else smallest(asked.at, most)
    tried: list[Attempt] = []
    whole = True
    try:
        for attempt in sizes:
            tried.append(attempt)
            text = f"size {attempt.tried.size:.3g}: {Opinion.of(attempt.scores, net.labels)}"
            yield Step(len(tried), total, text, attempt.picture[0].float().cpu())
    except KeyboardInterrupt:
        if not tried:
            raise
        whole = False
    best = _best(tried, asked.adversary.away)
    kept = asked.in_file(best, most if size is None else size)
    if whole and len(tried) < total:
        yield Step(total, total, "rounded to 8 bits")
    return _result(asked, tried, kept, draw, size is None, whole)


def _best(tried: Sequence[Attempt], away: bool) -> Attempt:
    """The smallest that works; where none does, the one that comes nearest to it."""
    won = [attempt for attempt in tried if attempt.tried.won]
    if won:
        return min(won, key=lambda attempt: attempt.tried.size)
    return max(tried, key=lambda attempt: attempt.tried.probability * (-1 if away else 1))


def _result(
    asked: Attack, tried: Sequence[Attempt], kept: Attempt, draw: Draw, searched: bool, whole: bool
) -> Attacked:
    adversary, labels = asked.adversary, asked.adversary.net.labels
    before = adversary.scores(asked.photo)
    change = kept.picture - asked.photo
    won = [attempt.tried.size for attempt in tried if attempt.tried.won]
    facts: dict[str, Any] = {
        "success": kept.tried.won,
        **({"smallest": min(won)} if searched and won else {}),
        "size": kept.tried.size,
        "largest change": LEVELS * length(change, "linf"),
        "length": length(change, "l2"),
        "probability before": float(before.double().softmax(0)[adversary.unit.channel]),
        "probability": kept.tried.probability,
        "outlasts opening": adversary.won(_opened_again(adversary.net, kept.picture)),
    }
    said = [Opinion.of(scores, labels) for scores in (before, kept.scores)]
    told = _told(asked, said, kept, max(attempt.tried.size for attempt in tried))
    if kept.tried.won and searched and kept.tried.size > min(won):
        told += f"; without rounding {min(won):.3g} would do"
    if not kept.tried.won and not bool(asked.uphill(asked.photo).any()):
        told += "; the gradient at the photo is zero, so nothing says which way to go"
    return Attacked(
        values=kept.picture[0].float().cpu(),
        clean=asked.photo[0].float().cpu(),
        before=said[0],
        after=said[1],
        about=labels[adversary.unit.channel],
        away=adversary.away,
        tries=tuple(attempt.tried for attempt in tried),
        unit=asked.unit,
        draw=draw,
        facts=facts,
        caption=told + ("" if whole else " (stopped early)"),
        recipe=Recipe("", {} if whole else {"size": kept.tried.size}),
    )


def _told(asked: Attack, said: Sequence[Opinion], kept: Attempt, greatest: float) -> str:
    """What was done to the photo, in a sentence; of a change the size that the picture has."""
    tried = kept.tried
    if tried.won:
        change = asked.said(asked.size(kept.picture))
        if asked.said(tried.size) != change:
            change += f", at most {tried.size:.3g} before rounding to 8 bits"
        return f"{said[0]} becomes {said[1]} by a change of {change} ({asked.name})"
    about = asked.adversary.net.labels[asked.adversary.unit.channel]
    what = f"leads away from {about}" if asked.adversary.away else f"makes it {about}"
    at = "" if tried.size == greatest else f" at {tried.size:.3g}"
    return (
        f"{said[0]} stays what it is: no change tried, of up to {asked.said(greatest)}, {what}, "
        f"which comes to {percent(tried.probability)}{at} ({asked.name})"
    )


def _opened_again(net: Network, picture: Image) -> Float[Tensor, "classes"]:
    """What the network says when the picture is saved and opened like any photo."""
    inputs, _ = net.prepare(open_image(picture[0].float().cpu()))
    with torch.no_grad():
        return net.scores(inputs)[0].float().cpu()
