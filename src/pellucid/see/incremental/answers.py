"""Answers: the values of a network for one photo under many masks, the quickest exact way."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.batches import Batches, fitting
from pellucid.heap import Heap
from pellucid.memory import SHARE, free, is_full
from pellucid.see.incremental.capture import capture
from pellucid.see.incremental.engine import Engine
from pellucid.see.incremental.graph import Graph, Refused
from pellucid.see.incremental.plan import Batch, part
from pellucid.see.incremental.spans import Numbers
from pellucid.see.incremental.verdict import checked, described, hopeless, pays, reason

# In the inputs of one forward pass. On a processor more are slower, for what is computed leaves the
# cache: eight photos of 224 px are quickest. A GPU has to be given much at a time.
MOST_NUMBERS = {"cpu": 1_250_000, "cuda": 40_000_000, "mps": 10_000_000}
# In the inputs of the pass whose memory the rectangles may take.
MEMORY_OF = {"cpu": 2_500_000, "cuda": 80_000_000, "mps": 10_000_000}
MOST_MASKS = {"cpu": 32, "cuda": 1024}
HELD = 1.75  # times what a batch takes: with it no network was seen to hold more than plain ones
# With fewer masks than this, the passes that prepare and check cost more than they save.
FEW = 24
# Of the largest value: how far the parts may be from the whole before they are not believed.
CLOSE = {torch.float64: 1e-8, torch.float32: 1e-4, torch.bfloat16: 5e-2, torch.float16: 1e-2}
Values = Callable[[Float[Tensor, "batch c h w"]], Float[Tensor, "batch targets"]]
TOO_LITTLE = "rectangles save too little"
# What was asked of a network where rectangles do not pay, and why: to find that out may take as
# long as some of the masks. If its layers are changed later, that costs time, no digits.
_idle: WeakKeyDictionary[nn.Module, dict[Hashable, str]] = WeakKeyDictionary()


class _Idle(Refused):
    """Rectangles would be right, but not sooner."""


class Answers:
    """A network's values for one photo, clean and under masks.

    Every network can be asked in plain batches of masked photos. Where its operations can be
    written down, only the rectangles that a mask reaches are computed (see `Engine`); before any
    are given away, those of three batches are compared with the network itself, on a mask each.

    Args:
        values: (batch, targets) from inputs; called in inference mode.
        inputs: the clean photo.
        cover: what a mask shows.
        module: that `values` uses.
        batch: masks at a time; None: as many as fit.
        asks: what stands for `values` and the first masks: where rectangles were found not to pay
            for it before, they are not tried; None: nothing is remembered.

    Attributes:
        clean: (targets,), of the photo without a mask; may change in its last digits with the first
            masks, and by more where the network turns out to mix what is given together.
        way: how the last masks were answered, in words.
    """

    def __init__(
        self,
        values: Values,
        inputs: Float[Tensor, "1 c h w"],
        cover: Float[Tensor, "1 c h w"],
        module: nn.Module,
        batch: int | None = None,
        asks: Hashable = None,
    ) -> None:
        self.values = values
        self.inputs = inputs
        self.cover = cover
        self.batch = batch
        self.graph: Graph | None = None
        self.refused = ""
        self.single = ""  # why masks have to be answered one by one
        self.way = ""
        self.known = {} if asks is None else _idle.setdefault(module, {})
        self.asks = (asks, batch, inputs.shape, inputs.dtype, inputs.device)
        try:
            if self.asks in self.known:
                raise Refused(self.known[self.asks])
            self.graph, both = capture(values, torch.cat([inputs, inputs]), module)
            self.clean = both[0].clone()
        except Exception as error:  # if it is the network's own, the plain way meets it again
            self.refused = _told(error)
            self.clean = self._alone()

    def under(self, boxes: Numbers) -> Iterator[tuple[Numbers, Float[Tensor, "masks targets"]]]:
        """The numbers of some masks and the values under them, until all have been had.

        Args:
            boxes: (masks, 4): top, bottom, left and right of each, the ends not counted.
        """
        left = np.arange(len(boxes))
        engine = self._engine(self.graph, boxes) if self.graph and len(boxes) >= FEW else None
        if engine is not None:
            for batch, found in self._by_parts(engine, boxes):
                left = left[~np.isin(left, batch)]
                yield batch, found
        if len(left):
            plain = f"plain batches: {self.refused}" if self.refused else "plain batches"
            self.way = self.single or plain
            yield from self._plainly(boxes, left)

    def masked(self, boxes: Numbers) -> Float[Tensor, "masks c h w"]:
        """The photo under each mask."""
        height, width = self.inputs.shape[2:]
        top, bottom, left, right = torch.from_numpy(boxes).to(self.inputs.device).T[:, :, None]
        y, x = (torch.arange(length, device=self.inputs.device) for length in (height, width))
        tall, wide = (y >= top) & (y < bottom), (x >= left) & (x < right)
        hidden = tall[:, None, :, None] & wide[:, None, None, :]
        return torch.where(hidden, self.cover, self.inputs)

    def _engine(self, graph: Graph, boxes: Numbers) -> Engine | None:
        """The engine, where the network can be taken apart and that pays."""
        try:
            if hopeless(graph, len(boxes), self.inputs.device):
                raise _Idle(TOO_LITTLE)
            engine = Engine(graph, self.inputs, self.cover, boxes)
            engine.group(self.batch or self._size(engine))
            if not pays(engine.plan, engine.batches, self.inputs.device):
                raise _Idle(reason(engine.plan, engine.batches) or TOO_LITTLE)
            engine.see_clean()
        except Exception as error:
            self.refused = _told(error)
            if isinstance(error, _Idle) and not self.way:  # of the first masks
                self.known[self.asks] = self.refused
                self.graph = None
            return None
        return engine

    def _size(self, engine: Engine) -> int:
        """Masks at a time: no more memory than plain batches would take."""
        rest = self._plain_peak(engine) - engine.kept
        numbers = free(self.inputs.device)
        if numbers is not None:
            rest = min(rest, int(SHARE * numbers) // self.inputs.element_size())
        most = MOST_MASKS.get(self.inputs.device.type, MOST_MASKS["cpu"])
        each = engine.plan.peak(engine.plan.batch(np.arange(len(engine.plan.boxes))))
        # What one batch frees is seldom of the sizes that the next asks for, see `Heap`.
        held = HELD if self.inputs.device.type == "cpu" else 1.0
        return int(max(1, min(most, rest // (held * each))))

    def _plain_peak(self, engine: Engine) -> int:
        """Numbers in memory at once in plain batches."""
        photos = fitting(self.inputs.device, self.inputs.numel(), MEMORY_OF)
        return photos * engine.plan.peak(None)

    def _plain_size(self) -> int:
        return fitting(self.inputs.device, self.inputs.numel(), MOST_NUMBERS)

    def _by_parts(self, engine: Engine, boxes: Numbers) -> Iterator[tuple[Numbers, Tensor]]:
        """What the engine finds, as far as it gets; why no further is said by `refused`."""
        tried, masks = checked(engine.batches)
        others = [number for number in range(len(engine.batches)) if number not in tried]
        work = self._run([engine.batches[number] for number in (*tried, *others)], engine)
        awaited = sum(len(engine.batches[number].masks) for number in tried)
        found: list[tuple[Numbers, Tensor]] = []
        self.way = described(engine.plan, engine.batches)
        try:
            while awaited > sum(len(some) for some, _ in found):
                found.append(next(work))
            self._check(found, masks, boxes)
            yield from found
            yield from work
        except Exception as error:
            self.refused = _told(error)

    def _run(self, batches: list[Batch], engine: Engine) -> Iterator[tuple[Numbers, Tensor]]:
        size = max(len(batch.masks) for batch in batches)
        # No more than plain batches would: on a processor freed memory counts, see `Heap`.
        heap = Heap(self._plain_peak(engine) * self.inputs.element_size())
        for batch in batches:
            work = Batches(range(len(batch.masks)), size)
            for some in work:
                less = part(batch, slice(some[0], some[-1] + 1))
                try:
                    # Not around the loop: a `yield` inside would put the caller in this mode too.
                    with torch.inference_mode():
                        found = engine.run(less)
                except Exception as error:
                    if not is_full(error):
                        raise
                    work.again(some, error)
                    continue
                yield less.masks, found.clone()
            size = work.size
            heap.tidy()

    def _check(self, found: list[tuple[Numbers, Tensor]], masks: Numbers, boxes: Numbers) -> None:
        """Raises:
        Refused: some values are not those of the network itself.
        """
        numbers = np.concatenate([some for some, _ in found])
        rows = [int(np.flatnonzero(numbers == mask)[0]) for mask in masks]
        with torch.inference_mode():
            parts = torch.cat([values for _, values in found])[rows].double()
            # One of them alone: a network may answer otherwise for several.
            some = [self.values(self.masked(boxes[few])) for few in (masks[:1], masks[1:])]
            wanted = torch.cat(some).double()
        far = (parts - wanted).abs().amax(0) / wanted.abs().amax(0).clamp(min=1e-300)
        if not bool((far <= CLOSE.get(self.inputs.dtype, 1e-4)).all()):
            raise Refused(f"parts differ from the whole by {float(far.max()):.1g}")

    def _plainly(self, boxes: Numbers, left: Numbers) -> Iterator[tuple[Numbers, Tensor]]:
        if self.graph:
            self.clean = self._alone()  # it came from a batch of two
        size = self.batch or self._plain_size()
        # Under the last box, which covers nothing, lies the photo, whose answer is known: among the
        # first masks it shows whether those beside it count.
        boxes = np.concatenate([boxes, np.zeros_like(boxes[:1])])
        work = Batches([-1, *left.tolist()] if size > 1 else left.tolist(), size)
        for some in work:
            try:
                with torch.inference_mode():
                    found = self.values(self.masked(boxes[some]))
                if work.mixed(some, found[0], lambda: self.clean):
                    self._one_by_one("mixes what is given together")
                    continue
            except Exception as error:
                work.again(some, error)
                if work.size == 1 and not is_full(error):
                    self._one_by_one("takes no more at a time")
                continue
            begin = int(some[0] < 0)
            if len(some) > begin:
                yield np.array(some[begin:]), found[begin:].clone()

    def _alone(self) -> Tensor:
        with torch.inference_mode():
            return self.values(self.inputs)[0].clone()

    def _one_by_one(self, why: str) -> None:
        self.batch = 1
        self.single = self.way = f"one by one: the network {why}"


def _told(error: Exception) -> str:
    if isinstance(error, Refused):
        return str(error)
    return "what it computes could not be followed"
