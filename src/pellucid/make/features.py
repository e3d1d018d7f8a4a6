"""What do all the channels of a layer look for?"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Annotated

import torch
from torch import Tensor

from pellucid import tiles
from pellucid.batches import Batches, fitting
from pellucid.errors import PellucidError
from pellucid.gallery import Gallery
from pellucid.make.canvas import sides
from pellucid.make.choice import Chosen, chosen
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
from pellucid.make.runner import Runner
from pellucid.make.shelf import Shelf
from pellucid.make.transforms import told
from pellucid.memory import is_full
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.recipe import Recipe
from pellucid.unit import Unit

# Numbers of the inputs of one pass: more is no faster.
MOST_NUMBERS = {"cpu": 820_000, "cuda": 10_000_000, "mps": 5_000_000}
PREVIEW = 64  # px of a picture on the way
Kept = dict[str, Tensor]


@method(examples=lambda net: _examples(net), exact=False)
def features(
    net: Network,
    layers: Annotated[
        str,
        Help(
            "a layer, several with ; between, class, or all: evenly from shallow to deep",
            names="layer",
        ),
    ],
    *,
    channels: Annotated[
        str | None,
        Help(
            "such as 0-31; 40; if none, all of one layer, 16 evenly of each of several",
            names="numbers",
        ),
    ] = None,
    recipe: Named = "crop",
    steps: Steps = None,
    rate: Rate = None,
    size: Size = None,
    canvas: CanvasWords = None,
    transforms: TransformWords = None,
    regularisers: RegulariserWords = None,
    climb: ClimbWords = None,
    batch: Annotated[
        int | None, Help("pictures per pass; fits the memory itself", low=1, high=4096)
    ] = None,
    folder: Annotated[
        str | None,
        Help(
            "finished pictures are kept there, and the same call goes on where it stopped",
            names="folder",
        ),
    ] = None,
    seed: Annotated[int, Help("of noise and transforms")] = 0,
) -> Generator[Step, None, Gallery]:
    """The pictures of a whole layer's channels, or of several layers', side by side.

    Each is what `feature` draws of the channel: gradient ascent on the image with the network
    fixed (Erhan et al. 2009; Olah, Mordvintsev, Schubert 2017). Many channels are drawn in one
    batch, each climbing on its own, which takes a fraction of the time. An empty frame is a channel
    that is dead, or silent on what was drawn for it.

    Returns:
        Gallery with `.values` (pictures, 3 or 1, height, width), 0 to 1; of a dead one all 1.

    Raises:
        PellucidError: unknown layer, channel or recipe; a folder that cannot be written into.

    Example:
        >>> features(net, "conv4", channels="0-15").save("conv4.png")
    """
    wanted = chosen(net, layers, channels)
    how = manner(recipe).but(
        steps=steps, rate=rate, size=size, canvas=canvas, transforms=transforms,
        regularisers=regularisers, climb=climb,
    )  # fmt: skip
    shelf = Shelf(folder, _made_from(net, how, seed) if folder else {})
    found: dict[Unit, Kept] = {}
    for unit in (unit for part in wanted for unit in part.units):
        kept = shelf.get(str(unit)) if folder else None
        if kept is not None:
            found[unit] = kept
    missing = [[unit for unit in part.units if unit not in found] for part in wanted]
    left = sum(map(len, missing))
    done, total, stopped = 0, left * how.steps, 0
    for units in missing:
        if stopped:
            break
        painter = _Painter(net, how, seed)
        work = Batches(units, batch or (painter.fitting(units[0]) if units else 1))
        for some in work:
            try:
                made, stopped = yield from painter.drawn(some, done, total)
            except KeyboardInterrupt:
                if not found:
                    raise
                stopped = how.steps
                break
            except (RuntimeError, MemoryError) as error:
                if len(some) == 1 and is_full(error):
                    raise PellucidError(
                        f"memory is not enough to draw even one picture, of {some[0]}; a smaller "
                        f"size takes less"
                    ) from error
                work.again(some, error)
                continue
            if stopped:
                # Of nothing finished the first pictures are shown as far as they are.
                if not found:
                    shown = dict(zip(some, made, strict=True))
                    return _gallery(wanted, shown, how.steps, stopped)
                break
            for unit, kept in zip(some, made, strict=True):
                shelf.put(str(unit), kept)
                found[unit] = kept
            done += len(some) * how.steps
    return _gallery(wanted, found, how.steps)


class _Painter:
    """Draws units of one layer, many at once."""

    def __init__(self, net: Network, how: Manner, seed: int) -> None:
        self.net, self.how, self.seed = net, how, seed
        self.runner: Runner | None = None  # made once, for all batches

    def drawn(
        self, units: Sequence[Unit], before: int, total: int
    ) -> Generator[Step, None, tuple[list[Kept], int]]:
        """One batch.

        Args:
            before, total: steps of single pictures.

        Returns:
            A picture of each; 0, or after Ctrl-C the steps that were made.
        """
        drawing = self._drawing(units)
        name = str(units[0]) if len(units) == 1 else f"{units[0]} to {units[-1].channel}"
        whole = yield from _paced(drawing, name, before, total)
        return _kept(drawing), 0 if whole else len(drawing.values)

    def fitting(self, unit: Unit) -> int:
        """How many at once: no more than is quick, and than fit."""
        one = self._drawing([unit])
        numbers = one.sheet.images()[0].numel() * self.how.views
        return fitting(self.net.device, numbers, MOST_NUMBERS, bytes_each=one.weighs())

    def _drawing(self, units: Sequence[Unit]) -> Drawing:
        wanted = each([UnitObjective(unit) for unit in units]).bind(self.net)
        drawing = Drawing(
            self.net, wanted, self.how, count=len(units), seed=self.seed, runner=self.runner
        )
        self.runner = drawing.runner
        return drawing


def _paced(drawing: Drawing, name: str, before: int, total: int) -> Generator[Step, None, bool]:
    """The steps of one batch as part of all; Ctrl-C is handed on."""
    work, times = drawing.run(name), len(drawing.alive)
    interrupt: KeyboardInterrupt | None = None
    while True:
        try:
            step = work.throw(interrupt) if interrupt else next(work)
        except StopIteration as end:
            return bool(end.value)
        interrupt = None
        if step.picture is not None:
            step = replace(step, picture=_preview(drawing))
        try:
            yield replace(step, done=before + step.done * times, total=total)
        except KeyboardInterrupt as stop:
            interrupt = stop


def _preview(drawing: Drawing) -> Tensor:
    """The batch as it is, small."""
    pictures = drawing.sheet.pictures().expand(-1, 3, -1, -1)
    height, width = pictures.shape[2:]
    scale = min(1, PREVIEW / max(height, width))
    size = max(1, round(scale * height)), max(1, round(scale * width))
    small = torch.stack([tiles.resized(picture, size) for picture in pictures])
    return tiles.arranged(small, least=1)


def _kept(drawing: Drawing) -> list[Kept]:
    pictures, scores, dead = drawing.sheet.pictures(), drawing.plain(), drawing.dead()
    pictures[dead] = 1  # paper: what is left of the noise says nothing
    return [
        {"picture": picture, "score": score, "dead": gone.byte()}
        for picture, score, gone in zip(pictures, scores, dead, strict=True)
    ]


def _gallery(
    wanted: Sequence[Chosen], found: dict[Unit, Kept], steps: int, stopped: int = 0
) -> Gallery:
    rows = [
        (part.layer, name, found[unit], unit)
        for part in wanted
        for unit, name in zip(part.units, part.names, strict=True)
        if unit in found
    ]
    layers = tuple(layer for layer, *_ in rows)
    several = list(dict.fromkeys(layers))
    made = Gallery(
        values=torch.stack([kept["picture"] for _, _, kept, _ in rows]),
        layers=layers,
        names=tuple(name for _, name, _, _ in rows),
        scores=torch.stack([kept["score"] for _, _, kept, _ in rows]),
        dead=torch.stack([kept["dead"] for _, _, kept, _ in rows]).bool(),
    )
    caption = f"{', '.join(several[:4])}{', …' if len(several) > 4 else ''}: "
    caption += made.told(range(len(rows)))
    count = sum(len(part.units) for part in wanted)
    made_with: dict[str, str | int | None] = {}
    if stopped or len(rows) < count:
        after = f" after {stopped} of {steps} steps" if stopped else ""
        caption += f" (stopped{after}; {len(rows)} of {count} units)"
        made_with = {"layers": "; ".join(str(unit) for *_, unit in rows), "channels": None}
        made_with |= {"steps": stopped} if stopped else {}
    return replace(made, caption=caption, recipe=Recipe("", dict(made_with)))


def _made_from(net: Network, how: Manner, seed: int) -> dict[str, str | int]:
    """All that a picture depends on, as plain data."""
    # Two modules may have the same weights and use them otherwise.
    structure = f"{type(net.module).__module__} {net.module!r}"
    return {
        "module": hashlib.sha256(structure.encode()).hexdigest(),
        "weights": net.weights_hash,
        "device": net.device.type,
        "input": str(net.preprocess),
        "size": str(sides(how.canvas.size, net.preprocess.size)),
        "canvas": str(how.canvas),
        "transforms": told(how.transforms),
        "regularisers": "; ".join(map(str, how.regularisers)),
        "climb": str(how.climb),
        "steps": how.steps,
        "views": how.views,
        "seed": seed,
    }


def _examples(net: Network) -> list[dict[str, str]]:
    layer = net.spread(3)[1]
    return [{"layers": layer.name, "channels": f"0-{min(15, layer.layout.channels - 1)}"}]
