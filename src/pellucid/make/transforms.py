"""Transforms: small random changes of view, so that a picture holds up from more than one."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

Images = Float[Tensor, "batch channels height width"]


def shifted(images: Images, most: int) -> Images:
    """Moved by up to `most` pixels either way; what leaves on one side comes back on the other."""
    if not most:
        return images
    down, right = torch.randint(-most, most + 1, (2,)).tolist()
    return images.roll((down, right), (2, 3))


def scaled(images: Images, most: float) -> Images:
    """Enlarged or shrunk by a share of up to `most` around the centre, zeros beyond the rim."""
    if not most:
        return images
    share = 1 + most * float(torch.rand(()) * 2 - 1)
    turn = torch.eye(2, 3, device=images.device, dtype=images.dtype) / share
    grid = F.affine_grid(turn.expand(len(images), 2, 3), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", align_corners=False)
