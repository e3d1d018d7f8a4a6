"""Mosaic: the sum of terms of a picture of any size, part by part where memory is short."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import ceil
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from pellucid.backward import backward
from pellucid.errors import PellucidError
from pellucid.make.canvas import Image
from pellucid.make.runner import Runner
from pellucid.make.strata import PIXELS, steps
from pellucid.make.terms import Seen, Term, details
from pellucid.make.tiling import Part, density, parts
from pellucid.network import Network

Values = Float[Tensor, "batch"]
# Numbers that the layers of a tile have. One piece of VGG-19 and 256 px fits, and 2048 px of the
# bundled network stay below 6 GB, its curvature included. A tile sees much of its neighbours, and
# twice: one picture in three tiles takes four times as long.
MOST_NUMBERS = 3 * 2**24
DETAILS = 9  # numbers for each pixel and colour that looking at the pixels themselves keeps
Window = tuple[Part, Part] | None  # rows and columns of a picture that alone count


class Tile(NamedTuple):
    """What the network is shown at once, and which part of the picture it stands for.

    Attributes:
        rows, columns: the part, and where what is shown for it begins.
        tall, wide: of what is shown.
    """

    rows: Part
    columns: Part
    tall: int
    wide: int

    def cut(self, images: Image) -> Float[Tensor, "batch channels tall wide"]:
        """What is shown."""
        top, left = self.rows.start, self.columns.start
        return images[:, :, top : top + self.tall, left : left + self.wide]


class Mosaic:
    """Pictures as layers see them, added up over places.

    What memory does not hold at once is seen tile by tile, each with as much around it as the
    layers see: so each place is as it is in the whole picture. A first pass, without gradients,
    adds up the sums of all tiles; what the whole loss says of the sums is then the same for every
    tile, and a second pass takes its gradient. So the gradient is that of the whole picture, not of
    pictures side by side. Where what the layers see is more than fits, the borders lie elsewhere
    in every step.

    Args:
        layers: that are looked at.
        size: of the pictures, height and width.
        tile: px of a side at most; None: as large as memory allows.
        random: of borders.

    Raises:
        PellucidError: the tile is too small for the layers, or the picture for the network.
    """

    def __init__(
        self,
        net: Network,
        layers: Sequence[str],
        size: tuple[int, int],
        *,
        tile: int | None = None,
        random: Generator | None = None,
        runner: Runner | None = None,
    ) -> None:
        self.net, self.layers, self.size = net, tuple(layers), size
        self.random = random or Generator().manual_seed(0)
        self.hidden = frozenset(layers) - {PIXELS}
        self.strides = {name: max(1, round(steps(net, name))) for name in layers}
        self.stride = max(self.strides.values(), default=1)
        self.reach = reach(net, self.hidden)
        numbers = density(net, set(layers) - {PIXELS})
        if PIXELS in layers:
            numbers += DETAILS * net.preprocess.channels
        side = int((MOST_NUMBERS / numbers) ** 0.5)
        # Made for what it is shown: a tile, where there are some.
        self.most = max(side if tile is None else tile, 8 * self.stride)
        if tile is not None and tile < 8 * self.stride:
            raise PellucidError(
                f"a tile has at least {8 * self.stride} px for these layers, which have a place "
                f"for each {self.stride} px; not {tile}"
            )
        if runner is None:
            shown = min(size[0], self.most), min(size[1], self.most)
            runner = Runner(net, self.hidden, shown)
        self.runner = runner
        self.fixed = runner.resized
        self.grids: dict[str, tuple[int, int]] = {}

    def tiles(self) -> list[Tile]:
        """That a picture is seen in: one, where it fits."""
        tall, wide = self.size
        if self.fixed or max(tall, wide) <= self.most:
            return [Tile(Part(0, tall, 0), Part(0, wide, 0), tall, wide)]
        (high, rows), (broad, columns) = self._cut(tall), self._cut(wide)
        return [Tile(row, column, high, broad) for row, column in product(rows, columns)]

    def seen(self, shown: Image, tile: Tile, window: Window = None) -> Seen:
        """What a tile cuts out, as the layers see it; of a window those places only."""
        outputs = dict(self.runner(shown))
        if PIXELS in self.layers:
            outputs[PIXELS] = details(shown)
        maps, places = {}, {}
        for name in self.layers:
            whole = outputs[name]
            if name != PIXELS:
                whole = self.net.layers[name].layout.maps(whole)
            whole = whole.float()
            if self.fixed and name != PIXELS:
                maps[name], places[name] = whole, (0, 0)
                continue
            ranges = [
                _owned(part, self.strides[name], length, inner)
                for part, length, inner in zip(
                    tile[:2], self.size, window or (None, None), strict=True
                )
            ]
            (top, bottom, row), (left, right, column) = ranges
            maps[name] = whole[:, :, top:bottom, left:right]
            places[name] = row, column
        return Seen(maps, places)

    def sums(
        self, images: Image, terms: Sequence[Term], window: Window = None
    ) -> list[tuple[Tensor, float]]:
        """Of each term the sums over all places, without gradients, and how many those are."""
        return self._added(images, terms, self.tiles(), window)

    def losses(self, images: Image, terms: Sequence[Term], window: Window = None) -> list[float]:
        """Of each term its loss, before its weight."""
        found = self.sums(images, terms, window)
        return [
            float(term.loss(sums, places))
            for term, (sums, places) in zip(terms, found, strict=True)
        ]

    def value(self, images: Image, terms: Sequence[Term], window: Window = None) -> Values:
        """Minus the weighted sum of all losses, ready for gradients: up is good."""
        tiles = self.tiles()
        if len(tiles) == 1:
            seen = self.seen(images, tiles[0], window)
            losses = [term.weight * term.loss(*term.sums(seen)) for term in terms]
            return -torch.stack(losses).sum().reshape(1)
        found = self._added(images, terms, tiles, window)
        totals = [sums.requires_grad_() for sums, _ in found]
        with torch.enable_grad():
            losses = [
                term.weight * term.loss(total, places)
                for term, total, (_, places) in zip(terms, totals, found, strict=True)
            ]
            loss = torch.stack(losses).sum()
            slopes = torch.autograd.grad(loss, totals)
        gradient = torch.zeros_like(images)
        for tile in tiles:
            part = tile.cut(images.detach()).clone().requires_grad_()
            with torch.enable_grad(), backward():
                seen = self.seen(part, tile, window)
                along = [
                    (slope * term.sums(seen)[0]).sum()
                    for slope, term in zip(slopes, terms, strict=True)
                ]
                (own,) = torch.autograd.grad(torch.stack(along).sum(), part)
            tile.cut(gradient).add_(own)
        # The plane that touches it here: the same value, the same gradient.
        plane = (images * gradient).sum()
        return -(loss.detach() + plane - plane.detach()).reshape(1)

    def maps(self, images: Image, name: str, window: Window = None) -> Float[Tensor, "1 maps h w"]:
        """What a layer puts out for the whole picture, without gradients."""
        rows: dict[int, list[Tensor]] = {}
        with torch.no_grad():
            for tile in self.tiles():
                seen = self.seen(tile.cut(images.detach()), tile, window)
                if seen.maps[name].numel():
                    rows.setdefault(seen.places[name][0], []).append(seen.maps[name])
        return torch.cat([torch.cat(row, 3) for row in rows.values()], 2)

    def grid(self, name: str, window: Window = None) -> tuple[int, int]:
        """Height and width of a layer's places, for the whole picture."""
        if name not in self.grids:
            blank = torch.zeros(1, self.net.preprocess.channels, *self.size)
            maps = self.maps(blank.to(self.net.device, self.net.dtype), name, window)
            self.grids[name] = maps.shape[2], maps.shape[3]
        return self.grids[name]

    def _added(
        self,
        images: Image,
        terms: Sequence[Term],
        tiles: Sequence[Tile],
        window: Window,
    ) -> list[tuple[Tensor, float]]:
        added: list[tuple[Tensor, float]] = []
        with torch.no_grad():
            for tile in tiles:
                seen = self.seen(tile.cut(images.detach()), tile, window)
                here = [term.sums(seen) for term in terms]
                if not added:
                    added = here
                    continue
                added = [
                    (a + b, more + places)
                    for (a, more), (b, places) in zip(added, here, strict=True)
                ]
        return added

    def _cut(self, length: int) -> tuple[int, list[Part]]:
        """How long all tiles along an axis are, and which part each is for."""
        if length <= self.most:
            return length, [Part(0, length, 0)]
        stride = self.stride
        exact = 0 < self.reach <= self.most // 4
        margin = self.reach if exact else self.most // 8
        tile = self.most - (self.most - length) % stride
        step = (tile - 2 * margin - 2 * stride) // stride * stride
        if exact:  # all about alike, as few as may be
            step = -(-length // -(-length // step) // stride) * stride
        offset = step
        if not exact:
            offset = stride * int(torch.randint(1, step // stride + 1, (), generator=self.random))
        return tile, parts(length, tile, margin, stride, step, offset)


def _owned(part: Part, stride: int, length: int, inner: Part | None) -> tuple[int, int | None, int]:
    """Which places of a tile belong to its part: from, to, and the first one's number in all."""
    low, high = part.low, part.high
    first = 0
    if inner is not None:
        low, high = max(low, inner.low), min(high, inner.high)
        first = ceil(inner.low / stride)
    begin = part.start // stride
    end = None if high == length else max(0, ceil(high / stride) - begin)
    return ceil(low / stride) - begin, end, ceil(low / stride) - first


def reach(net: Network, layers: frozenset[str]) -> int:
    """Px that a place sees around itself; 0 where nobody knows."""
    fields = [net.layers[name].field for name in layers]
    if any(field is None or field.status == "whole" for field in fields):
        return 0
    sizes = [side for field in fields if field for side in field.size]
    strides = [side for field in fields if field for side in field.stride]
    return max(sizes, default=2) // 2 + ceil(max(strides, default=1))
