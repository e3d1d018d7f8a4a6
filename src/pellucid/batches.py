"""Batches: many things through a network, as many at a time as fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Generic, TypeVar

import torch
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.memory import SHARE, free, is_full

# A pass of more is no faster, and shows no sign of life meanwhile.
MOST = {"cpu": 64, "cuda": 512, "mps": 64}
# Relative and absolute: how far an answer may be from that in a batch of another size.
TOLERANCE = {
    torch.float64: (1e-8, 1e-12), torch.float32: (1e-4, 1e-7),
    torch.bfloat16: (5e-2, 1e-3), torch.float16: (5e-2, 1e-3),
}  # fmt: skip
T = TypeVar("T")


class Batches(Generic[T]):
    """Things in batches, in their order; fewer at a time where the network wants it so.

    Half as many once memory has run out; one by one where a network takes no more, or answers
    otherwise for one among others than for it alone. They are taken from where they come only when
    their turn is, so there may be more of them than fit. What is made of a batch belongs behind
    the `try`: a batch that comes again is not counted twice.

    Args:
        items: the things, or a stream of them.
        size: how many at a time, see `fitting`.
        counts: whether a thing counts; others come along for nothing.

    Example:
        >>> work = Batches(units, fitting(net.device, net.blank().numel(), MOST_NUMBERS))
        >>> for some in work:
        ...     try:
        ...         found = passed(some)
        ...     except Exception as error:
        ...         work.again(some, error)
        ...         continue
        ...     yield found
    """

    def __init__(
        self, items: Iterable[T], size: int, counts: Callable[[T], bool] = lambda item: True
    ) -> None:
        self.items = iter(items)
        self.size = size
        self.counts = counts
        self.trusted = False  # whether a batch of several was answered as each alone is

    def __iter__(self) -> Iterator[list[T]]:
        while some := self._next():
            yield some

    def _next(self) -> list[T]:
        some: list[T] = []
        left = self.size
        for item in self.items:
            some.append(item)
            left -= self.counts(item)
            if not left:
                break
        return some

    def again(self, some: list[T], error: BaseException) -> None:
        """The same things once more, in smaller batches.

        Raises:
            BaseException: the error itself, where it tells what is wrong, or is of a single thing.
        """
        if len(some) == 1 or isinstance(error, PellucidError):
            raise error
        half = max(1, min(self.size, sum(map(self.counts, some))) // 2)
        self._once_more(some, half if is_full(error) else 1)

    def mixed(self, some: list[T], among: Tensor, alone: Callable[[], Tensor]) -> bool:
        """Whether the network mixes what is given together; if so, all come again one by one.

        Found out on the first batch of several, for one in it.

        Args:
            some: the batch.
            among: the answer for one of them, as it was in this batch.
            alone: gives the answer for it by itself.
        """
        if self.trusted or len(some) == 1:
            return False
        self.trusted = True
        own = alone().to(among)
        far, near = TOLERANCE.get(among.dtype, TOLERANCE[torch.float32])
        if torch.allclose(among, own, far, near, equal_nan=True):
            return False
        self._once_more(some, 1)
        return True

    def _once_more(self, some: list[T], size: int) -> None:
        self.size = size
        self.items = chain(some, self.items)
        if size == 1:
            self.counts = lambda item: True  # nothing comes along any more


def fitting(
    device: torch.device, numbers: int, most: Mapping[str, int], *, bytes_each: int = 0
) -> int:
    """How many things to begin with at a time.

    Args:
        device: where they are computed.
        numbers: in the input of each.
        most: numbers in the inputs of one pass, by the type of device; "cpu" for those left out.
        bytes_each: that a pass takes for each, where that is known: no more than half of the
            memory that is free is then begun with.
    """
    size = min(
        table.get(device.type, table["cpu"]) // each for table, each in ((MOST, 1), (most, numbers))
    )
    unused = free(device) if bytes_each else None
    if unused is not None:
        size = min(size, int(SHARE * unused) // bytes_each)
    return max(1, size)
