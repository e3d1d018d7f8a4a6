"""What is left of a picture once all places are forgotten?"""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated, Any

from pellucid.errors import PellucidError
from pellucid.images import Photo
from pellucid.make.canvas import sides
from pellucid.make.strata import strata, usual
from pellucid.make.synthesis import Synthesis, roots
from pellucid.make.tiling import TileSide
from pellucid.make.weave import Weave, laid, noise
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.recipe import Recipe
from pellucid.results import Picture

LONGEST = 512  # px that a sample is shrunk to, where no size is asked for
USUAL = 256  # px of the shorter side of a texture, where none is asked for
LEAST = 64  # px of the shorter side of what is worked on

Layers = Annotated[
    str | None,
    Help(
        "whose Gram matrices are matched, each with a weight: relu1; relu3 0.5; pixels is the "
        "picture itself; the first at each scale if none",
        names="words",
    ),
]
Stop = Annotated[int | None, Help("after so many of all steps, as Ctrl-C does", low=1)]


@method(examples=lambda net: _examples(net))
def texture(
    net: Network,
    sample: Photo,
    *,
    size: Annotated[
        str,
        Help(
            "HEIGHTxWIDTH, or px of the shorter side; the sample's, at most 256, if none",
            names="words",
        ),
    ] = "",
    shrink: Annotated[
        int | None,
        Help("px of the sample's longer side; its own, at most 512, if none", low=8, high=4096),
    ] = None,
    layers: Layers = None,
    seamless: Annotated[bool, Help("whose copies fit together on all sides")] = False,
    octaves: Annotated[
        int, Help("sizes that are worked on, each 1.4 times the one before", low=1, high=12)
    ] = 3,
    steps: Annotated[int, Help("at each size", low=1, high=100_000)] = 80,
    rate: Annotated[
        float | None, Help("of Adam, in standard deviations; by curvature if none", low=0)
    ] = None,
    tile: TileSide = None,
    stop: Stop = None,
    seed: Annotated[int, Help("of the noise that it begins with")] = 0,
) -> Generator[Step, None, Picture]:
    """A new picture of the same texture, from noise: the same features, in other places.

    Gatys, Ecker, Bethge (2015): of each layer the Gram matrix says which channels fire together,
    and nothing of where. A picture of noise is changed until it has the Gram matrices of the
    sample. Here the error of each is a share of the sample's own, so that layers weigh alike on any
    network; coarse sizes come before fine ones; and steps go by curvature. Where a network passes
    over pixels in strides, the products of neighbouring pixels are matched too, for it does not see
    all of them.

    Returns:
        Picture with `.values` (3 or 1, height, width), 0 to 1; `.facts` has the error of each layer
        and that of the noise.

    Raises:
        PellucidError: an unknown layer, or one without places; a size that is none.

    Example:
        >>> texture(net, "photo:gravel", size="384x384").save("gravel.png")
    """
    weights = strata(net, layers)
    own = laid(net, sample, LONGEST if shrink is None else shrink, shrink is not None)
    proportions = own.shape[2], own.shape[3]
    wanted = sides(size or str(min(USUAL, *proportions)), proportions)
    weave = Weave(net, own, weights, wanted, seamless, tile)
    scales = roots(wanted, LEAST, octaves)
    begin, metric = noise(own, scales[-1], seed)
    work = Synthesis(net, weave.look, scales, begin, steps=steps, rate=rate, metric=metric)
    noisy = weave.look(scales[-1]).losses(begin.to(net.dtype))
    finished = yield from work.run(f"texture of {_named(sample)}", stop)
    terms, losses = work.look.terms, work.look.losses(work.so_far().to(net.dtype))
    first, last = (
        sum(term.weight * loss for term, loss in zip(terms, found, strict=True))
        for found in (noisy, losses)
    )
    told = (
        f"a texture as of {_named(sample)}: Gram error {last:.2g}, of noise {first:.2g}, in "
        f"{work.done} steps on {', '.join(weights)}"
    )
    ending = f" (stopped: {work.trouble})" if work.trouble else "" if finished else " (stopped)"
    return Picture(
        values=work.picture(),
        caption=told + ending,
        recipe=Recipe("", {} if finished else {"stop": work.done}),
        facts={
            "error": last,
            "error of noise": first,
            "times less": first / max(last, 1e-30),
            "layers": {term.name: loss for term, loss in zip(terms, losses, strict=True)},
            "layers of noise": {term.name: loss for term, loss in zip(terms, noisy, strict=True)},
        },
    )


def _named(photo: Photo) -> str:
    return photo.source.removeprefix("photo:") or "the sample"


def _examples(net: Network) -> list[dict[str, Any]]:
    try:
        usual(net)
    except PellucidError:
        return []
    return [{"sample": "photo:gravel"}, {"sample": "photo:brick", "seamless": True, "size": "192"}]
