"""Gradients: of every photo and target, over as many images as that takes, in batches."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.batches import Batches, fitting
from pellucid.coloured import Coloured
from pellucid.heatmap import Heatmap, Heatmaps
from pellucid.make.ascend import slope
from pellucid.method import Step
from pellucid.option import Help
from pellucid.question import Question
from pellucid.results import Grid

Reduce = Annotated[
    Literal["max", "sum", "signed", "colour"],
    Help(
        "of the colours: the greatest size, the sum of sizes, the signed sum, or a colour picture"
    ),
]
Smooth = Annotated[
    int, Help("noisy copies of the photo to average over; 1: the photo", low=1, high=10_000)
]
Noise = Annotated[
    float | None,
    Help("its standard deviation, share of the input's range; 0.15 of several copies", low=0),
]
Seed = Annotated[int, Help("of the noise")]
NOISE = 0.15
CLIP = 0.005  # share of the greatest numbers that may saturate when shown
# In the inputs of one pass: more is no faster, and takes memory.
MOST_NUMBERS = {"cpu": 1_250_000, "cuda": 10_000_000, "mps": 5_000_000}

# Inside the `with` that it makes of a pass's values, gradients go by another rule.
Rule = Callable[[Tensor], AbstractContextManager[None]]
Maps = Float[Tensor, "photos targets channels height width"]


@dataclass(frozen=True)
class Gradients:
    """What was found.

    Attributes:
        maps: of each photo and target, the mean over its copies.
        values: of each target on the photo; the mean over the copies.
        starts: of each target at the start of the path; zero where the path does not go there.
        smooth: number of the copies.
        noisy: whether there is noise on them.
    """

    maps: Maps
    values: Float[Tensor, "photos targets"]
    starts: Float[Tensor, "photos targets"]
    smooth: int
    noisy: bool = False

    def told(self, asked: Question, row: int, column: int) -> str:
        """A target and its value."""
        target, value = asked.targets[column], float(self.values[row, column])
        copies = " on a noisy copy" if self.noisy else ""
        copies = f" on average of {self.smooth} noisy copies" if self.smooth > 1 else copies
        return f"{target.name(row)}, whose {target.what} is {value:.3g}{copies}"


@dataclass(frozen=True)
class _Sample:
    """One image on the way from a start to a photo.

    Attributes:
        row: the number of its photo.
        image: (channels, height, width)
        place: on the path, 0 to 1.
        weight: of its gradient in the sum; 0: only the values are wanted.
        times: what the gradient is multiplied by, pixel by pixel; None: nothing.
    """

    row: int
    image: Tensor
    place: float
    weight: float
    times: Tensor | None


def gradients(
    asked: Question,
    *,
    smooth: int = 1,
    noise: float | None = None,
    path: Sequence[tuple[float, float]] = ((1.0, 1.0),),
    start: Float[Tensor, "photos channels height width"] | None = None,
    override: Rule = lambda values: nullcontext(),
) -> Generator[Step, None, Gradients]:
    """The gradient of every target with respect to the pixels of every photo.

    With `smooth` above 1 the mean over noisy copies (SmoothGrad: Smilkov, Thorat, Kim, Viégas,
    Wattenberg 2017): of the signed gradients; their size is taken afterwards. One copy without
    noise is the plain gradient.

    Args:
        asked: photos and targets.
        smooth: copies of each photo.
        noise: standard deviation as a share of the photo's greatest minus its smallest input.
        path: places on the straight line from `start` (0) to the photo (1) whose gradients are
            added up, with their weights; of one with weight 0 only the values are taken.
        start: where the lines begin. If given, gradients are multiplied by photo minus start.
        override: another rule for the backward pass; is given the values.

    Yields:
        A step for each batch, where one is not enough.
    """
    share = (NOISE if smooth > 1 else 0.0) if noise is None else noise
    size = fitting(asked.inputs.device, asked.inputs[0].numel(), MOST_NUMBERS)
    samples = _samples(asked, smooth, share, path, start)
    work = Batches(samples, size, lambda sample: sample.weight != 0)
    total = len(asked.inputs) * smooth * len(path)
    kind = torch.promote_types(asked.inputs.dtype, torch.float32)
    shape = len(asked.inputs), len(asked.targets)
    maps = asked.inputs.new_zeros(*shape, *asked.inputs.shape[1:], dtype=kind)
    values, starts = (asked.inputs.new_zeros(shape, dtype=kind) for _ in range(2))
    done = 0
    for some in work:
        batch = sorted(some, key=lambda sample: sample.weight == 0)
        try:
            found, heights = _pass(asked, batch, override)
            # Of a path the end: at its start networks may be the same that differ behind it.
            end = max(range(len(batch)), key=lambda number: batch[number].place)
            if work.mixed(some, heights[:, end], partial(_alone, asked, batch[end])):
                continue
        except Exception as error:
            work.again(some, error)
            continue
        for number, sample in enumerate(batch):
            if sample.weight:
                way = found[:, number] if sample.times is None else found[:, number] * sample.times
                maps[sample.row] += sample.weight * way
            if sample.place in (0, 1):
                ends = values if sample.place else starts
                ends[sample.row] += heights[:, number] / smooth
        del found, heights
        done += len(batch)
        if total > len(batch):
            yield Step(done, total, "gradients")
    return Gradients(maps, values, starts, smooth, share > 0)


def _samples(
    asked: Question,
    smooth: int,
    share: float,
    path: Sequence[tuple[float, float]],
    start: Tensor | None,
) -> Iterator[_Sample]:
    begin = torch.get_rng_state()
    for row, image in enumerate(asked.inputs):
        # The same for each photo, so that it has the map that it has alone.
        chance = torch.Generator().set_state(begin)
        deviation = share * (image.max() - image.min()) if share else 0.0
        for _ in range(smooth):
            copy = image
            if share:
                # Drawn on the processor and one by one: the same on every device, in any batches.
                noise = torch.randn(image.shape, generator=chance, dtype=torch.float32)
                copy = image + deviation * noise.to(image)
            for place, weight in path:
                if start is None:
                    yield _Sample(row, copy, place, weight / smooth, None)
                else:
                    way = copy - start[row]
                    at = copy if place == 1 else start[row] + place * way
                    yield _Sample(row, at, place, weight / smooth, way)


def _pass(
    asked: Question, batch: list[_Sample], override: Rule
) -> tuple[Float[Tensor, "targets steep channels height width"], Float[Tensor, "targets batch"]]:
    """Gradients of the first samples, those with a weight, and the values of all."""
    inputs = torch.stack([sample.image for sample in batch])
    rows = torch.tensor([sample.row for sample in batch], device=inputs.device)
    steep = sum(sample.weight != 0 for sample in batch)
    heights, found = [], inputs.new_zeros(len(asked.targets), 0, *inputs.shape[1:])
    if steep:
        pixels = inputs[:steep].requires_grad_()
        values = asked.values(pixels, rows[:steep])
        with override(values):
            last = len(values) - 1
            ways = [slope(value, pixels, keep=at < last) for at, value in enumerate(values)]
            found = torch.stack(ways)
        heights.append(values.detach())
    if steep < len(batch):
        with torch.no_grad():
            heights.append(asked.values(inputs[steep:], rows[steep:]))
    return found, torch.cat(heights, 1)


def _alone(asked: Question, sample: _Sample) -> Float[Tensor, "targets"]:
    """The values of a single image."""
    row = torch.tensor([sample.row], device=sample.image.device)
    with torch.no_grad():
        return asked.values(sample.image[None], row)[:, 0]


def shown(
    asked: Question,
    maps: Maps,
    reduce: str,
    caption: Callable[[int, int], str],
    facts: Mapping[str, Float[Tensor, "photos targets"]] | None = None,
    start: Float[Tensor, "photos channels height width"] | None = None,
) -> Heatmap | Heatmaps | Grid:
    """The maps with the colours of each pixel as one number, or as pictures in colours.

    Args:
        reduce: "max", "sum", "signed": a map; "colour": a picture for each, grey where nothing is.
        caption: of a map, by the number of its photo and of its target.
        facts: numbers that belong to each map, by name.
        start: of maps that are multiplied by what the photo is apart from it.
    """

    def told(row: int, column: int) -> str:
        if bool(maps[row, column].any()):
            return caption(row, column)
        same = start is not None and torch.allclose(start[row], asked.inputs[row])
        why = "the photo is what it is compared with" if same else "no pixel changes it"
        return f"{caption(row, column)}: zero everywhere, {why}"

    if reduce == "colour":
        return _pictures(asked, maps.float().cpu(), told, facts or {})
    signed = reduce == "signed"
    return asked.answer(
        reduced(maps, reduce),
        told,
        facts,
        scale="signed" if signed else "positive",
        colours="signed" if signed else "heat",
        clip=CLIP,
    )


def _pictures(
    asked: Question,
    maps: Maps,
    caption: Callable[[int, int], str],
    facts: Mapping[str, Tensor],
) -> Coloured:
    rows, columns = maps.shape[:2]
    names = [one.name(row) for row in range(rows) for one in asked.targets]
    few = [
        caption(0, column)
        + asked.targets[column].told(0, "score")
        + ("" if bool(maps[0, column].any()) else asked.alike)
        for column in range(columns if rows == 1 else 0)
    ]
    return Coloured(
        values=maps.flatten(0, 1),
        photos=asked.photos,
        frames=asked.frames,
        names=() if asked.single else tuple(names),
        caption=" / ".join(few) or f"{rows} photos, {columns} target{'s'[: columns - 1]} each",
        facts=asked.told(facts),
        scale="signed",
        clip=CLIP,
    )


def reduced(maps: Maps, how: str) -> Float[Tensor, "photos targets height width"]:
    """The colours of each pixel as one number."""
    if how == "max":
        return maps.abs().amax(2)
    return maps.sum(2) if how == "signed" else maps.abs().sum(2)
