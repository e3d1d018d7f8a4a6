"""How far does one get without a network: a texture from the pixels of a sample?"""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated, Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid import tiles
from pellucid.errors import PellucidError
from pellucid.images import Photo
from pellucid.make.canvas import sides
from pellucid.make.growing import Growing
from pellucid.make.likeness import gram_error
from pellucid.make.quilting import Quilting, drawn
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.panels import percent
from pellucid.quilted import Draw, Quilted
from pellucid.recipe import Recipe

MOST = {"quilting": 256, "efros-leung": 64}  # px of the sample's shorter side, where none is given
PIECE = {"quilting": 32, "efros-leung": 11}  # px of block and window, where none is given
LEAST = {"quilting": 4, "efros-leung": 3}  # px of them at least


@method(examples=lambda net: _examples(net))
def quilt(
    net: Network,
    sample: Photo,
    *,
    size: Annotated[
        str | None,
        Help(
            "px: 128 the shorter side, 96x128 height x width; twice the sample's if none",
            names="words",
        ),
    ] = None,
    by: Annotated[
        Literal["quilting", "efros-leung"], Help("blocks with seams of least error, or pixels")
    ] = "quilting",
    piece: Annotated[
        int | None,
        Help(
            "px: of a block (32 if none), or of the window that a pixel looks at (11); if none, at "
            "most half of the sample",
            low=3,
        ),
    ] = None,
    side: Annotated[
        int | None,
        Help(
            "px that the sample's shorter side is brought to; its own, at most 256, and 64 for "
            "efros-leung, if none",
            low=1,
        ),
    ] = None,
    seamless: Annotated[
        bool, Help("quilting: borders fit each other, so that copies make a wall")
    ] = False,
    draw: Annotated[
        Draw, Help("sample, result and where each pixel is from; the result alone")
    ] = "panels",
    stop: Annotated[int | None, Help("after so many steps, as Ctrl-C does", low=1)] = None,
    seed: Annotated[int, Help("of what is chosen among what fits")] = 0,
) -> Generator[Step, None, Quilted]:
    """A larger texture from a sample, by the classical ways: no number of it is learned.

    `quilting` (Efros & Freeman 2001) lays blocks of the sample row by row: each is drawn from those
    that fit nearly best what lies there already, and where they overlap the new one is cut along
    the path on which the two differ least. `efros-leung` (Efros & Leung 1999) grows the texture
    outward pixel by pixel, each from where in the sample it looks most alike around it.

    The network does not make anything here. It is the judge: the Gram error says how far its layers
    take the result to be another texture than the sample, as they do for `texture`.

    Returns:
        Quilted with `.values` (3, height, width), 0 to 1, and `.sources`, where in the sample each
        pixel is from. `.alone()` draws it pixel for pixel.

    Raises:
        PellucidError: a sample smaller than a block or the window; a size that is none.

    Example:
        >>> quilt(net, "photo:brick", size=512, seamless=True).alone().save("wall.png")
    """
    small = _brought(sample, min(MOST[by], *sample.size) if side is None else side)
    least = min(small.shape[1:])
    usual = min(PIECE[by], max(LEAST[by], least // 2))
    cut = usual if piece is None else piece
    if cut > least or cut < LEAST[by]:
        what = "block" if by == "quilting" else "window"
        raise PellucidError(
            f"a {what} of {cut} px does not fit a sample of {small.shape[1]} x {small.shape[2]} px"
            if cut > least
            else f"a {what} is at least {LEAST[by]} px, not {cut}"
        )
    tall, wide = _size(size, (small.shape[1], small.shape[2]))
    random = torch.Generator().manual_seed(seed)
    looked = small[:1] if bool((small == small[:1]).all()) else small
    if by == "quilting":
        cut = min(cut, tall, wide)
        work: Quilting | Growing = Quilting(looked, (tall, wide), cut, random, seamless)
    else:
        if seamless:
            raise PellucidError(
                "seamless goes with quilting: what grows outward has no other border"
            )
        cut -= 1 - cut % 2  # it has a middle
        work = Growing(looked, (tall, wide), cut, random)
    steps = work.rows if isinstance(work, Quilting) else tall
    total = steps if stop is None else min(steps, stop)
    done, whole = 0, True
    try:
        for count in work.run():
            now = count if isinstance(work, Quilting) else count // wide
            if now > done:
                done = min(now, total)
                text = "row of blocks" if isinstance(work, Quilting) else "rows of pixels"
                yield Step(done, total, text, drawn(small, work.sources))
                if done == total < steps:
                    whole = False
                    break
    except KeyboardInterrupt:
        if not done:
            raise
        whole = False
    made = drawn(small, work.sources)
    away = gram_error(net, made, small)
    name = sample.source.removeprefix("photo:") or "the sample"
    told = f"{name}, {small.shape[1]} x {small.shape[2]} px, made {tall} x {wide} by {by}, "
    told += f"{'blocks' if by == 'quilting' else 'a window'} of {cut} px"
    told += "" if away is None else f"; Gram error {percent(away)}"
    return Quilted(
        values=made,
        sample=small,
        sources=work.sources,
        draw=draw,
        caption=told + ("" if whole else " (stopped)"),
        facts={} if away is None else {"gram error": away},
        recipe=Recipe("", {} if whole else {"stop": done}),
    )


def _brought(sample: Photo, side: int) -> Float[Tensor, "3 height width"]:
    """The sample, its shorter side as long as that."""
    scale = side / min(sample.size)
    height, width = (max(1, round(length * scale)) for length in sample.size)
    if (height, width) == sample.size:
        return sample.floats()
    # To 8 bits, as a photo is: a file of the result has the very pixels of the sample.
    resized = tiles.resized(sample.floats(), sides(f"{height}x{width}", (1, 1)))
    return (resized * 255).round() / 255


def _size(size: str | None, sample: tuple[int, int]) -> tuple[int, int]:
    twice = f"{2 * sample[0]}x{2 * sample[1]}"
    return sides(twice if size is None or not size.strip() else size, sample)


def _examples(net: Network) -> list[dict[str, Any]]:
    brick = {"sample": "photo:brick", "side": 128, "size": "192"}
    grass = {"sample": "photo:gravel", "by": "efros-leung", "side": 40, "size": "56"}
    return [brick, grass]
