"""How sure can a network be of nonsense?"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from math import log, sqrt
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.fooled import Fooled
from pellucid.make.adversary import Adversary, odds
from pellucid.make.ball import LEVELS, Image, length
from pellucid.make.climb import Even
from pellucid.make.draw import Drawing
from pellucid.make.manner import Manner
from pellucid.make.objective import Bound, Objective, View
from pellucid.make.pixels import Pixels
from pellucid.method import Step, method
from pellucid.misled import Draw
from pellucid.network import Network
from pellucid.option import Help
from pellucid.panels import Opinion, percent
from pellucid.recipe import Recipe
from pellucid.unit import Unit

MOST_CONFIDENCE = 1 - 1e-6  # single precision has no room for more


@dataclass(frozen=True)
class Odds(Objective):
    """The log-odds of a class: how sure the network is, without an end."""

    unit: Unit

    def bind(self, net: Network) -> Bound:
        """log p / (1 - p)."""

        def value(view: View) -> Tensor:
            return odds(view.seen[""], self.unit.channel)

        return Bound(frozenset({""}), value)

    def __str__(self) -> str:
        return f"log-odds of {self.unit}"


@method(examples=lambda net: [{"target": f"class:{9 * net.classes // 10}"}], exact=False)
def fool(
    net: Network,
    target: Annotated[str, Help("class to be seen", names="unit")],
    *,
    confidence: Annotated[
        float, Help("probability at which it is enough", low=0.01, high=MOST_CONFIDENCE)
    ] = 0.99,
    steps: Annotated[int, Help("of gradient ascent at most", low=1, high=100_000)] = 500,
    rate: Annotated[
        float, Help("of a step: root mean square, in deviations of the network's input", low=1e-6)
    ] = 0.02,
    draw: Annotated[
        Draw, Help("static, change and result, and what is said of them; the result alone")
    ] = "panels",
    seed: Annotated[int, Help("of the static")] = 0,
) -> Generator[Step, None, Fooled]:
    """Static, changed just so far that the network is sure to see a class in it.

    Every pixel is drawn at random, then follows the gradient of the class's log-odds in short
    steps, without a regulariser, until the network is as sure as asked for (Nguyen, Yosinski,
    Clune 2015). What is left looks like static to us where the network has learned to look at
    other things than we do. The result is rounded to 8 bits, as a file is, and judged so.

    Returns:
        Fooled with `.values` (3 or 1, height, width), 0 to 1: the picture in the network's input.
        `.alone()` draws it pixel for pixel.

    Raises:
        PellucidError: unknown class, no gradient, or static that is taken for it from the start.

    Example:
        >>> fool(net, "sunflower").facts["steps"]
        21
    """
    unit = net.unit(target)
    if not unit.is_class:
        raise PellucidError(f"a network is sure of a class, and {unit} is none")
    judge = Adversary(net, unit, away=False)
    random = torch.Generator().manual_seed(seed)
    static = _eight_bits(torch.rand(net.blank().shape, generator=random))
    start = _Look.at(static, judge)
    if start.share >= confidence:
        raise PellucidError(
            f"static is taken for {unit} at {percent(start.share)} already: ask for more "
            f"confidence than {confidence:g}, or for another class"
        )
    manner = Manner(Pixels(), (), (), Even(rate), steps)
    drawing = Drawing(net, Odds(unit).bind(net), manner, seed=seed, begins=static)
    # A pass of its own for the rounded picture is worth it only near the end.
    near = log(confidence / (1 - confidence)) - 1
    sure = False
    work = drawing.run(f"log-odds of {unit}")
    try:
        for step in work:
            if drawing.values[-1][0] >= near:
                sure = _Look.at(_eight_bits(drawing.sheet.pictures()), judge).share >= confidence
            # The last of the steps, also where it comes before its time.
            yield replace(step, done=steps) if sure else step
            if sure:
                break
    except KeyboardInterrupt:
        if not drawing.values:
            raise
    finally:
        work.close()
    whole = sure or len(drawing.values) == steps
    if not bool(drawing.alive[0]):
        raise PellucidError(f"no gradient of {unit} reaches the picture: there is no way to go")
    look = _Look.at(_eight_bits(drawing.sheet.pictures()), judge)
    return _result(net, unit, start, look, drawing, confidence, draw, whole)


@dataclass(frozen=True)
class _Look:
    """A picture, and what the network says of it."""

    picture: Image
    scores: Float[Tensor, "classes"]
    share: float

    @classmethod
    def at(cls, picture: Image, judge: Adversary) -> _Look:
        scores = judge.scores(picture.to(judge.net.device))
        return cls(picture, scores, float(scores.double().softmax(0)[judge.unit.channel]))


def _eight_bits(picture: Image) -> Image:
    return (picture * LEVELS).round() / LEVELS


def _result(
    net: Network, unit: Unit, start: _Look, look: _Look, drawing: Drawing, confidence: float,
    draw: Draw, whole: bool,
) -> Fooled:  # fmt: skip
    said = [Opinion.of(one.scores, net.labels) for one in (start, look)]
    steps = len(drawing.values)
    change = look.picture - start.picture
    spread = LEVELS * length(change, "l2") / sqrt(change.numel())
    before = torch.tensor(drawing.values)[:, 0].double().sigmoid()
    success = look.share >= confidence
    label = net.labels[unit.channel]
    told = f"static becomes {label} at {percent(look.share)}"
    if not success:
        told = f"static does not become {label}: it comes to {percent(look.share)}"
    told += f" in {steps} steps, which change it by {spread:.3g} of 255 levels (root mean square)"
    return Fooled(
        values=look.picture[0].float(),
        clean=start.picture[0].float(),
        before=said[0],
        after=said[1],
        about=label,
        curve=torch.cat([before, torch.tensor([look.share])]).float(),
        confidence=confidence,
        draw=draw,
        facts={
            "success": success,
            "probability before": start.share,
            "probability": look.share,
            "steps": steps,
            "mean change": spread,
            "largest change": LEVELS * length(change, "linf"),
            "length": length(change, "l2"),
        },
        caption=told + ("" if whole else " (stopped early)"),
        recipe=Recipe("", {} if whole else {"steps": steps}),
    )
