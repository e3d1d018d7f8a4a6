"""What do all the channels of a layer look for?"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Annotated

import torch
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.gallery import Gallery
from pellucid.make.draw import Drawing
from pellucid.make.feature import (
    CanvasWords,
    ClimbWords,
    Named,
    Rate,
    RegulariserWords,
    Size,
    Steps,
    TransformWords,
)
from pellucid.make.manner import Manner, manner
from pellucid.make.objective import each
from pellucid.make.objectives import UnitObjective
from pellucid.make.shelf import Shelf
from pellucid.make.transforms import told
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.recipe import Recipe
from pellucid.unit import Unit

# Numbers of the inputs of one pass: more is no faster, and takes memory.
MOST_NUMBERS = {"cpu": 1_250_000, "cuda": 10_000_000, "mps": 5_000_000}
FEW = 16  # channels of each of several layers, where none are named
MOST = 4096  # pictures in one grid
Kept = dict[str, Tensor]


@method(examples=lambda net: _examples(net))
def features(
    net: Network,
    layers: Annotated[
        str, Help("a layer, several with ; between, or all: evenly from shallow to deep")
    ],
    *,
    channels: Annotated[
        str | None,
        Help("such as 0-31; 40; if none, all of one layer, 16 evenly of each of several"),
    ] = None,
    recipe: Named = "crop",
    steps: Steps = None,
    rate: Rate = None,
    size: Size = None,
    canvas: CanvasWords = None,
    transforms: TransformWords = None,
    regularisers: RegulariserWords = None,
    climb: ClimbWords = None,
    folder: Annotated[
        str | None,
        Help("finished pictures are kept there, and the same call goes on where it stopped"),
    ] = None,
    seed: Annotated[int, Help("of noise and transforms")] = 0,
) -> Generator[Step, None, Gallery]:
    """The pictures of a whole layer's channels, or of several layers', side by side.

    Each is what `feature` draws of the channel: gradient ascent on the image with the network
    fixed (Erhan et al. 2009; Olah, Mordvintsev, Schubert 2017). Many channels are drawn in one
    batch, each climbing on its own, which takes a fraction of the time. A dead channel stays an
    empty frame.

    Returns:
        Gallery with `.values` (pictures, 3 or 1, height, width), 0 to 1.

    Raises:
        PellucidError: unknown layer, channel or recipe; a folder that cannot be written into.

    Example:
        >>> features(net, "conv4", channels="0-15").save("conv4.png")
    """
    units = _units(net, layers, channels)
    how = manner(recipe).but(
        steps=steps, rate=rate, size=size, canvas=canvas, transforms=transforms,
        regularisers=regularisers, climb=climb,
    )  # fmt: skip
    shelf = Shelf(folder, _made_from(net, how, seed))
    found: dict[Unit, Kept] = {}
    for unit in units:
        kept = shelf.get(str(unit))
        if kept is not None:
            found[unit] = kept
    missing = [unit for unit in units if unit not in found]
    made_with: dict[str, str | int | None] = {}
    total, done = len(missing) * how.steps, 0
    count = _count(net, how)
    while missing:
        some = missing[:count]
        try:
            drawing = _drawing(net, some, how, seed)
            work = drawing.run(f"{some[0]} to {some[-1]}")
            whole = yield from _paced(work, done, len(some), total)
            made = _kept(drawing)
        except torch.OutOfMemoryError:
            if count == 1:
                raise
            count = max(1, len(some) // 2)
            continue
        if not whole:
            # What is finished is kept; if that is nothing, the first pictures as far as they are.
            if not found:
                found = dict(zip(some, made, strict=True))
                made_with = {"steps": len(drawing.values)}
            made_with |= {"layers": "; ".join(map(str, found)), "channels": None}
            break
        for unit, kept in zip(some, made, strict=True):
            shelf.put(str(unit), kept)
            found[unit] = kept
        missing, done = missing[len(some) :], done + len(some) * how.steps
    return _gallery([unit for unit in units if unit in found], found, len(units), made_with)


def _paced(
    work: Generator[Step, None, bool], before: int, times: int, total: int
) -> Generator[Step, None, bool]:
    """The steps of one batch as part of all; Ctrl-C is handed on."""
    interrupt: KeyboardInterrupt | None = None
    while True:
        try:
            step = work.throw(interrupt) if interrupt else next(work)
        except StopIteration as end:
            return bool(end.value)
        interrupt = None
        try:
            yield replace(step, done=before + step.done * times, total=total)
        except KeyboardInterrupt as stop:
            interrupt = stop


def _gallery(
    units: Sequence[Unit],
    found: dict[Unit, Kept],
    wanted: int,
    made_with: dict[str, str | int | None],
) -> Gallery:
    scores = torch.stack([found[unit]["score"] for unit in units])
    dead = torch.stack([found[unit]["dead"] for unit in units]).bool()
    names = tuple(
        f"{unit.channel}: {'dead' if gone else f'{value:.3g}'}"
        for unit, value, gone in zip(units, scores.tolist(), dead.tolist(), strict=True)
    )
    layers = tuple(unit.layer for unit in units)
    several = list(dict.fromkeys(layers))
    told = f"{len(units)} channels of {', '.join(several[:4])}{', …' if len(several) > 4 else ''}"
    told += f"; {int(dead.sum())} dead" if bool(dead.any()) else ""
    told += f" (stopped, of {wanted})" if made_with else ""
    return Gallery(
        values=torch.stack([found[unit]["picture"] for unit in units]),
        layers=layers,
        names=names,
        scores=scores,
        dead=dead,
        caption=told,
        recipe=Recipe("", dict(made_with)),
    )


def _drawing(net: Network, units: Sequence[Unit], how: Manner, seed: int) -> Drawing:
    wanted = each([UnitObjective(unit) for unit in units]).bind(net)
    return Drawing(net, wanted, how, count=len(units), seed=seed)


def _kept(drawing: Drawing) -> list[Kept]:
    pictures, scores, dead = drawing.sheet.pictures(), drawing.plain(), drawing.dead()
    return [
        {"picture": picture, "score": score, "dead": gone.byte()}
        for picture, score, gone in zip(pictures, scores, dead, strict=True)
    ]


def _count(net: Network, how: Manner) -> int:
    """Pictures in one pass."""
    channels, height, width = how.canvas.shape(net)
    most = MOST_NUMBERS.get(net.device.type, MOST_NUMBERS["cpu"])
    return max(1, min(64, most // (channels * height * width * how.views)))


def _made_from(net: Network, how: Manner, seed: int) -> dict[str, str | int]:
    """All that a picture depends on, as plain data."""
    return {
        "weights": net.weights_hash,
        "device": net.device.type,
        "input": str(net.preprocess),
        "canvas": str(how.canvas),
        "transforms": told(how.transforms),
        "regularisers": "; ".join(map(str, how.regularisers)),
        "climb": str(how.climb),
        "steps": how.steps,
        "views": how.views,
        "seed": seed,
    }


def _units(net: Network, layers: str, channels: str | None) -> list[Unit]:
    """The channels that are meant, in their order.

    Raises:
        PellucidError: an unknown layer, a layer without channels, or a channel that it has not.
    """
    if layers.strip() == "all":
        names = list(dict.fromkeys(layer.name for layer in net.spread(6)))
    else:
        names = [name.strip() for name in layers.split(";") if name.strip()]
    if not names:
        raise PellucidError("no layer is named (`pellucid layers` lists them)")
    units: list[Unit] = []
    for name in names:
        if name not in net.layers and ":" in name:
            units.append(net.unit(name))
            continue
        count = net.layer(name).layout.channels
        if not count:
            raise PellucidError(f"layer {name!r} has no channels that could be named")
        if channels is not None:
            numbers = _numbers(channels)
        elif len(names) == 1 or count <= FEW:
            numbers = list(range(count))
        else:
            numbers = [count * place // FEW for place in range(FEW)]
        units += [net.unit(f"{name}:{number}") for number in numbers]
    if len(units) > MOST:
        raise PellucidError(
            f"{len(units)} pictures are too many for one grid, at most {MOST}: name some channels"
        )
    return list(dict.fromkeys(units))


def _numbers(text: str) -> list[int]:
    """Channels from "0-31; 40"."""
    numbers: list[int] = []
    for part in text.replace(",", ";").split(";"):
        first, dash, last = (word.strip() for word in part.partition("-"))
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise PellucidError(f"channels are such as 0-31; 40, not {text!r}")
        low, high = int(first), int(last if dash else first)
        if low > high or high - low > MOST:
            raise PellucidError(f"channels {part.strip()} go from low to high, {MOST} at most")
        numbers += range(low, high + 1)
    return numbers


def _examples(net: Network) -> list[dict[str, str]]:
    layer = net.spread(3)[1]
    return [{"layers": layer.name, "channels": f"0-{min(15, layer.layout.channels - 1)}"}]
