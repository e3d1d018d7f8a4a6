"""Engine: the values of a network under many masks, from rectangles of its layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from pellucid.see.incremental.fold import folded
from pellucid.see.incremental.graph import Graph
from pellucid.see.incremental.kernels import Kernel, settled, work
from pellucid.see.incremental.narrow import narrowed
from pellucid.see.incremental.plan import Batch, Plan
from pellucid.see.incremental.spans import Numbers, Rectangles
from pellucid.see.incremental.windows import CleanMap, Desk


class Engine:
    """Answers for masked photos, computing only what a mask can reach.

    The clean photo is sent through once and its maps are kept. Of a masked photo, each layer is
    computed in the rectangle that the mask can reach; what the next layer reads beside it is cut
    out of the clean map. Nothing is approximated.

    Args:
        graph: what the network computes, see `capture`.
        inputs: (1, channels, height, width), the clean photo.
        cover: (1, channels, height, width), what a mask shows.
        boxes: (masks, 4): top, bottom, left and right of each mask, the ends not counted.

    Attributes:
        plan: what each mask reaches.
        batches: all masks, in the batches that `group` has made.

    Raises:
        Refused: the network cannot be taken apart.
    """

    def __init__(self, graph: Graph, inputs: Tensor, cover: Tensor, boxes: Numbers) -> None:
        graph = folded(graph)
        graph.nodes = [settled(node, graph) for node in graph.nodes]
        whole = sum(work(node, graph) for node in graph.nodes)
        self.plan = Plan(narrowed(graph), boxes, whole)
        self.inputs = inputs
        both = torch.cat([inputs, cover]).movedim(1, -1)
        self.pixels = both.reshape(-1, both.shape[-1])
        self.batches: list[Batch] = []
        self.clean: dict[int, CleanMap] = {}
        self.means: dict[int, Tensor] = {}
        # Where memory comes from the system; what a GPU is given is used again as it is.
        self.desk = Desk() if inputs.device.type == "cpu" else None

    def group(self, size: int) -> None:
        """Puts masks that reach alike into batches of a size."""
        self.batches = self.plan.batches(np.arange(len(self.plan.boxes)), size)

    @property
    def kept(self) -> int:
        """Numbers that are kept all the while: clean maps, and half as many for their rims."""
        everything = self.plan.batch(np.arange(len(self.plan.boxes)))
        return 3 * sum(self.plan.numbers(value) for value in self.plan.wanted([everything])) // 2

    def see_clean(self) -> None:
        """Sends the clean photo through, and keeps what may be cut out later."""
        plan = self.plan
        wanted = plan.wanted(self.batches)
        values: dict[int, Any] = {0: self.inputs.contiguous(memory_format=torch.channels_last)}
        with torch.inference_mode():
            for place, kernel in enumerate(plan.kernels):
                values |= _numbered(kernel, kernel.whole(values, 1))
                if kernel.rule.kind == "mean":
                    self.means[kernel.outs[0]] = values[kernel.outs[0]]
                for value in [value for value in values if plan.ends[value] <= place]:
                    self._keep(value, values.pop(value), wanted)
            for value, tensor in values.items():  # the answer, and what it may be a view of
                self._keep(value, tensor, wanted)

    def _keep(self, value: int, tensor: Tensor, wanted: set[int]) -> None:
        axes = self.plan.axes.get(value)
        if value in wanted and axes is not None:
            self.clean[value] = CleanMap(tensor, axes[0])

    def run(self, batch: Batch) -> Tensor:
        """(masks, …): the network's values under each mask of a batch, in inference mode."""
        plan, count = self.plan, len(batch.masks)
        around = [
            Rectangles.around(spans, batch.masks, *size)
            for spans, size in zip(plan.kinds, batch.sizes, strict=True)
        ]
        values: dict[int, Any] = {0: self._covered(batch.masks, around[0])}
        cut = {0}  # values that are at hand as rectangles
        for place, (kernel, part) in enumerate(zip(plan.kernels, batch.parts, strict=True)):
            if part:
                made = self._part(kernel, values, around, place)
                cut |= plan.placed(kernel)
            else:
                filled = cut.intersection(kernel.inputs)
                given = {value: values[value] for value in kernel.inputs}
                given |= {value: self._whole(value, given[value], around) for value in filled}
                first = kernel.inputs[0]
                made = kernel.whole(given, count, first in filled or plan.ends[first] == place)
            values |= _numbered(kernel, made)
            for value in [value for value in values if plan.ends[value] <= place]:
                del values[value]
        answer = plan.graph.output
        found: Tensor = values[answer]
        return self._whole(answer, found, around) if answer in cut else found

    def _covered(self, masks: Numbers, around: Rectangles) -> Tensor:
        """(masks, channels, height, width): of the input, the masks and what is beside them."""
        height, width = self.plan.kinds[0].size
        top, bottom, left, right = (edge[:, None] for edge in self.plan.boxes[masks].T)
        y = around.top[:, None] + np.arange(around.height)
        x = around.left[:, None] + np.arange(around.width)
        inside = ((y >= top) & (y < bottom))[:, :, None] & ((x >= left) & (x < right))[:, None]
        index = y[:, :, None] * width + x[:, None] + inside * (height * width)
        places = torch.from_numpy(index.reshape(-1)).to(self.pixels.device)
        found = self.pixels.index_select(0, places)
        return found.view(len(masks), around.height, around.width, -1).movedim(-1, 1)

    def _whole(self, value: int, changed: Tensor, around: list[Rectangles]) -> Tensor:
        return self.clean[value].whole(changed, around[self.plan.kind[value]])

    def _part(
        self, kernel: Kernel, values: dict[int, Any], around: list[Rectangles], place: int
    ) -> Any:
        """The outputs of an operation in rectangles, from inputs in rectangles."""
        plan, rule = self.plan, kernel.rule
        if rule.kind == "mean":
            return self._mean(kernel, values, around)
        want = around[plan.kind[next(iter(plan.placed(kernel)))]]
        read = want
        if rule.kind == "slide":
            top, height = rule.rows.read(want.top, want.height)
            left, width = rule.columns.read(want.left, want.width)
            read = Rectangles(top, left, height, width)
        # A padding hands on what was cut out itself; what slides otherwise is done with it.
        desk = self.desk if rule.kind == "slide" and "pad" not in kernel.node.name else None
        given = {
            value: self.clean[value].cut(
                read, values[value], around[plan.kind[value]], rule.value, desk
            )
            if plan.windowed(kernel, value)
            else values[value]
            for value in kernel.inputs
        }
        first = kernel.inputs[0]
        if rule.kind == "slide":
            return kernel.slide(given[first], want)
        free = plan.windowed(kernel, first) or plan.ends[first] == place
        return kernel.each(given, len(want.top), (want.height, want.width), free)

    def _mean(self, kernel: Kernel, values: dict[int, Any], around: list[Rectangles]) -> Tensor:
        """The mean of the clean map, and what the changed rectangle adds to it."""
        (value,) = kernel.inputs
        axes, place = self.plan.axes[value], self.plan.kind[value]
        was = self.clean[value].sums(around[place])
        wide = torch.promote_types(values[value].dtype, torch.float32)
        mean = self.means[kernel.outs[0]]
        change: Tensor = values[value].sum(axes, dtype=wide).reshape(was.shape) - was
        if kernel.node.name != "sum":
            height, width = self.plan.kinds[place].size
            change /= height * width
        return (mean + change.reshape(-1, *mean.shape[1:])).to(mean.dtype)


def _numbered(kernel: Kernel, output: Any) -> dict[int, Any]:
    outputs = (output,) if isinstance(output, Tensor) else tuple(output)
    return dict(zip(kernel.outs, outputs, strict=True))
