"""Sampling: pictures moved and resized so that on a GPU gradients add up in the same order."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

Images = Float[Tensor, "batch channels height width"]


def moved(images: Images, matrix: Float[Tensor, "3 3"]) -> Images:
    """Every image under one affine map, paper of zeros around; bilinear.

    Args:
        matrix: from a place in what is made to where it lies in the images, both in units of half
            the image, from its centre (`torch.nn.functional.affine_grid`).
    """
    if images.is_cuda and not matrix[0, 1] and not matrix[1, 0]:
        down, across = (
            _spread(float(matrix[at, at]), float(matrix[at, 2]), size).to(images)
            for at, size in ((1, images.shape[2]), (0, images.shape[3]))
        )
        return down @ images @ across.T
    grid = F.affine_grid(matrix[None, :2].to(images), [1, *images.shape[1:]], align_corners=False)
    if images.is_cuda:
        return _gathered(images.flatten(0, 1), grid[0]).view(images.shape)
    # As one image of many channels: all move alike, so where to is found out once.
    joined = images.reshape(1, -1, *images.shape[2:])
    made: Images = F.grid_sample(joined, grid, mode="bilinear", align_corners=False)
    return made.view(images.shape)


def resized(images: Images, size: tuple[int, int]) -> Float[Tensor, "batch channels h w"]:
    """Of another height and width; bilinear, without aliasing."""
    if not images.is_cuda:
        return F.interpolate(images, size, mode="bilinear", antialias=True)
    down, across = (
        _mixture(was, new).to(images) for was, new in zip(images.shape[2:], size, strict=True)
    )
    return down @ images @ across.T


def _gathered(
    images: Float[Tensor, "images height width"], grid: Float[Tensor, "height width 2"]
) -> Float[Tensor, "images height width"]:
    """What `grid_sample` makes; its gradient adds numbers up in the order in which they come.

    That of `grid_sample` itself adds them up as threads finish: no two runs end in the same bits.
    """
    height, width = images.shape[1:]
    size = grid.new_tensor([width, height])
    place = ((grid + 1) * size - 1) / 2
    corners = grid.new_tensor([[0, 0], [1, 0], [0, 1], [1, 1]])
    near = place.floor() + corners[:, None, None]  # the four places around each
    inside = ((near >= 0) & (near < size)).all(-1)
    share = (1 - (place - near).abs()).prod(-1) * inside
    x, y = near.long().unbind(-1)
    at = y.clamp(0, height - 1) * width + x.clamp(0, width - 1)
    rows = images.flatten(1).T
    found = rows[at.flatten()].view(4, height * width, -1)
    return (share.view(4, -1, 1) * found).sum(0).T.reshape(images.shape)


def _spread(times: float, shift: float, size: int) -> Float[Tensor, "size size"]:
    """Which mixture of old rows each new row is, where none is turned."""
    rows = torch.arange(size, dtype=torch.float64)
    place = (times * (2 * rows + 1 - size) + shift * size + size - 1) / 2
    return (1 - (place[:, None] - rows).abs()).clamp(min=0)


def _mixture(was: int, new: int) -> Float[Tensor, "new was"]:
    """Which mixture of old rows each new row is."""
    rows = torch.eye(was)[None, None]
    return F.interpolate(rows, (new, was), mode="bilinear", antialias=True)[0, 0]
