"""Baseline: a picture in which there is nothing to see, for a photo to be compared with."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.preprocess import Preprocess

Baseline = Literal["black", "white", "mean", "zero", "blur", "noise"]
Images = Float[Tensor, "photos channels height width"]


def baseline_of(which: Baseline, inputs: Images, preprocess: Preprocess) -> Images:
    """The baseline of each photo, as the network takes it.

    Args:
        which: "black", "white": the whole picture; "mean": the photo's mean colour; "zero": zero
            after normalising, which is the mean colour of the photos the network was trained on;
            "blur": the photo, so blurred that only broad patches of colour are left; "noise": each
            pixel random and even from black to white, the same for all photos.
    """
    if which == "mean":
        return inputs.mean((2, 3), keepdim=True).expand_as(inputs)
    if which == "blur":
        rows, columns = (max(1, length // 16) for length in inputs.shape[2:])
        small = F.adaptive_avg_pool2d(inputs, (rows, columns))
        return F.interpolate(small, inputs.shape[2:], mode="bilinear", align_corners=False)
    if which == "zero":
        return torch.zeros_like(inputs)
    if which == "noise":
        noise = torch.rand(inputs.shape[1:], dtype=torch.float32).to(inputs)
        return preprocess.normalise(noise.expand_as(inputs))
    return preprocess.normalise(torch.full_like(inputs, float(which == "white")))


def beside(difference: float, which: Baseline) -> str:
    """How far a photo's score is from its baseline's, in words."""
    more = "less" if difference < 0 else "more"
    return f"it is {abs(difference):.4g} {more} than on the baseline ({which})"
