"""What does it see in a photo, once it may go on with what it sees?"""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated, Any

import torch

from pellucid.counted import counted
from pellucid.errors import PellucidError
from pellucid.film import Film
from pellucid.images import Photo
from pellucid.make.amplified import amplified, stations
from pellucid.make.canvas import Image
from pellucid.make.climb import Steady
from pellucid.make.dreaming import Dreaming, shades
from pellucid.make.octaves import resized
from pellucid.make.tiling import Tiled, TileSide
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.recipe import Recipe
from pellucid.results import Picture

LONGEST = 640  # px that a photo is dreamt at, where no size is asked for
GREY = 0.299, 0.587, 0.114  # as a network of one channel is shown photos

Wanted = Annotated[
    str | None,
    Help(
        "what to make more of: a layer, channels conv5:3; conv5:17, or any objective; a layer at "
        "three quarters of the way if none",
        names="objective",
    ),
]
Size = Annotated[
    int | None, Help("px of the longer side; the photo's own, at most 640, if none", low=16)
]
Frames = Annotated[int, Help("frames of a zoom into the dream; 0 makes a picture", low=0)]
Stop = Annotated[int | None, Help("after so many of all steps, as Ctrl-C does", low=1)]


@method(examples=lambda net: _examples(net), exact=False)
def dream(
    net: Network,
    photo: Photo,
    want: Wanted = None,
    *,
    guide: Annotated[Photo | None, Help("a photo whose features it turns to")] = None,
    octaves: Annotated[int, Help("sizes that are worked on, the smallest first", low=1)] = 4,
    ratio: Annotated[float, Help("from one size to the next", low=1.01, high=8)] = 1.4,
    steps: Annotated[int, Help("at each size", low=1)] = 10,
    rate: Annotated[
        float, Help("mean change of a pixel in a step, in the input's standard deviations", low=0)
    ] = 0.025,
    jitter: Annotated[int, Help("px, at most, that it is moved by at each step", low=0)] = 32,
    size: Size = None,
    tile: TileSide = None,
    film: Frames = 0,
    zoom: Annotated[float, Help("from frame to frame", low=1, high=2)] = 1.05,
    fps: Annotated[int, Help("frames in a second", low=1, high=50)] = 12,
    stop: Stop = None,
    seed: Annotated[int, Help("of jitter and of the borders of tiles")] = 0,
) -> Generator[Step, None, Picture | Film]:
    """A photo in which a layer sees more of all that it saw already.

    DeepDream (Mordvintsev, Olah, Tyka 2015): gradient ascent from the photo on half the squared
    norm of a layer, whose gradient at the layer is the layer itself. Whatever answers a little is
    made to answer more. Steps are of one length whatever the gradient's; the picture is moved at
    random before each; and it is worked on at several sizes, details carried up. With a guide each
    place grows towards the guide's features that it resembles most.

    Returns:
        Picture with `.values` (3 or 1, height, width), 0 to 1; of a film a Film with `.values`
        (frames, 3 or 1, height, width), 8 bits.

    Raises:
        PellucidError: unknown layer or unit; a layer that nothing in the photo reaches.

    Example:
        >>> dream(net, "photo:cat").save("dream.png")
        >>> dream(net, "photo:cat", film=60).save("dream.gif")
    """
    objective, bound = amplified(want, net, guide)
    random = torch.Generator().manual_seed(seed)
    look = Tiled(net, bound, random, jitter, tile)
    begin = _laid(net, photo, size)
    if not look.fits((begin.shape[2], begin.shape[3])) and "difference(" in str(objective):
        raise PellucidError(
            f"{objective} holds the whole picture against a photo, and this one is seen in tiles: "
            f"ask for a smaller size"
        )
    dreaming = Dreaming(net, begin, look, octaves, ratio, steps, Steady(rate), zoom)
    whole = yield from dreaming.run(max(1, film), stop, objective)
    if not dreaming.alive:
        raise PellucidError(f"{objective}: nothing in this photo reaches it, so nothing can grow")
    told = f"{photo.source.removeprefix('photo:') or 'the photo'}, dreamt on by {objective}"
    made = Recipe("", {} if whole else {"stop": dreaming.done})
    if film:
        frames = dreaming.film()
        each = f"of {octaves * steps} steps{'' if whole else ' (stopped)'}"
        told += f": {counted(len(frames), 'frame')} {each}"
        return Film(values=frames, fps=fps, caption=told, recipe=made)
    with torch.no_grad():
        before, after = (float(look.still(one.to(net.dtype))) for one in (begin, dreaming.so_far()))
    told += f": from {before:.3g} to {after:.3g} in {dreaming.done} steps"
    return Picture(
        values=shades(net, dreaming.so_far()),
        caption=told + ("" if whole else " (stopped)"),
        recipe=made,
        facts={"value before": before, "value": after},
    )


def _laid(net: Network, photo: Photo, size: int | None) -> Image:
    """The photo as a picture to dream on, normalised, at its size or the one asked for."""
    image = photo.floats()[None]
    if net.preprocess.channels == 1:
        image = (image * torch.tensor(GREY).view(3, 1, 1)).sum(1, keepdim=True)
    longer = max(photo.size)
    wanted = min(longer, LONGEST) if size is None else size
    height, width = (max(1, round(side * wanted / longer)) for side in photo.size)
    return net.preprocess.normalise(resized(image, (height, width)).clamp(0, 1)).to(net.device)


def _examples(net: Network) -> list[dict[str, Any]]:
    try:
        layers = stations(net)
    except PellucidError:
        return []
    return [{}, {"want": layers[len(layers) // 2]}]
