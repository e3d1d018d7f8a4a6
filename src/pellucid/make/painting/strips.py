"""Strips: a convolution over a mirrored border, of a photo that is too large to have twice."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

MOST_NUMBERS = 16_000_000  # that the convolution of a part may have in and out
FEW, WIDE = 4, 5  # channels of a picture at most; side of a kernel that gains from being cut
# Which places of small maps the three taps of a kernel fall on, where these maps are enlarged to
# twice their size by nearest neighbours: for even places, and for odd ones.
TAPS = torch.tensor([[[1, 0, 0], [0, 1, 1], [0, 0, 0]], [[0, 0, 0], [1, 1, 0], [0, 0, 1]]])

Maps = Float[Tensor, "batch channels height width"]
Kernels = Float[Tensor, "after before down right"]


def convolved(maps: Maps, kernels: Kernels, stride: int = 1) -> Float[Tensor, "batch after h w"]:
    """The convolution of maps with as much border as it needs.

    The border mirrors what is inside; where that is too small to be mirrored, its rim goes on.
    Large maps that need no gradient are gone through in strips of rows.
    """
    reach = kernels.shape[2] // 2
    modes = ["reflect" if side > reach else "replicate" for side in maps.shape[2:]]
    return _convolved(maps, kernels, stride, modes)


def enlarged(
    maps: Maps, kernels: Float[Tensor, "after before 3 3"]
) -> Float[Tensor, "batch after twice_height twice_width"]:
    """The convolution of maps that are first enlarged to twice their size by nearest neighbours.

    Each place of the small maps becomes four; what a kernel does there, another one does on the
    small maps, whose taps are sums of its own. So the large maps are never there.
    """
    taps = TAPS.to(kernels)
    four = torch.einsum("apk,bql,oikl->oabipq", taps, taps, kernels).flatten(0, 2)
    # The mirror image of an enlarged rim is the rim once more.
    return F.pixel_shuffle(_convolved(maps, four, 1, ["replicate", "replicate"]), 2)


def mirrored(length: int, reach: int, mode: str) -> Int[Tensor, "places"]:
    """Which place of an axis each one is, with those of a border on both sides."""
    places = torch.arange(-reach, length + reach)
    if mode == "replicate":
        return places.clamp(0, length - 1)
    places = places.abs()
    return torch.where(places < length, places, 2 * (length - 1) - places)


def _convolved(
    maps: Maps, kernels: Kernels, stride: int, modes: list[str]
) -> Float[Tensor, "batch after h w"]:
    """The same with the border that is asked for above and below, left and right."""
    side, reach = kernels.shape[2], kernels.shape[2] // 2
    height, width = ((one + 2 * reach - side) // stride + 1 for one in maps.shape[2:])
    numbers = len(maps) * width * stride * (stride * kernels.shape[1] + kernels.shape[0])
    step = max(4, MOST_NUMBERS // numbers)
    across, down = (reach, reach, 0, 0), (0, 0, reach, reach)
    if torch.is_grad_enabled() or step >= height:
        if modes[0] == modes[1]:
            whole = F.pad(maps, (reach,) * 4, mode=modes[0])
        else:
            whole = F.pad(F.pad(maps, across, mode=modes[1]), down, mode=modes[0])
        return _each(whole, kernels, stride)
    made = maps.new_empty((len(maps), len(kernels), height, width))
    made = made.contiguous(memory_format=torch.channels_last)
    rows = mirrored(maps.shape[2], reach, modes[0]).to(maps.device)
    for top in range(0, height, step):
        bottom = min(height, top + step)
        seen = maps[:, :, rows[top * stride : (bottom - 1) * stride + side]]
        part = F.pad(seen, across, mode=modes[1])
        made[:, :, top:bottom] = _each(part, kernels, stride)
    return made


def _each(maps: Maps, kernels: Kernels, stride: int) -> Float[Tensor, "batch after h w"]:
    """The convolution without a border.

    A processor's own is made for many channels: for the few of a picture it leaves most of its
    lanes empty. So four neighbours are worked out as four times as many channels of one place, from
    blocks of 2 x 2 places; less than half the time, although a quarter of the taps are zeros.
    """
    side = kernels.shape[2]
    few = len(kernels) <= FEW and side >= WIDE and stride == 1 and maps.device.type == "cpu"
    if torch.is_grad_enabled() or not few:
        return F.conv2d(maps, kernels, stride=stride)
    height, width = (length - side + 1 for length in maps.shape[2:])
    whole = side + 1 + (side + 1) % 2
    # To whole blocks under the last kernel too; what is too much is cut off again.
    more = [-(-length // 2) * 2 + whole - 2 - there for length, there in
            zip((height, width), maps.shape[2:], strict=True)]  # fmt: skip
    blocks = F.pixel_unshuffle(F.pad(maps, (0, more[1], 0, more[0])), 2)
    places = [
        F.pad(kernels, (right, whole - side - right, down, whole - side - down))
        for down in range(2)
        for right in range(2)
    ]
    four = F.pixel_unshuffle(torch.stack(places, 1).flatten(0, 1), 2)
    made = F.conv2d(blocks.contiguous(memory_format=torch.channels_last), four)
    return F.pixel_shuffle(made, 2)[:, :, :height, :width]
