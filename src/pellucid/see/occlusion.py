"""What does the network miss when it is covered?"""

from collections.abc import Generator
from math import floor
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import PellucidError
from pellucid.heatmap import Heatmap
from pellucid.images import Photo
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.unit import Unit

Fill = Literal["mean", "zero", "blur", "noise"]
# In the inputs of one forward pass. A processor gains nothing by larger ones, and shows no sign of
# life meanwhile.
MOST_NUMBERS = {"cpu": 2_500_000, "cuda": 10_000_000, "mps": 10_000_000}


@method(examples=lambda net: [{}])
def occlusion(
    net: Network,
    photo: Photo,
    *,
    target: Annotated[
        str | None, Help("class or unit; the most probable class where not given", names="unit")
    ] = None,
    window: Annotated[
        int | None, Help("side of the mask, in input pixels; a fifth of the input", low=1)
    ] = None,
    stride: Annotated[
        int | None, Help("from mask to mask, in input pixels; a third of the mask", low=1)
    ] = None,
    fill: Annotated[
        Fill, Help("what covers: the photo's mean colour, zero after normalising, blur, noise")
    ] = "mean",
    measure: Annotated[
        Literal["probability", "score"], Help("of the class; of other units always their value")
    ] = "probability",
    batch: Annotated[
        int | None, Help("masks per forward pass; fits the memory itself", low=1, high=4096)
    ] = None,
    seed: Annotated[int, Help("of the noise")] = 0,
) -> Generator[Step, None, Heatmap]:
    """The probability of the class, with a mask at every place of the photo in turn.

    Where it falls, the network needed what lay under the mask (Zeiler & Fergus 2014). No gradient
    is involved, so nothing is linearised; but a mask also adds edges of its own. Masks are centred
    on an even grid over the whole input, and cut off at its rim.

    Returns:
        Heatmap with `.values` (rows, columns): the probability (score, activation) at each mask
        position. Shown bright where it is low.

    Raises:
        PellucidError: unknown target, or a mask as large as the input.

    Example:
        >>> occlusion(net, "photo:cat", window=28, stride=7).values.shape
        torch.Size([16, 16])
    """
    inputs, frame = net.prepare(photo)
    height, width = net.preprocess.size
    unit = net.unit(target) if target else net.best(inputs)
    side = window or max(1, min(height, width) // 5)
    step = stride or max(1, side // 3)
    if side >= max(height, width):
        raise PellucidError(f"a mask of {side} px covers the whole input of {height} x {width} px")
    rows, columns = (max(1, round(length / step)) for length in (height, width))
    if rows * columns == 1:
        raise PellucidError(f"a stride of {step} px leaves one mask on {height} x {width} px")
    cover = _cover(inputs, net, fill)
    spots = [(row, column) for row in range(rows) for column in range(columns)]
    with torch.inference_mode():
        clean = float(_value(net, inputs, unit, measure))
    found: list[Tensor] = []
    done = 0
    most = MOST_NUMBERS.get(net.device.type, MOST_NUMBERS["cpu"])
    size = batch or max(1, min(64, most // inputs.numel()))
    while done < len(spots):
        masked = inputs.repeat(len(spots[done : done + size]), 1, 1, 1)
        for image, (row, column) in zip(masked, spots[done:], strict=False):
            top = _edge(row, rows, height, side)
            left = _edge(column, columns, width, side)
            hidden = (slice(None), slice(*top), slice(*left))
            image[hidden] = cover[0][hidden]
        try:
            # Not around the loop: a `yield` inside would put the caller in inference mode too.
            with torch.inference_mode():
                found.append(_value(net, masked, unit, measure).float().cpu())
        except torch.OutOfMemoryError:
            if size == 1:
                raise
            size //= 2
            continue
        done += len(masked)
        yield Step(done, len(spots), f"{unit}")
    values = torch.cat(found).clone().reshape(rows, columns)
    what = measure if unit.is_class else "activation"
    return Heatmap(
        values=values,
        photo=photo,
        frame=frame,
        low_is_strong=True,
        caption=f"{what} of {unit}: {clean:.3g} uncovered, "
        f"{float(values.min()):.3g} to {float(values.max()):.3g} under a {side} px mask",
    )


def _value(
    net: Network, inputs: Float[Tensor, "batch c h w"], unit: Unit, measure: str
) -> Float[Tensor, "batch"]:
    if unit.is_class and measure == "probability":
        return net.scores(inputs).softmax(1)[:, unit.channel]
    return net.neurons(inputs, unit)


def _cover(inputs: Float[Tensor, "1 c h w"], net: Network, fill: Fill) -> Float[Tensor, "1 c h w"]:
    if fill == "zero":
        return torch.zeros_like(inputs)
    if fill == "mean":
        return inputs.mean((2, 3), keepdim=True).expand_as(inputs)
    if fill == "noise":
        pixels = torch.rand(inputs.shape).to(inputs)
        return net.preprocess.normalise(pixels)
    # Strong enough that nothing smaller than a mask survives.
    tall, wide = (max(1, length // 16) for length in inputs.shape[2:])
    small = F.adaptive_avg_pool2d(inputs, (tall, wide))
    return F.interpolate(small, inputs.shape[2:], mode="bilinear", align_corners=False)


def _edge(number: int, count: int, length: int, side: int) -> tuple[int, int]:
    # Halves upward: rounding them to even, as Python does, would make the steps uneven.
    first = floor((number + 0.5) * length / count - side / 2 + 0.5)
    return max(0, first), min(length, first + side)
