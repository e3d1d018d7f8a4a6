"""Plan: which operations are carried out on rectangles, and which masks go together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from math import prod
from typing import TypeGuard

import numpy as np

from pellucid.see.incremental.fold import last_uses
from pellucid.see.incremental.graph import Graph
from pellucid.see.incremental.kernels import FETCH, Kernel
from pellucid.see.incremental.rule import Axes
from pellucid.see.incremental.rules import rule
from pellucid.see.incremental.spans import Numbers, Spans

# What it costs to prepare a convolution for another size, in multiplications and additions: the
# library below writes a program for each, in 0.1 to 0.4 ms, and keeps it in memory.
PREPARING = 5e7
HALVINGS = 4  # of all masks, at most: of many sizes none fits into the memory that another left


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


def part(batch: Batch, some: slice | list[int]) -> Batch:
    """Some masks of a batch, answered as they would be among the others."""
    return replace(batch, masks=batch.masks[some])


class Plan:
    """What each mask reaches in each layer, and what follows from that.

    Args:
        graph: of the network.
        boxes: (masks, 4): top, bottom, left and right of each mask, the ends not counted.
        work: multiplications and additions of the network as it is, for one photo.

    Attributes:
        kernels: the operations.
        axes: of each value, where its places are.
        kinds: the spans that occur; most values share theirs with others.
        kind: for each value with places, the number of its spans.
        ends: after which operation a value is no longer needed.

    Raises:
        Refused: the network cannot be taken apart.
    """

    def __init__(self, graph: Graph, boxes: Numbers, work: int) -> None:
        self.graph = graph
        self.boxes = boxes
        self.axes: dict[int, Axes] = {0: (2, 3)}
        self.kernels: list[Kernel] = []
        for node in graph.nodes:
            found = rule(node, graph, self.axes)
            self.axes |= dict(zip(node.outs, found.axes, strict=True))
            self.kernels.append(Kernel(node, found, graph))
        self.work = work
        self.ends = last_uses(graph)
        self.kinds: list[Spans] = []
        self.kind = self._kinds()
        self._widen()
        self.extents = np.stack([spans.extents for spans in self.kinds])
        costs = np.zeros(len(self.kinds))
        for kernel in self.kernels:
            for place in {self.kind[value] for value in self.placed(kernel)}:
                costs[place] += kernel.cost
        self.slides = sum(kernel.node.name == "conv2d" for kernel in self.kernels)
        self.density = costs / [prod(spans.size) for spans in self.kinds]  # what one place costs

    def _kinds(self) -> dict[int, int]:
        height, width = self.graph.shapes[0][2:]
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

    def _widen(self) -> None:
        """What is joined with something wider is made as wide where that is cheaper than to cut.

        So the branches of an Inception or a Fire module: beside a kernel of three pixels one of a
        single pixel does little, and what lies around its rectangle need not be looked up.
        """
        read = Counter(value for kernel in self.kernels for value in kernel.inputs)
        read[self.graph.output] += 1
        made = {out: kernel for kernel in self.kernels for out in kernel.outs}
        share = [
            float((spans.extents[0] * spans.extents[1]).mean()) / prod(spans.size)
            for spans in self.kinds
        ]
        for kernel in self.kernels:
            wide = next((self.kind[out] for out in kernel.outs if out in self.kind), None)
            if wide is None or kernel.rule.kind != "each" or len(kernel.inputs) == 1:
                continue
            for value in kernel.inputs:
                chain, source = [value], made.get(value)
                while source and source.rule.kind == "each" and len(source.inputs) == 1:
                    chain.append(source.inputs[0])
                    source = made.get(chain[-1])
                narrow = self.kind[value]
                if narrow == wide or max(read[one] for one in chain) > 1 or not _point(source):
                    continue
                more = (share[wide] - share[narrow]) * source.work
                fetched = 2 * share[wide] * self.numbers(source.inputs[0])
                if more + FETCH * fetched < FETCH * 2 * share[wide] * self.numbers(value):
                    self.kind |= dict.fromkeys(chain, wide)

    def placed(self, kernel: Kernel) -> set[int]:
        """The outputs of an operation that come as rectangles, where it is carried out on such."""
        return {value for value in kernel.outs if value in self.kind}

    def numbers(self, value: int) -> int:
        """How many numbers a whole value has, for one photo."""
        return prod(self.graph.shapes[value][1:])

    def windowed(self, kernel: Kernel, value: int) -> bool:
        """Whether more is read of a value than its changed rectangle."""
        out = next((self.kind[out] for out in kernel.outs if out in self.kind), None)
        still = kernel.rule.rows.plain and kernel.rule.columns.plain
        return self.kind.get(value) != out or not still

    def batches(self, masks: Numbers, size: int) -> list[Batch]:
        """Masks that reach alike together, in batches of a size."""
        found = []
        # The largest first: what comes later fits into the memory that they have left.
        for some in sorted(self._alike(masks, size, HALVINGS), key=self._each, reverse=True):
            joint = self.batch(some)
            starts = range(0, len(some), size)
            found += [part(joint, slice(start, start + size)) for start in starts]
        return found

    def _alike(self, masks: Numbers, size: int, halvings: int) -> list[Numbers]:
        """Masks halved along the axis that makes rectangles smaller, for as long as that saves."""
        if len(masks) <= size or not halvings:
            return [masks]
        middle = -(-len(masks) // (2 * size)) * size
        found = []
        for axis in (0, 1):
            keys = (self.extents[:, axis, masks] * self.density[:, None]).sum(0)
            order = masks[np.lexsort((self.boxes[masks, 2 * axis], keys))]
            halves = order[:middle], order[middle:]
            found.append((sum(self._bulk(half) for half in halves), axis, halves))
        bulk, _, halves = min(found, key=lambda one: one[:2])
        if self._bulk(masks) - bulk < PREPARING * self.slides:
            return [masks]
        return [some for half in halves for some in self._alike(half, size, halvings - 1)]

    def _bulk(self, masks: Numbers) -> float:
        """What rectangles that are large enough for each of some masks cost."""
        return self._each(masks) * len(masks)

    def _each(self, masks: Numbers) -> float:
        extents = self.extents[:, :, masks].max(2)
        return float((extents[:, 0] * extents[:, 1] * self.density).sum())

    def batch(self, masks: Numbers) -> Batch:
        """How some masks are answered together: on rectangles, for as long as that pays."""
        sizes = [(int(h), int(w)) for h, w in self.extents[:, :, masks].max(2)]
        share = [
            prod(size) / prod(spans.size) for size, spans in zip(sizes, self.kinds, strict=True)
        ]
        cut = {0}  # values that are at hand as rectangles
        parts = []
        for kernel in self.kernels:
            part = kernel.rule.kind != "whole" and cut.issuperset(kernel.inputs)
            part = part and (kernel.rule.kind == "mean" or self._cheaper(kernel, share))
            parts.append(part)
            cut |= self.placed(kernel) if part else set()
        return Batch(masks, sizes, parts)

    def _cheaper(self, kernel: Kernel, share: list[float]) -> bool:
        """Whether rectangles cost less than filling up the inputs and going on with whole maps."""
        out = share[self.kind[next(iter(self.placed(kernel)))]]
        numbers = {value: self.numbers(value) for value in kernel.inputs}
        fetched = sum(
            2 * share[self.kind[value]] * count
            for value, count in numbers.items()
            if self.windowed(kernel, value)
        )
        filled = sum(numbers.values())
        return kernel.cost * out + FETCH * fetched < kernel.cost + FETCH * filled

    def wanted(self, batches: list[Batch]) -> set[int]:
        """Values of which some batch cuts a window, or fills up a whole map."""
        wanted: set[int] = set()
        for batch in batches:
            cut = {0}
            for kernel, part in zip(self.kernels, batch.parts, strict=True):
                for value in cut.intersection(kernel.inputs):
                    if not part or self.windowed(kernel, value):
                        wanted.add(value)
                cut |= self.placed(kernel) if part else set()
            wanted |= cut & {self.graph.output}
        return wanted

    def peak(self, batch: Batch | None) -> int:
        """Numbers in memory at once, for each mask; None: where everything is computed whole."""
        alive = {0: self._size(0, batch)}
        most = 0
        for place, kernel in enumerate(self.kernels):
            own = batch if batch is not None and batch.parts[place] else None
            # What is cut out, padded or filled up for it comes on top.
            fresh = sum(self._size(value, own) for value in kernel.inputs) if batch else 0
            for value in kernel.outs:
                alive[value] = 0 if kernel.node.views else self._size(value, own)
            most = max(most, sum(alive.values()) + fresh)
            for value in [value for value in alive if self.ends[value] <= place]:
                del alive[value]
        return most

    def _size(self, value: int, batch: Batch | None) -> int:
        whole = self.numbers(value) if value in self.graph.shapes else 0
        if batch is None or value not in self.kind:
            return whole
        place = self.kind[value]
        return whole * prod(batch.sizes[place]) // prod(self.kinds[place].size)


def _point(kernel: Kernel | None) -> TypeGuard[Kernel]:
    """Whether it is a convolution that looks at each place alone."""
    if kernel is None or kernel.node.name != "conv2d":
        return False
    return kernel.rule.rows.plain and kernel.rule.columns.plain
