"""Windows: parts of a clean map with what has changed pasted in, for a whole batch at once."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.see.incremental.spans import Numbers, Rectangles

Pads = tuple[int, int, int, int]  # above, below, left and right


class Desk:
    """Memory for what is read at once and then done with: the same again and again."""

    def __init__(self) -> None:
        self.numbers: Tensor | None = None

    def cleared(self, shape: tuple[int, int], like: Tensor) -> Tensor:
        """Room for numbers of that shape; whatever lay there is lost."""
        count = shape[0] * shape[1]
        if self.numbers is None or len(self.numbers) < count or self.numbers.dtype != like.dtype:
            self.numbers = like.new_empty(count)
        return self.numbers[:count].view(shape)


class CleanMap:
    """One map of the clean photo, place by place.

    Args:
        value: (1, …) with places along two neighbouring axes.
        axis: the first of the two.
    """

    def __init__(self, value: Tensor, axis: int) -> None:
        self.axis = axis
        self.rows = _placed(value, axis)[0]  # (height, width, …)
        self.rims: dict[float, tuple[Pads, Tensor]] = {}  # of each value as wide as ever needed
        self.running: Tensor | None = None

    @property
    def size(self) -> tuple[int, int]:
        return self.rows.shape[0], self.rows.shape[1]

    def around(self, pads: Pads, value: float) -> tuple[Pads, Tensor]:
        """(places, numbers): with a rim of at least that width, and how wide it is."""
        wide, found = self.rims.get(value, ((0, 0, 0, 0), None))
        if found is None or any(more > less for more, less in zip(pads, wide, strict=True)):
            top, bottom, left, right = wide = _widest(pads, wide)
            height, width = self.size
            rows = self.rows
            if any(wide):
                shape = (height + top + bottom, width + left + right, *rows.shape[2:])
                rows = rows.new_full(shape, value)
                inner = rows[top : top + height, left : left + width]
                inner.copy_(self.rows)
                self.rows = inner  # kept once: it is within its rim
            found = rows.reshape(rows.shape[0] * rows.shape[1], -1)
            self.rims[value] = wide, found
        return wide, found

    def cut(
        self,
        want: Rectangles,
        changed: Tensor,
        have: Rectangles,
        value: float = 0.0,
        desk: Desk | None = None,
    ) -> Tensor:
        """(masks, …): rectangles of the map, with what has changed in it.

        Args:
            want: what to cut out; may hang out of the map.
            changed: (masks, …), the changed rectangles.
            have: where those lie.
            value: what is outside of the map.
            desk: where they may lie until the next are cut; None: they are kept.
        """
        height, width = self.size
        pads: Pads = (
            max(0, -int(want.top.min())),
            max(0, int(want.top.max()) + want.height - height),
            max(0, -int(want.left.min())),
            max(0, int(want.left.max()) + want.width - width),
        )
        pads, rows = self.around(pads, value)
        wide = width + pads[2] + pads[3]
        count, places = len(want.top), want.height * want.width
        first = torch.from_numpy((want.top + pads[0]) * wide + want.left + pads[2]).to(rows.device)
        index = (first[:, None] + _grid(want.height, want.width, wide, rows.device)).reshape(-1)
        room = (count * places + 1, rows.shape[1])
        found = desk.cleared(room, rows) if desk else rows.new_empty(room)
        torch.index_select(rows, 0, index, out=found[:-1])
        shape = (count, want.height, want.width, *self.rows.shape[2:])
        _paste(found, shape, _placed(changed, self.axis), want, have)
        return found[:-1].view(shape).movedim((1, 2), (self.axis, self.axis + 1))

    def sums(self, where: Rectangles) -> Tensor:
        """(masks, numbers): the sum over each rectangle, of four corners of a running sum."""
        if self.running is None:
            rows = self.rows.reshape(*self.size, -1).double()
            # In front a row and a column of zeros: nothing lies above the first row.
            self.running = F.pad(rows.cumsum(0).cumsum(1), (0, 0, 1, 0, 1, 0))
        wide = self.size[1] + 1
        flat = self.running.flatten(0, 1)

        def corner(down: int, right: int) -> Tensor:
            index = (where.top + down) * wide + where.left + right
            return flat.index_select(0, torch.from_numpy(index).to(flat.device))

        height, width = where.height, where.width
        return corner(height, width) - corner(0, width) - corner(height, 0) + corner(0, 0)

    def whole(self, changed: Tensor, have: Rectangles) -> Tensor:
        """(masks, …): the whole map, with what has changed in it."""
        count = len(have.top)
        found = self.rows.new_empty(
            (count * self.size[0] * self.size[1] + 1, self.rows[0, 0].numel())
        )
        shape = (count, *self.rows.shape)
        found[:-1].view(shape).copy_(self.rows.expand(shape))
        zero = np.zeros(count, np.int64)
        want = Rectangles(zero, zero, *self.size)
        _paste(found, shape, _placed(changed, self.axis), want, have)
        return found[:-1].view(shape).movedim((1, 2), (self.axis, self.axis + 1))


def _placed(value: Tensor, axis: int) -> Tensor:
    """(batch, height, width, …): the axes of places in front."""
    return value.movedim((axis, axis + 1), (1, 2)).contiguous()


def _paste(
    found: Tensor, shape: tuple[int, ...], changed: Tensor, want: Rectangles, have: Rectangles
) -> None:
    """Writes the changed places into what was cut out; the last row of `found` is for waste."""
    down, right = have.top - want.top, have.left - want.left
    fits = (
        int(down.min()) >= 0
        and int(right.min()) >= 0
        and int(down.max()) + have.height <= want.height
        and int(right.max()) + have.width <= want.width
    )
    if fits and _same(down) and _same(right):
        y, x = int(down[0]), int(right[0])
        found[:-1].view(shape)[:, y : y + have.height, x : x + have.width] = changed
        return
    rows = down[:, None] + np.arange(have.height)
    columns = right[:, None] + np.arange(have.width)
    index = (np.arange(len(rows))[:, None] * want.height + rows) * want.width
    index = index[:, :, None] + columns[:, None]
    if not fits:
        tall, wide = (rows >= 0) & (rows < want.height), (columns >= 0) & (columns < want.width)
        index = np.where(tall[:, :, None] & wide[:, None], index, len(found) - 1)
    places = torch.from_numpy(index.reshape(-1)).to(found.device)
    found.index_copy_(0, places, changed.reshape(len(places), -1))


def _widest(some: Pads, others: Pads) -> Pads:
    top, bottom, left, right = map(max, some, others)
    return top, bottom, left, right


def _same(numbers: Numbers) -> bool:
    return bool((numbers == numbers[0]).all())


@lru_cache(maxsize=512)
def _grid(height: int, width: int, wide: int, device: torch.device) -> Tensor:
    """(places,): where the places of a rectangle lie in a map of that width."""
    with torch.inference_mode(False):
        rows = torch.arange(height, device=device)[:, None] * wide
        return (rows + torch.arange(width, device=device)).reshape(-1)
