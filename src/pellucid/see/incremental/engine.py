"""Engine: the values of a network under many masks, from rectangles of its layers."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pellucid.see.incremental.fold import folded, last_uses
from pellucid.see.incremental.graph import Graph
from pellucid.see.incremental.kernels import FETCH, Kernel, settled
from pellucid.see.incremental.rules import Axes, rule
from pellucid.see.incremental.spans import Numbers, Rectangles, Spans
from pellucid.see.incremental.windows import CleanMap


@dataclass(frozen=True)
class Batch:
    """Masks that are answered together.

    Attributes:
        masks: their numbers.
        sizes: height and width of the rectangles, of each kind of spans.
        parts: for each operation, whether it is carried out on rectangles.
    """

    masks: Numbers
    sizes: list[tuple[int, int]]
    parts: list[bool]


class Engine:
    """Answers for masked photos, computing only what a mask can reach.

    Args:
        graph: what the network computes, see `capture`.
        inputs: (1, channels, height, width), the clean photo.
        cover: (1, channels, height, width), what a mask shows.
        boxes: (masks, 4): top, bottom, left and right of each mask, the ends not counted.

    Raises:
        Refused: the network cannot be taken apart.
    """

    def __init__(self, graph: Graph, inputs: Tensor, cover: Tensor, boxes: Numbers) -> None:
        self.boxes = boxes
        self.inputs = inputs
        graph = folded(graph)
        graph.nodes = [settled(node, graph) for node in graph.nodes]
        self.graph = graph
        self.axes: dict[int, Axes] = {0: (2, 3)}
        self.kernels: list[Kernel] = []
        for node in graph.nodes:
            found = rule(node, graph, self.axes)
            self.axes |= dict(zip(node.outs, found.axes, strict=True))
            self.kernels.append(Kernel(node, found, graph))
        self.ends = last_uses(graph)
        self.kinds: list[Spans] = []
        self.kind = self._kinds()
        self.extents = np.stack([spans.extents for spans in self.kinds])
        costs = np.zeros(len(self.kinds))
        for kernel in self.kernels:
            for value in kernel.outs[:1]:
                if value in self.kind:
                    costs[self.kind[value]] += kernel.cost
        areas = np.array([spans.size[0] * spans.size[1] for spans in self.kinds])
        self.density = costs / areas  # what one place costs
        self.weights = self.density / max(self.density.sum(), 1)
        both = torch.cat([inputs, cover]).movedim(1, -1)
        self.pixels = both.reshape(-1, both.shape[-1])
        self.batches: list[Batch] = []
        self.clean: dict[int, CleanMap] = {}
        self.means: dict[int, Tensor] = {}

    def prepare(self, size: int) -> None:
        """Puts masks that reach alike into batches of a size, and sees the clean photo."""
        count = len(self.boxes)
        self.batches = [self._planned(masks) for masks in self._grouped(np.arange(count), size)]
        with torch.inference_mode():
            self._see_clean()

    def _kinds(self) -> dict[int, int]:
        """For each value with places, the number of its spans in `kinds`: many share the same."""
        height, width = self.inputs.shape[2:]
        known: dict[Spans, int] = {}

        def number(spans: Spans) -> int:
            if spans not in known:
                known[spans] = len(self.kinds)
                self.kinds.append(spans)
            return known[spans]

        kind = {0: number(Spans(self.boxes.T.copy(), (height, width)))}
        joined: dict[frozenset[int], int] = {}
        for kernel in self.kernels:
            if kernel.rule.kind not in ("each", "slide"):
                continue
            given = frozenset(kind[value] for value in kernel.inputs)
            if given not in joined:
                first, *others = (self.kinds[place] for place in sorted(given))
                joined[given] = number(first.joined(*others)) if others else next(iter(given))
            place = joined[given]
            if kernel.rule.kind == "slide":
                place = number(self.kinds[place].slid(kernel.rule.rows, kernel.rule.columns))
            kind |= {value: place for value in kernel.outs if self.axes.get(value)}
        return kind

    def _grouped(self, masks: Numbers, size: int) -> list[Numbers]:
        """Batches of masks, halved along whichever axis makes their rectangles smaller."""
        batches = -(-len(masks) // size)
        if batches == 1:
            return [masks]
        middle = (batches + 1) // 2 * -(-len(masks) // batches)
        found = []
        for axis in (0, 1):
            keys = (self.extents[:, axis, masks] * self.weights[:, None]).sum(0)
            order = masks[np.lexsort((self.boxes[masks, 2 * axis], keys))]
            halves = order[:middle], order[middle:]
            found.append((sum(self._bulk(half) * len(half) for half in halves), axis, halves))
        _, _, halves = min(found, key=lambda one: one[:2])
        return [batch for half in halves for batch in self._grouped(half, size)]

    def _bulk(self, masks: Numbers) -> float:
        """What rectangles that are large enough for all of some masks cost each of them."""
        extents = self.extents[:, :, masks].max(2)
        return float((extents[:, 0] * extents[:, 1] * self.density).sum())

    def _planned(self, masks: Numbers) -> Batch:
        sizes = [(int(h), int(w)) for h, w in self.extents[:, :, masks].max(2)]
        share = [
            h * w / (spans.size[0] * spans.size[1])
            for (h, w), spans in zip(sizes, self.kinds, strict=True)
        ]
        cut = {0}  # values that are at hand as rectangles
        parts = []
        for kernel in self.kernels:
            part = kernel.rule.kind != "whole" and all(value in cut for value in kernel.inputs)
            if part and kernel.rule.kind != "mean":
                part = self._pays(kernel, share)
            parts.append(part)
            if part and kernel.rule.kind != "mean":
                cut |= {value for value in kernel.outs if self.axes.get(value)}
        return Batch(masks, sizes, parts)

    def _pays(self, kernel: Kernel, share: list[float]) -> bool:
        out = next(self.kind[value] for value in kernel.outs if value in self.kind)
        fetched = sum(
            self.numbers(value) * FETCH * (share[self.kind[value]] * 2 if self.windowed(kernel, value) else 0)
            for value in kernel.inputs
        )
        filled = sum(self.numbers(value) * FETCH for value in kernel.inputs)
        return kernel.cost * share[out] + fetched < kernel.cost + filled

    def windowed(self, kernel: Kernel, value: int) -> bool:
        """Whether more is read of a value than its changed rectangle."""
        out = next((self.kind[value] for value in kernel.outs if value in self.kind), None)
        still = kernel.rule.rows.plain and kernel.rule.columns.plain
        return self.kind.get(value) != out or not still

    def numbers(self, value: int) -> int:
        """How many numbers a whole value has, for one photo."""
        return prod(self.graph.shapes[value][1:])

    def _see_clean(self) -> None:
        """One pass of the clean photo; what may be cut out later is kept."""
        wanted = self._wanted()
        values: dict[int, Any] = {0: self.inputs.contiguous(memory_format=torch.channels_last)}
        for place, kernel in enumerate(self.kernels):
            output = kernel.whole(values, 1)
            values |= _numbered(kernel, output)
            if kernel.rule.kind == "mean":
                self.means[kernel.outs[0]] = values[kernel.outs[0]]
            self._keep(values, wanted, place)

    def _wanted(self) -> set[int]:
        """Values of which some batch cuts a window, or fills up a whole map."""
        wanted: set[int] = set()
        for batch in self.batches:
            cut = {0}
            for kernel, part in zip(self.kernels, batch.parts, strict=True):
                for value in kernel.inputs:
                    if value in cut and (not part or self.windowed(kernel, value)):
                        wanted.add(value)
                if part and kernel.rule.kind != "mean":
                    cut |= {value for value in kernel.outs if self.axes.get(value)}
            if self.graph.output in cut:
                wanted.add(self.graph.output)
        return wanted

    def _keep(self, values: dict[int, Any], wanted: set[int], place: int) -> None:
        for value in [value for value in values if self.ends[value] <= place]:
            if value in wanted:
                axes = self.axes[value]
                assert axes is not None
                self.clean[value] = CleanMap(values[value], axes[0])
            del values[value]

    def run(self, batch: Batch) -> Tensor:
        """(masks, …): the network's values under each mask of a batch.

        The caller is in inference mode.
        """
        masks, count = batch.masks, len(batch.masks)
        around = [
            Rectangles.around(spans, masks, *size)
            for spans, size in zip(self.kinds, batch.sizes, strict=True)
        ]
        values: dict[int, Any] = {0: self._covered(masks, around[0])}
        cut = {0}
        for place, (kernel, part) in enumerate(zip(self.kernels, batch.parts, strict=True)):
            if part and kernel.rule.kind == "mean":
                made = self._mean(kernel, values, around)
            elif part:
                out = next(self.kind[value] for value in kernel.outs if value in self.kind)
                made = self._part(kernel, values, around, out, place)
                cut |= {value for value in kernel.outs if self.axes.get(value)}
            else:
                given = {
                    value: self.clean[value].whole(values[value], around[self.kind[value]])
                    if value in cut
                    else values[value]
                    for value in kernel.inputs
                }
                first = kernel.inputs[0]
                made = kernel.whole(given, count, first in cut or self.ends[first] == place)
            values |= _numbered(kernel, made)
            for value in [value for value in values if self.ends[value] <= place]:
                del values[value]
        output = self.graph.output
        if output in cut:
            return self.clean[output].whole(values[output], around[self.kind[output]])
        found: Tensor = values[output]
        return found

    def _covered(self, masks: Numbers, around: Rectangles) -> Tensor:
        """(masks, channels, height, width): the rectangles of the input, masks and what is beside."""
        height, width = self.kinds[0].size
        top, bottom, left, right = (edge[:, None] for edge in self.boxes[masks].T)
        y = around.top[:, None] + np.arange(around.height)
        x = around.left[:, None] + np.arange(around.width)
        inside = ((y >= top) & (y < bottom))[:, :, None] & ((x >= left) & (x < right))[:, None]
        index = y[:, :, None] * width + x[:, None] + inside * (height * width)
        places = torch.from_numpy(index.reshape(-1)).to(self.pixels.device)
        found = self.pixels.index_select(0, places)
        return found.view(len(masks), around.height, around.width, -1).movedim(-1, 1)

    def _part(
        self, kernel: Kernel, values: dict[int, Any], around: list[Rectangles], out: int, place: int
    ) -> Any:
        rule, want = kernel.rule, around[out]
        if rule.kind == "slide":
            (value,) = kernel.inputs
            have = around[self.kind[value]]
            if not self.windowed(kernel, value):
                return kernel.slide(values[value], want)
            top, height = rule.rows.read(want.top, want.height)
            left, width = rule.columns.read(want.left, want.width)
            read = Rectangles(top, left, height, width)
            window = self.clean[value].cut(read, values[value], have, rule.value)
            return kernel.slide(window, want)
        given = {
            value: self.clean[value].cut(want, values[value], around[self.kind[value]])
            if self.windowed(kernel, value)
            else values[value]
            for value in kernel.inputs
        }
        first = kernel.inputs[0]
        free = self.windowed(kernel, first) or self.ends[first] == place
        return kernel.each(given, len(want.top), (want.height, want.width), free)

    def _mean(self, kernel: Kernel, values: dict[int, Any], around: list[Rectangles]) -> Tensor:
        """The mean of the clean map, and what the changed rectangle adds to it."""
        (value,) = kernel.inputs
        axes = self.axes[value]
        assert axes is not None
        have = around[self.kind[value]]
        clean = self.clean[value].cut(have, None, None)
        wide = torch.promote_types(clean.dtype, torch.float32)
        change = (values[value].to(wide) - clean).sum(axes, keepdim=True)
        if kernel.node.name != "sum":
            change /= self.kinds[self.kind[value]].size[0] * self.kinds[self.kind[value]].size[1]
        mean = self.means[kernel.outs[0]]
        return (mean + change.reshape(-1, *mean.shape[1:])).to(mean.dtype)


def _numbered(kernel: Kernel, output: Any) -> dict[int, Any]:
    outputs = (output,) if isinstance(output, Tensor) else tuple(output)
    return dict(zip(kernel.outs, outputs, strict=True))
