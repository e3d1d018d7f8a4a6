"""Tiling: a picture of any size looked at by a network that takes only so much at a time."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise, product
from typing import Annotated, NamedTuple

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from pellucid.backward import backward
from pellucid.errors import PellucidError
from pellucid.make.canvas import Image
from pellucid.make.objective import Bound, View
from pellucid.make.runner import Runner, runs
from pellucid.network import Network
from pellucid.option import Help

Values = Float[Tensor, "batch"]
TileSide = Annotated[
    int | None, Help("px of a side that is looked at at once; what memory holds if none", low=8)
]
# Numbers that a pass may keep for its gradient; what is seen at once hangs on nothing else, least
# of all on the memory that is free just now: a picture is to come out the same again.
MOST_NUMBERS = {"cpu": 2**28, "cuda": 2**29, "mps": 2**28}


class Part(NamedTuple):
    """A stretch of one axis, and what the network is shown for it.

    Attributes:
        low, high: the stretch whose gradient is kept, in pixels.
        start: first pixel of what is shown.
    """

    low: int
    high: int
    start: int


class Tiled:
    """An objective of pictures of any size.

    What is more than the network takes, or than memory holds, is seen tile by tile. Each tile is
    shown with a margin as wide as the layer's receptive field, and lies on the layer's own grid of
    strides: so every unit that sees a pixel of the tile is as it is in the whole picture, and the
    gradient is the same. Where a tile is too small for that, the margin is a quarter of it, and an
    eighth where the field has no bound; the borders then lie elsewhere in each step, so that
    nothing can gather along them. A picture too small for the network is mirrored around its rim.

    Args:
        random: of jitter and borders.
        jitter: px, at most, that the picture is moved by before it is looked at; what leaves on
            one side comes back on the other.
        tile: px, at most; None: as large as memory allows.

    Raises:
        PellucidError: the tile is too small for the layer.
    """

    def __init__(
        self, net: Network, objective: Bound, random: Generator, jitter: int, tile: int | None
    ) -> None:
        self.net, self.objective, self.random, self.jitter = net, objective, random, jitter
        self.own = net.preprocess.size
        self.fixed = _fixed(net, objective.layers)
        self.field, self.stride = (0, 1) if self.fixed else _field(net, objective.layers)
        self.most = MOST_NUMBERS.get(net.device.type, MOST_NUMBERS["cpu"])
        self.density = density(net, objective.layers)
        side = int((self.most / self.density) ** 0.5) if tile is None else tile
        least = 4 * self.stride
        if tile is not None and not self.fixed:
            if tile < least:
                raise PellucidError(
                    f"a tile has at least {least} px for this layer, which has one place for each "
                    f"{self.stride} px; not {tile}"
                )
            if not runs(net, objective.layers, (tile, tile)):
                raise PellucidError(
                    f"tiles of {tile} px are too small for {net.name}; its own input is "
                    f"{self.own[0]} x {self.own[1]}"
                )
        self.tile = self.own if self.fixed else (max(side, least),) * 2
        self.taken: dict[tuple[int, int], bool] = {}
        self.runner = Runner(net, objective.layers, self.own)

    def __call__(self, images: Image) -> Values:
        """The objective of each image, ready for gradients: of tiles, the mean over the picture."""
        down, right = (self._move(side) for side in images.shape[2:])
        return self._look(images, images.roll((down, right), (2, 3)), exact=False)

    def still(self, images: Image) -> Values:
        """The same of the images where they are, to all digits."""
        return self._look(images, images, exact=True)

    def _look(self, images: Image, moved: Image, exact: bool) -> Values:
        shown = self._roomy(moved)
        if self.fits((shown.shape[2], shown.shape[3])):
            outputs = self.runner(shown, exact=exact)
            return self.objective.value(View(self.net, images, outputs))
        return self._by_tiles(shown, exact)

    def fits(self, size: tuple[int, int]) -> bool:
        """Whether a picture of a height and width is seen in one piece."""
        return all(side <= most for side, most in zip(size, self.tile, strict=True))

    def _by_tiles(self, shown: Image, exact: bool) -> Values:
        size = shown.shape[2], shown.shape[3]
        (tall, rows), (wide, columns) = map(self._cut, size, self.tile)
        tiles = list(product(rows, columns))
        gradient = torch.zeros_like(shown)
        values = torch.zeros(len(shown), device=shown.device)
        at_once = max(1, int(self.most / (self.density * tall * wide * len(shown))))
        for first in range(0, len(tiles), at_once):
            some = tiles[first : first + at_once]
            cut = [
                shown[:, :, row.start : row.start + tall, column.start : column.start + wide]
                for row, column in some
            ]
            seen = torch.cat(cut).detach().requires_grad_()
            with torch.enable_grad(), backward():
                outputs = self.runner(seen, exact=exact)
                found = self.objective.value(View(self.net, seen, outputs))
                (slopes,) = torch.autograd.grad(found.sum(), seen)
            for (row, column), value, slope in zip(
                some, found.detach().chunk(len(some)), slopes.chunk(len(some)), strict=True
            ):
                own = slope[
                    :, :, row.low - row.start : row.high - row.start,
                    column.low - column.start : column.high - column.start,
                ]  # fmt: skip
                gradient[:, :, row.low : row.high, column.low : column.high] = own
                area = (row.high - row.low) * (column.high - column.low)
                values += value.float() * (area / (size[0] * size[1]))
        # Objectives are means: of a tile a number weighs more than of the whole.
        gradient *= tall * wide / (size[0] * size[1])
        # The plane that touches the objective here: the same value, the same gradient.
        plane = (shown * gradient).flatten(1).sum(1).float()
        return values + (plane - plane.detach())

    def _cut(self, length: int, most: int) -> tuple[int, list[Part]]:
        """How long all tiles along an axis are, and which part each is for."""
        stride = self.stride
        if length <= most:
            return length, [Part(0, length, 0)]
        if 0 < self.field <= most // 4:
            # The gradient is that of the whole wherever the borders are: so as few as may be.
            room = (most - 2 * self.field - 2 * stride) // stride * stride
            step = -(-length // -(-length // room) // stride) * stride
            tile = step + 2 * self.field + stride
            tile += (length - tile) % stride  # one ends where the picture ends
            return tile, parts(length, tile, self.field, stride, step, 0)
        margin = most // 4 if self.field else most // 8
        tile = most - (most - length) % stride
        step = tile - 2 * margin - stride
        offset = int(torch.randint(step, (), generator=self.random))
        return tile, parts(length, tile, margin, stride, step, offset)

    def _move(self, length: int) -> int:
        most = min(self.jitter, length - 1)
        return int(torch.randint(-most, most + 1, (), generator=self.random)) if most else 0

    def _roomy(self, images: Image) -> Float[Tensor, "batch channels h w"]:
        """Mirrored around the rim, where the network takes nothing so small."""
        size = images.shape[2], images.shape[3]
        if size not in self.taken:
            least = min(size[0], self.tile[0]), min(size[1], self.tile[1])
            self.taken[size] = not self.fixed and runs(self.net, self.objective.layers, least)
        if self.taken[size]:
            return images
        rows, columns = (
            mirrored(length, max(length, own)).to(images.device)
            for length, own in zip(size, self.own, strict=True)
        )
        return images[:, :, rows][:, :, :, columns]


def parts(length: int, tile: int, margin: int, stride: int, step: int, offset: int) -> list[Part]:
    """Cuts an axis: each part lies in its tile with the margin around it.

    Where a margin is missing the picture itself ends there. Tiles begin at multiples of the stride
    and end inside of the picture.

    Args:
        length: of the axis; less that of a tile it is a multiple of the stride.
        tile: at least a step, two margins and a stride.
        step: from one cut to the next.
        offset: of the first cut.
    """
    cuts = sorted({0, length, *range(offset, length, step)})
    return [
        Part(low, high, min(max(0, low - margin), length - tile) // stride * stride)
        for low, high in pairwise(cuts)
    ]


def mirrored(length: int, wanted: int) -> Tensor:
    """Which pixels of an axis make one of the wanted length, itself in the middle of mirrors."""
    places = torch.arange(wanted) - (wanted - length) // 2
    places = places.remainder(2 * length)
    return torch.minimum(places, 2 * length - 1 - places)


def _fixed(net: Network, layers: frozenset[str]) -> bool:
    """Whether a network takes pictures of its own size only."""
    if any(net.layers[layer].layout.form == "tokens" for layer in layers):
        return True  # a row of tokens is read as the grid that it is at that size
    height, width = net.preprocess.size
    return bool(layers) and not runs(net, layers, (height + 64, width + 64))


def _field(net: Network, layers: frozenset[str]) -> tuple[int, int]:
    """The margin that a tile needs, 0 where none is enough, and the stride of its grid."""
    fields = [net.layers[layer].field for layer in layers]
    if any(field is None or field.status == "whole" for field in fields):
        placed = [layer.field.stride for layer in net.layers.values() if layer.field]
        return 0, max(1, *(round(side) for pair in placed for side in pair))
    sizes = [side for field in fields if field for side in field.size]
    strides = [round(side) for field in fields if field for side in field.stride]
    return max(sizes, default=1), max(strides, default=1)


def density(net: Network, layers: Iterable[str]) -> float:
    """Numbers that a pass keeps for each pixel of the picture, about."""
    height, width = net.preprocess.size
    numbers, waiting = net.preprocess.channels * height * width, set(layers)
    for layer in net.layers.values():
        if not waiting:
            break
        waiting.discard(layer.name)
        if layer.leaf:
            numbers += torch.Size(layer.shape).numel()
    return numbers / (height * width)
