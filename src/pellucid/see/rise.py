"""Which parts of the photo have to be there for the answer to be?"""

from collections.abc import Generator
from functools import partial
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.batches import Batches, fitting
from pellucid.digits import apart
from pellucid.heatmap import Heatmap, Heatmaps
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.question import Photos, Question, Wanted
from pellucid.see.grids import Grids
from pellucid.see.halves import Halves
from pellucid.see.incremental.answers import MOST_NUMBERS, Values
from pellucid.see.masks import PerPass
from pellucid.see.readings import Measured, measured, sound

SURE = 0.8  # agreement of two halves from which on a map is not called unsure


@method(examples=lambda net: [{}])
def rise(
    net: Network,
    photo: Photos,
    *,
    target: Wanted = None,
    masks: Annotated[
        int, Help("random masks; the more, the surer the map", low=4, high=100_000)
    ] = 2000,
    cells: Annotated[
        int, Help("of a mask, along the shorter side of the input", low=2, high=32)
    ] = 7,
    chance: Annotated[float, Help("that a cell is shown", low=0.01, high=0.99)] = 0.5,
    measure: Measured = "probability",
    batch: PerPass = None,
    seed: Annotated[int, Help("of the masks")] = 0,
) -> Generator[Step, None, Heatmap | Heatmaps]:
    """How much more probable the class is with each pixel shown, everything else left to chance.

    RISE, randomized input sampling (Petsiuk, Das, Saenko 2018): the network answers for the photo
    under random masks. Each is a coarse grid of cells that are shown or hidden (zero after
    normalising: the mean colour of the training photos), enlarged bilinearly and shifted at random.
    A pixel's importance is the mean of the answers, weighed by how far each mask shows it: the
    probability to be expected when it is shown.

    A pixel that counts for nothing has the mean of all answers there, not zero. The map is the
    difference from it, so that zero means nothing: Σ (vᵢ − v̄) Mᵢ / (N · chance) where the paper
    has Σ vᵢ Mᵢ / (N · chance). The expectation is the paper's less that mean (but for a share of
    1 / N), and pixels that happen to be shown more often than others no longer draw a pattern.

    How sure it is, two maps tell, made of every other mask: the caption says how well they agree
    (linear correlation). The same masks are used for every photo and target.

    Returns:
        Heatmap with `.values` (height, width) on the network's input: probability (score,
        activation) more than the mean; drawn hot above it, blue below. `.facts`: "mean" of the
        answers, "agreement" of the halves. Heatmaps of several.

    Raises:
        PellucidError: unknown target, more cells than pixels, or scores that are no numbers.

    Example:
        >>> rise(net, "photo:cat", masks=4000).facts["agreement"]
    """
    asked = Question.of(net, photo, target)
    measure = measured(asked, measure)
    grids = Grids.drawn(net.preprocess.size, masks, cells, chance)
    size = batch or fitting(net.device, asked.inputs[0].numel(), MOST_NUMBERS)
    total, done = len(asked.photos) * masks, 0
    maps, means, agreements, captions = [], [], [], []
    for row, inputs in enumerate(asked.inputs[:, None]):
        values = asked.reader(row, share=measure == "probability")
        with torch.inference_mode():
            whole = values(inputs)
        clean = sound(whole, asked, row, inputs.clone)[0]
        halves = Halves(clean, grids.size, chance)
        work = Batches(range(masks), size)
        for some in work:
            try:
                # Not around the loop: a `yield` inside would put the caller in this mode too.
                with torch.inference_mode():
                    shown = grids.masks(some, net.device)
                    seen = inputs * shown[:, None].to(inputs)
                    answers = values(seen)
                    if work.mixed(some, answers[0], partial(_alone, values, seen[:1])):
                        continue
            except Exception as error:
                work.again(some, error)
                continue
            halves.add(some, sound(answers, asked, row, seen.clone), shown)
            done += len(some)
            yield Step(done, total, asked.targets[0].name(row))
        size = work.size
        moved = ~halves.still(net.dtype)
        maps.append(halves.maps() * moved[:, None, None])
        means.append(halves.mean())
        agreements.append(halves.agreement() * moved)
        captions.append(_captions(asked, row, measure, halves, moved.tolist()))
    return asked.answer(
        torch.stack(maps),
        lambda row, at: captions[row][at],
        {"mean": torch.stack(means), "agreement": torch.stack(agreements)},
        scale="signed",
        colours="frost",
    )


def _alone(values: Values, seen: Float[Tensor, "1 c h w"]) -> Float[Tensor, "targets"]:
    return values(seen)[0]


def _captions(
    asked: Question, row: int, measure: str, halves: Halves, moved: list[bool]
) -> list[str]:
    """What was seen of each target, and how sure its map is."""
    captions = []
    masks = int(halves.count.sum())
    numbers = halves.clean.tolist(), halves.mean().tolist(), halves.agreement().tolist()
    for target, moves, clean, mean, agreed in zip(asked.targets, moved, *numbers, strict=True):
        what = measure if target.what == "score" else target.what
        shown = apart(clean, mean)
        text = f"{what} of {target.name(row)}: {shown[0]} of the whole photo, "
        if not moves:
            text += f"and the same under every one of {masks} masks: nothing they hide changes it"
        else:
            text += f"{shown[1]} on average under {masks} masks; hot: more with this shown, "
            text += "blue: less; two halves of the masks agree "
            text += (
                f"to {agreed:.2f}" if agreed >= SURE else f"only to {agreed:.2f}: more are needed"
            )
        captions.append(text)
    return captions
