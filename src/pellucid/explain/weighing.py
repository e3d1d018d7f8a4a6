"""Weighing: what each channel of a layer counts, from its gradients; one formula for each way."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Maps = Float[Tensor, "photos channels h w"]
Slopes = Float[Tensor, "photos targets channels h w"]
Found = Float[Tensor, "photos targets h w"]
# Of the sizes of its numbers: a channel's sum that is no more has only roundings in it.
NO_SUM = 1e-6


def gradcam(maps: Maps, slopes: Slopes) -> Found:
    """ReLU Σₖ wₖ Aₖ, with wₖ the mean over all places of ∂S/∂Aₖ."""
    return torch.einsum("ptc,pchw->pthw", slopes.mean((3, 4)), maps).relu()


def gradcam_plus_plus(maps: Maps, slopes: Slopes) -> Found:
    """ReLU Σₖ wₖ Aₖ, with wₖ the sum over places of α ReLU(∂S/∂Aₖ).

    α = g² / (2 g² + Σ Aₖ g³) for the exponential of the score, as in the paper; its factor exp(S)
    changes nothing but the brightness of the whole and is left out. In a layer that is not
    rectified Σ runs over what is positive: else the denominator would pass through zero. Nothing
    is added to the denominator against that, as others do, for that drowns small gradients.
    """
    sums = maps.relu().sum((2, 3))[:, None, :, None, None]
    positive = slopes.relu()
    weights = (positive / (2 + sums * positive)).sum((3, 4))
    return torch.einsum("ptc,pchw->pthw", weights, maps).relu()


def layercam(maps: Maps, slopes: Slopes) -> Found:
    """ReLU Σₖ ReLU(∂S/∂Aₖ) Aₖ, place by place."""
    return torch.einsum("ptchw,pchw->pthw", slopes.relu(), maps).relu()


def hirescam(maps: Maps, slopes: Slopes) -> Found:
    """ReLU Σₖ (∂S/∂Aₖ) Aₖ, place by place, signs kept."""
    return torch.einsum("ptchw,pchw->pthw", slopes, maps).relu()


def xgradcam(maps: Maps, slopes: Slopes) -> Found:
    """ReLU Σₖ wₖ Aₖ, with wₖ the mean of ∂S/∂Aₖ over places, each counted by its share of Σ Aₖ.

    Before the cut the map adds up to Σₖ Σ (∂S/∂Aₖ) Aₖ, whatever the network. A channel whose sum
    is zero has no shares and is left out.
    """
    sums = maps.sum((2, 3), keepdim=True)
    some = sums.abs() > NO_SUM * maps.abs().sum((2, 3), keepdim=True)
    shares = torch.where(some, maps / sums.where(some, 1), 0)
    weights = torch.einsum("ptchw,pchw->ptc", slopes, shares)
    return torch.einsum("ptc,pchw->pthw", weights, maps).relu()


WEIGHED: dict[str, Callable[[Maps, Slopes], Found]] = {
    "gradcam": gradcam,
    "gradcam++": gradcam_plus_plus,
    "layercam": layercam,
    "hirescam": hirescam,
    "xgradcam": xgradcam,
    "guided": gradcam,
}
