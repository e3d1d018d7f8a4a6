"""Similarity of two maps: by the order of their places, and by what they look like."""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.nn import functional as F

WINDOW = 7  # px, of SSIM


def rank_correlation(one: Float[Tensor, "*shape"], other: Float[Tensor, "*shape"]) -> float:
    """Spearman's: 1 where both maps put all places in one order, 0 for unrelated orders.

    Two maps without any order (all numbers equal) are alike, 1; with just one such, 0.
    """
    first, second = _ranks(one.flatten()), _ranks(other.flatten())
    first, second = first - first.mean(), second - second.mean()
    size = float(first.norm() * second.norm())
    if not size:
        return float(not first.any() and not second.any())
    return float(first @ second) / size


def _ranks(values: Shaped[Tensor, "places"]) -> Float[Tensor, "places"]:
    """From 1; equal numbers share the mean of theirs."""
    ordered = values.sort().values
    below = torch.searchsorted(ordered, values.contiguous())
    upto = torch.searchsorted(ordered, values.contiguous(), right=True)
    return (below + upto + 1).double() / 2


def ssim(one: Float[Tensor, "height width"], other: Float[Tensor, "height width"]) -> float:
    """Structural similarity (Wang et al. 2004): mean over windows of 7 x 7 px.

    Each map is first spread over 0 to 1. Maps smaller than a window are enlarged by repetition.
    """
    first, second = _spread(one), _spread(other)

    def mean(values: Tensor) -> Tensor:
        return F.avg_pool2d(values[None, None], WINDOW, stride=1)[0, 0]

    unbiased = WINDOW**2 / (WINDOW**2 - 1)
    centre, other_centre = mean(first), mean(second)
    spread = unbiased * (mean(first * first) - centre * centre)
    other_spread = unbiased * (mean(second * second) - other_centre * other_centre)
    together = unbiased * (mean(first * second) - centre * other_centre)
    c1, c2 = 0.01**2, 0.03**2
    light = (2 * centre * other_centre + c1) / (centre**2 + other_centre**2 + c1)
    form = (2 * together + c2) / (spread + other_spread + c2)
    return float((light * form).mean())


def _spread(values: Float[Tensor, "height width"]) -> Float[Tensor, "h w"]:
    low, high = values.min(), values.max()
    ranged = (values - low).double() / (float(high - low) or 1.0)
    factor = -(-WINDOW // min(values.shape))
    return ranged.repeat_interleave(factor, 0).repeat_interleave(factor, 1)
