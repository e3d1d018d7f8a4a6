"""How would this photo look, had it been painted like that picture?"""

from __future__ import annotations

from collections.abc import Generator
from itertools import product
from typing import Annotated, Any, Literal

import torch
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.images import Photo
from pellucid.make.blend import Blend, Manner
from pellucid.make.easel import Colours, grey, laid_out, numbers, regions, seen, styled, weighed
from pellucid.make.octaves import resized
from pellucid.make.strata import strata, usual, usual_content
from pellucid.make.synthesis import Synthesis, roots
from pellucid.make.tiling import TileSide
from pellucid.make.tones import coloured, luminance
from pellucid.make.weave import noise
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.recipe import Recipe
from pellucid.results import Grid, Picture

LONGEST = 512  # px of a picture, where no size is asked for
LEAST = 96  # px of the shorter side of what is worked on

Layers = Annotated[
    str | None,
    Help(
        "whose Gram matrices are the style, each with a weight: relu1; relu3 0.5; pixels is the "
        "picture itself; the first at each scale if none",
        names="words",
    ),
]
Near = Annotated[
    str | None,
    Help("that are kept place by place, as layers; about as VGG's relu4_2 if none", names="words"),
]
Stop = Annotated[int | None, Help("after so many of all steps, as Ctrl-C does", low=1)]
Masks = Annotated[
    Photo | tuple[Photo, ...] | None,
    Help("where each style holds, white; the last may be left out, it then has the rest"),
]


@method(examples=lambda net: _examples(net))
def style_transfer(
    net: Network,
    content: Photo,
    styles: Photo | tuple[Photo, ...],
    *,
    strength: Annotated[float, Help("0 the photo, 1 the style alone", low=0, high=1)] = 0.5,
    strengths: Annotated[str | None, Help("several in a row of pictures: 0.2,0.5,0.8")] = None,
    scale: Annotated[
        float, Help("side of the style, where that of the photo is 1", low=0.05, high=16)
    ] = 1.0,
    scales: Annotated[str | None, Help("several, a row of pictures for each: 0.5,1,2")] = None,
    mix: Annotated[str | None, Help("of several styles: 2,1; all alike if none")] = None,
    masks: Masks = None,
    colours: Annotated[
        Colours, Help("those of the style; or the photo's: only luminance painted, or style dyed")
    ] = "style",
    begin: Annotated[Literal["content", "noise"], Help("what it begins with")] = "content",
    size: Annotated[
        int | None, Help("px of the longer side; the photo's own, at most 512, if none", low=8)
    ] = None,
    layers: Layers = None,
    near: Near = None,
    octaves: Annotated[
        int, Help("sizes that are worked on, each 1.4 times the one before", low=1, high=12)
    ] = 3,
    steps: Annotated[int, Help("at each size", low=1, high=100_000)] = 50,
    rate: Annotated[
        float | None, Help("of Adam, in standard deviations; by curvature if none", low=0)
    ] = None,
    mean: Annotated[
        float, Help("share of the last steps whose mean is the picture, if better", low=0, high=1)
    ] = 0.0,
    smooth: Annotated[float, Help("weight of the total variation", low=0)] = 0.05,
    tile: TileSide = None,
    stop: Stop = None,
    seed: Annotated[int, Help("of the noise")] = 0,
) -> Generator[Step, None, Picture | Grid]:
    """A photo with its things left in place, and the texture of another picture.

    Gatys, Ecker, Bethge (2016): one deep layer is kept as it is in the photo, place by place; of
    several layers the Gram matrices, which know of no places, are made those of the style. Both
    errors are shares of their own worst, so that a strength of 0.5 is a balance on any network.
    Coarse sizes come before fine ones, and what the steps have learned of the curvature is carried
    over. A picture past memory is seen in tiles, held as a whole against the style's matrices.

    Returns:
        Picture with `.values` (3 or 1, height, width), 0 to 1; of several strengths or scales a
        Grid with `.values` (pictures, 3 or 1, height, width), a row for each scale. `.facts` has
        the errors of all terms.

    Raises:
        PellucidError: an unknown layer, numbers that are none, or masks that do not fit the styles.

    Example:
        >>> style_transfer(net, "photo:cat", "photo:brick", strength=0.7).save("art.png")
    """
    chosen = styles if isinstance(styles, tuple) else (styles,)
    given = () if masks is None else masks if isinstance(masks, tuple) else (masks,)
    all_strengths = numbers("strengths", strengths, 0, 1) or [strength]
    all_scales = numbers("scales", scales, 0.05, 16) or [scale]
    own = weighed(mix, len(chosen))
    where = regions(given, len(chosen))
    # Fine detail is kept down by the variation: held to the style's as well, it flees to the rim.
    style_layers = strata(net, layers, fine=0)
    near_layers = strata(net, near or usual_content(net))
    photo = laid_out(content, LONGEST if size is None else size, size is not None)
    wanted = photo.shape[1], photo.shape[2]
    shown = seen(net, luminance(photo).expand(3, -1, -1) if colours == "luminance" else photo)
    cells = [(one, other) for one, other in product(all_scales, all_strengths)]
    sizes = roots(wanted, LEAST, octaves)
    total = steps * len(sizes) * len(cells)
    total = total if stop is None else min(total, stop)
    made: list[Tensor] = []
    facts: list[dict[str, Any]] = []
    done, whole, trouble = 0, True, ""
    blends: dict[float, Blend] = {}
    for wide, strong in cells:
        if wide not in blends:
            manners = [
                Manner(styled(net, style, photo, wide, colours), weight, mask)
                for style, weight, mask in zip(chosen, own, where, strict=True)
            ]
            blends[wide] = Blend(
                net, shown, manners, style_layers, near_layers, smooth=smooth, tile=tile
            )
        blend = blends[wide].at(strong)
        first = shown if begin == "content" else noise(shown, wanted, seed)[0]
        metric = grey(net) if colours == "luminance" else None
        work = Synthesis(
            net, blend.look, sizes, first, steps=steps, rate=rate, metric=metric, mean=mean
        )
        left = None if stop is None else stop - done
        told = f"strength {strong:g}" + (f", scale {wide:g}" if len(all_scales) > 1 else "")
        finished = yield from work.run(told, left, done, total)
        done += work.done
        made.append(_finished(work, photo, colours))
        facts.append(_facts(work, blend))
        trouble = trouble or work.trouble
        if not finished and not work.trouble:
            whole = False
            break
        if stop is not None and done >= stop:
            whole = len(made) == len(cells) and done >= steps * len(sizes) * len(cells)
            break
    names = " and ".join(_named(style) for style in chosen)
    ending = f" (stopped: {trouble})" if trouble else "" if whole else " (stopped)"
    recipe = Recipe("", {} if whole else {"stop": done})
    if len(cells) == 1:
        (found,) = facts
        errors = (
            f"style error {found['style']:.2g} of the photo's own, content {found['content']:.2g}"
        )
        return Picture(
            values=made[0],
            caption=f"{_named(content)} in the style of {names}: {errors}, in {done} steps{ending}",
            recipe=recipe,
            facts=found,
        )
    return Grid(
        values=torch.stack(made),
        names=tuple(_label(cell, all_strengths, all_scales) for cell in cells[: len(made)]),
        scale="plain",
        tile=1,
        columns=len(all_strengths) if len(all_strengths) > 1 else len(all_scales),
        caption=f"{_named(content)} in the style of {names}, {len(made)} ways{ending}",
        recipe=recipe,
        facts={name: [found[name] for found in facts] for name in facts[0]},
    )


def _label(cell: tuple[float, float], strengths: list[float], scales: list[float]) -> str:
    parts = [f"strength {cell[1]:g}"] if len(strengths) > 1 else []
    parts += [f"scale {cell[0]:g}"] if len(scales) > 1 else []
    return ", ".join(parts)


def _facts(work: Synthesis, blend: Blend) -> dict[str, Any]:
    """Of the picture, whatever they weigh in it, the errors."""
    return {"loss": work.least, **blend.errors(work.best)}


def _finished(work: Synthesis, photo: Tensor, colours: Colours) -> Tensor:
    picture = work.picture()
    if colours != "luminance":
        return picture
    size = picture.shape[1], picture.shape[2]
    light = luminance(picture) if len(picture) == 3 else picture
    return coloured(light, resized(photo[None], size)[0].clamp(0, 1))


def _named(photo: Photo) -> str:
    return photo.source.removeprefix("photo:") or "a picture"


def _examples(net: Network) -> list[dict[str, Any]]:
    try:
        usual(net)
    except PellucidError:
        return []
    return [
        {"styles": "photo:coffee", "size": 256},
        {"styles": "photo:gravel", "size": 256, "colours": "luminance", "strength": 0.7},
    ]
