"""Score-CAM: each channel weighed by the score of what it lets through."""

from collections.abc import Generator
from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.batches import Batches, fitting
from pellucid.heatmap import flat
from pellucid.method import Step
from pellucid.question import Question

# In the inputs of one forward pass: more is no faster, and takes memory.
MOST_NUMBERS = {"cpu": 2_500_000, "cuda": 10_000_000, "mps": 10_000_000}


def scorecam(
    asked: Question, maps: Float[Tensor, "photos channels h w"]
) -> Generator[
    Step, None, tuple[Float[Tensor, "photos targets h w"], Bool[Tensor, "photos targets"]]
]:
    """Score-CAM (Wang et al. 2020): no gradient, a forward pass for each channel.

    Each channel's map, enlarged to the input and stretched from 0 to 1, is multiplied onto the
    input: what it does not mark turns mean grey. The softmax over channels of the target's values
    (for a class the score, not the probability) are the weights.

    Where others differ: maps are enlarged by the centres of their places (pytorch-grad-cam moves
    them to the corners), and a channel that is the same everywhere marks nothing and is left out
    (there it counts in the softmax with the value of the grey input; the map as a whole is the
    same but for a factor).

    Args:
        maps: of a layer, channel by channel.

    Returns:
        The maps, and which of them are no more than the mean of all channels: no matter what is
        let through, the target has the same value.
    """
    spread = (maps.amax((2, 3)) - maps.amin((2, 3))) > 0
    total, done = int(spread.sum()), 0
    size = fitting(asked.inputs.device, asked.inputs[0].numel(), MOST_NUMBERS)
    result = maps.new_zeros(len(maps), len(asked.targets), *maps.shape[2:])
    even = torch.zeros(result.shape[:2], dtype=torch.bool)
    for row, image in enumerate(asked.inputs):
        live = maps[row, spread[row]]
        found: list[Tensor] = []
        work = Batches(range(len(live)), size)
        for some in work:
            rows = torch.full((len(some),), row, device=image.device)
            try:
                # Not around the loop: a `yield` inside would put the caller in this mode too.
                with torch.no_grad():
                    values = asked.values(masked(live[some], image), rows)
                    alone = partial(_alone, asked, live[some[:1]], image, rows[:1])
                    if work.mixed(some, values[:, 0], alone):
                        continue
            except Exception as error:
                work.again(some, error)
                continue
            found.append(values.to(maps.dtype))
            done += len(some)
            yield Step(done, total, "Score-CAM")
        size = work.size
        if found:
            values = torch.cat(found, 1)
            even[row] = torch.tensor([len(live) > 1 and flat(each[None]) for each in values])
            weights = values.softmax(1)
            result[row] = torch.einsum("tc,chw->thw", weights, live).relu()
    return result, even


def _alone(asked: Question, maps: Tensor, image: Tensor, rows: Tensor) -> Tensor:
    return asked.values(masked(maps, image), rows)[:, 0]


def masked(
    maps: Float[Tensor, "channels h w"], image: Float[Tensor, "colours height width"]
) -> Float[Tensor, "channels colours height width"]:
    """The image seen through each map, stretched from 0 (nothing) to 1."""
    large = F.interpolate(maps[None], image.shape[1:], mode="bilinear", align_corners=False)[0]
    low, high = large.amin((1, 2), keepdim=True), large.amax((1, 2), keepdim=True)
    return image * ((large - low) / (high - low))[:, None].to(image.dtype)
