"""What does the network miss when it is covered?"""

from collections.abc import Generator
from functools import partial
from typing import Annotated, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.digits import apart
from pellucid.heatmap import Heatmap, Heatmaps
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.question import Photos, Question, Wanted
from pellucid.see.incremental.answers import Answers
from pellucid.see.incremental.spans import Numbers
from pellucid.see.masks import (
    Covering,
    Grid,
    PerPass,
    by_mask,
    by_pixel,
    check_coverage,
    cover,
    uncovered,
)  # fmt: skip
from pellucid.see.readings import Measured, measured, sound, steadied


@method(examples=lambda net: [{}])
def occlusion(
    net: Network,
    photo: Photos,
    *,
    target: Wanted = None,
    window: Annotated[
        int | None, Help("side of the mask, in input pixels; a fifth of the input", low=1)
    ] = None,
    stride: Annotated[
        int | None, Help("from mask to mask, in input pixels; a third of the mask", low=1)
    ] = None,
    fill: Covering = "mean",
    measure: Measured = "probability",
    per: Annotated[
        Literal["mask", "pixel"],
        Help("a value for each mask position, or for each pixel the mean over the masks on it"),
    ] = "mask",
    detail: Annotated[
        int,
        Help("rounds of masks half as large, in the quarter where most was lost", low=0, high=4),
    ] = 0,
    batch: PerPass = None,
    seed: Annotated[int, Help("of the noise")] = 0,
) -> Generator[Step, None, Heatmap | Heatmaps]:  # fmt: skip
    """The probability of the class, with a mask at every place of the photo in turn.

    Where it falls, the network needed what lay under the mask (Zeiler & Fergus 2014). No gradient
    is involved, so nothing is linearised; but a mask also adds edges of its own. Masks are centred
    on an even grid over the whole input, and cut off at its rim.

    With `detail` smaller masks follow where the larger ones did most harm to a target, and its map
    is the mean over the sizes; what was not tried at a size counts as harmless there.

    Of every layer only the rectangle is computed that a mask can reach, without approximation
    (Nakandala, Kumar, Papakonstantinou 2019); the caption says what that saves, or why not.

    Returns:
        Heatmap with `.values` (rows, columns): the probability (score, activation) at each mask
        position; (height, width) per pixel. Drawn hot where it is lower than without a mask, blue
        where it is higher, dark where it is the same. Heatmaps of several.

    Raises:
        PellucidError: unknown target, a mask as large as the input, or scores that are no numbers.

    Example:
        >>> occlusion(net, "photo:cat", window=28, stride=7).values.shape
        torch.Size([16, 16])
    """
    asked = Question.of(net, photo, target)
    measure = measured(asked, measure)
    grids = [Grid.of(net.preprocess.size, window, stride)]
    for _ in range(detail):
        grids.append(grids[-1].finer())
    if per == "pixel":
        check_coverage(grids[0])
    covers = cover(net, asked.inputs, fill)
    asks = (measure, grids[0], *(one.layers for one in asked.targets))
    maps, cleans, captions, done = [], [], [], 0
    most = [
        min(count * len(asked.targets), len(g))
        for count, g in zip(_counts(grids), grids, strict=True)
    ]
    for row, inputs in enumerate(asked.inputs[:, None]):
        values = asked.reader(row, share=measure == "probability")
        answers = Answers(values, inputs, covers[row : row + 1], net.module, batch, asks)
        clean = sound(answers.clean, asked, row, inputs.clone)
        levels: list[Tensor] = []
        tried: list[list[Tensor]] = [[] for _ in asked.targets]
        own = [np.arange(len(grids[0]))] * len(asked.targets)  # the masks of each target
        for place, grid in enumerate(grids):
            numbers = np.unique(np.concatenate(own))
            left = sum(most[place + 1 :]) + (len(asked.photos) - row - 1) * sum(most)
            total = done + len(numbers) + left
            found = clean.new_zeros(len(numbers), len(clean))
            boxes = grid.boxes(numbers)
            for some, under in answers.under(boxes):
                masked = partial(answers.masked, boxes[some])
                found[torch.from_numpy(some)] = sound(under, asked, row, masked)
                done += len(some)
                yield Step(done, total, asked.targets[0].name(row))
            clean = sound(answers.clean, asked, row, inputs.clone)  # see `Answers.clean`
            level = []
            for at, some in enumerate(own):
                mine = steadied(found[np.searchsorted(numbers, some), at], clean[at], net.dtype)
                tried[at].append(mine)
                laid = by_pixel if per == "pixel" else by_mask
                level.append(laid(grid, some, mine[:, None], clean[at, None]))
                if place < detail:
                    own[at] = grid.children(some[_worst(clean[at] - mine, -(-len(some) // 4))])
            levels.append(torch.cat(level))
        maps.append(_merged(levels))
        cleans.append(clean)
        told = f"{_drawn(grids, per)}; {answers.way}"
        seen = [torch.cat(some) for some in tried]
        captions.append(_captions(asked, row, clean, seen, grids, measure, told))
    return asked.answer(
        torch.stack(maps),
        lambda row, at: captions[row][at],
        clean=torch.stack(cleans),
        number=measure,
        scale="signed",
        colours="frost",
    )


def _counts(grids: list[Grid]) -> list[int]:
    """Masks to be tried on each grid."""
    counts = [len(grids[0])]
    for _ in grids[1:]:
        counts.append(4 * -(-counts[-1] // 4))
    return counts


def _worst(lost: Float[Tensor, "masks"], count: int) -> Numbers:
    """The masks that did most harm."""
    found: Numbers = lost.argsort(descending=True, stable=True)[:count].numpy()
    return found


def _merged(levels: list[Float[Tensor, "targets rows columns"]]) -> Float[Tensor, "targets h w"]:
    """The mean of maps, on the places of the finest."""
    height, width = levels[-1].shape[1:]
    spread = [
        level.repeat_interleave(height // level.shape[1], 1).repeat_interleave(
            width // level.shape[2], 2
        )
        for level in levels
    ]
    return torch.stack(spread).mean(0)


def _captions(
    asked: Question,
    row: int,
    clean: Float[Tensor, "targets"],
    tried: list[Tensor],
    grids: list[Grid],
    measure: str,
    more: str,
) -> list[str]:
    """What was seen under the masks, of each target under its own."""
    masks = ", then ".join(str(grid.side) for grid in grids) + " px mask"
    captions = []
    for target, value, under in zip(asked.targets, clean.tolist(), tried, strict=True):
        what = measure if target.what == "score" else target.what
        low, high = float(under.min()), float(under.max())
        shown = apart(value, low, high)
        text = f"{what} of {target.name(row)}: {shown[0]} uncovered, "
        if low == high == value:
            every = "each of its " if len(grids) > 1 else "every "
            text += f"and the same under {every}{masks}: nothing that it covers changes it"
        else:
            text += f"{shown[1]} to {shown[2]} under a {masks}"
            text += ": none lowers it" if low >= value else ""
            text += " (blue: higher than uncovered)" if high > value else ""
        captions.append(f"{text}{more}")
    return captions


def _drawn(grids: list[Grid], per: str) -> str:
    """What else than the value under each mask the map shows."""
    told = "; of each pixel the mean over its masks" if per == "pixel" else ""
    told += "; drawn is the mean of the sizes" if len(grids) > 1 else ""
    share = uncovered(grids[0])
    return told + (f"; {share:.0%} of the input was under no mask" if share else "")
