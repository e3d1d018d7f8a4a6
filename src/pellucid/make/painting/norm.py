"""Conditional instance normalisation: what makes one network paint in many styles."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

EPSILON = 1e-5


class ConditionalNorm(nn.Module):
    """Each channel of each picture to mean 0 and variance 1, then to a style's own scale and shift.

    Dumoulin, Shlens, Kudlur (2017): all that a style is, is these two numbers for each channel; the
    convolutions are everybody's. Between styles lie the means of their numbers.

    Args:
        styles: how many.
        channels: of the maps.
    """

    def __init__(self, styles: int, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(styles, channels))
        self.shift = nn.Parameter(torch.zeros(styles, channels))

    def forward(
        self,
        maps: Float[Tensor, "batch channels height width"],
        mix: Float[Tensor, "batch styles"],
    ) -> Float[Tensor, "batch channels height width"]:
        """The maps in the styles that each picture is to have.

        Args:
            mix: of each picture how much of each style; the sum is 1.
        """
        # Groups of one channel each: torch's own instance_norm is several times as slow.
        places = maps.shape[2] * maps.shape[3]
        # One place alone is its own mean, which torch takes for a mistake.
        even = F.group_norm(maps, maps.shape[1], eps=EPSILON) if places > 1 else maps - maps
        scale, shift = ((mix @ one)[:, :, None, None] for one in (self.scale, self.shift))
        if torch.is_grad_enabled():
            return even * scale + shift
        return even.mul_(scale).add_(shift)  # the maps of a large photo are there once only
