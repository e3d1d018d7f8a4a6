"""How differently can a unit be satisfied?"""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.make.draw import Drawing
from pellucid.make.feature import Named, Rate, Size, Wanted
from pellucid.make.manner import Manner, manner
from pellucid.make.objective import Bound, Objective, Values, View
from pellucid.make.objectives import UnitObjective, diversity, read
from pellucid.make.runner import Runner
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.recipe import Recipe
from pellucid.results import Grid


@method(examples=lambda net: _examples(net), exact=False)
def diverse(
    net: Network,
    want: Wanted,
    *,
    count: Annotated[int, Help("pictures that are to differ", low=2, high=64)] = 4,
    weight: Annotated[
        float, Help("of being different, as a share of the unit's own value", low=0, high=100)
    ] = 0.7,
    layer: Annotated[
        str | None,
        Help(
            "whose textures are to differ; the unit's, or the last with places, if none",
            names="layer",
        ),
    ] = None,
    recipe: Named = "lucid",
    steps: Annotated[int, Help("of gradient ascent", low=1)] = 128,
    rate: Rate = None,
    size: Size = None,
    seed: Annotated[int, Help("of noise and transforms")] = 0,
) -> Generator[Step, None, Grid]:
    """Pictures that raise one unit, each in another way than the others.

    To the unit's value is added how little the textures of the pictures resemble each other, by
    the Gram matrices of a layer: minus the mean cosine of each with the others' (Olah, Mordvintsev,
    Schubert 2017). No photos are needed, so it also finds what nobody has a photo of. Below them,
    drawn in the same batch, stand as many from the same noise without that term.

    The term counts as a share of the value that the unit has at the moment, in place of a number
    that would have to be found anew for each unit.

    Returns:
        Grid with `.values` (2 count, 3 or 1, height, width), 0 to 1: first those that are to
        differ, then those without the term.

    Raises:
        PellucidError: unknown unit or layer, or anything that `feature` raises.

    Example:
        >>> diverse(net, "class:sunflower", count=4).save("sunflowers.png")
    """
    objective = want if isinstance(want, Objective) else read(want, net)
    name = net.layer(layer).name if layer is not None else _textures(net, objective)
    unit, term = objective.bind(net), diversity(name).bind(net)
    how = manner(recipe).but(steps=steps, rate=rate, size=size)
    starts = _starts(net, how, count, seed)
    drawing = Drawing(
        net, _differing(unit, term, count, weight), how, count=2 * count, seed=seed,
        begins=starts.repeat(2, 1, 1, 1),
    )  # fmt: skip
    whole = yield from drawing.run(objective)
    if bool(drawing.dead().all()):
        raise PellucidError(f"{objective} is dead: no picture on the way gave it any gradient")
    done = drawing.so_far()
    with torch.no_grad():
        run = Runner(net, unit.layers | term.layers, drawing.size, copied=False)
        view = View(net, done.inputs, dict(run(done.inputs)))
        values = unit.value(view).float().cpu()
        with_it, without = (-float(term.value(part).mean()) for part in _halves(view, count))
    means = values[:count].mean(), values[count:].mean()
    told = (
        f"{objective} in {count} ways: textures at {name} alike {with_it:.2f} of 1, "
        f"{means[0]:.3g} on average; below, left to themselves, alike {without:.2f}, {means[1]:.3g}"
    )
    return Grid(
        values=done.pictures,
        caption=told + ("" if whole else f" (stopped at step {done.step} of {steps})"),
        recipe=Recipe("", {} if whole else {"steps": done.step}),
        facts={
            "alike": with_it,
            "alike without": without,
            "value": values[:count].tolist(),
            "value without": values[count:].tolist(),
        },
        names=tuple(f"{value:.3g}" for value in values.tolist()),
        scale="plain",
        tile=160,
        columns=count,
    )


def _differing(unit: Bound, term: Bound, count: int, weight: float) -> Bound:
    """The unit, and for the first so many of the batch that they differ among themselves."""

    def value(view: View) -> Values:
        plain = unit.value(view)
        first, _ = _halves(view, count)
        share = weight * plain[:count].detach().abs().mean()
        return torch.cat([plain[:count] + share * term.value(first).to(plain), plain[count:]])

    return Bound(unit.layers | term.layers, value, unit.fixed)


def _halves(view: View, count: int) -> tuple[View, View]:
    """The first so many pictures of a view, and the others."""
    return view.part(slice(0, count)), view.part(slice(count, None))


def _starts(
    net: Network, how: Manner, count: int, seed: int
) -> Float[Tensor, "count channels height width"]:
    """What the pictures begin as: noise of its own for each, or nothing would tell them apart."""
    noisy = how.but(canvas=how.canvas.noisy()).canvas
    made = [
        noisy.sheet(net, torch.Generator().manual_seed(seed + number)).pictures()
        for number in range(count)
    ]
    return torch.cat(made)


def _textures(net: Network, objective: Objective) -> str:
    """The unit's own layer where it has places, else the last one that has."""
    if isinstance(objective, UnitObjective):
        unit = net.unit(objective.name)
        if not unit.is_class and min(net.layers[unit.layer].layout.grid) > 1:
            return unit.layer
    return net.spread(2)[1].name


def _examples(net: Network) -> list[dict[str, str]]:
    units = [f"{layer.name}:{layer.layout.channels // 3}" for layer in net.spread(3)[1:2]]
    classes = [f"class:{9 * net.classes // 10}"] if len(net.layers[""].shape) == 1 else []
    return [{"want": want} for want in [*classes, *units]]
