"""Batches: many things through a network, as many at a time as fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Generic, TypeVar

import torch

from pellucid.memory import SHARE, free, is_full

# A pass of more is no faster, and shows no sign of life meanwhile.
MOST = {"cpu": 64, "cuda": 512, "mps": 64}
T = TypeVar("T")


class Batches(Generic[T]):
    """Things in batches, in their order; half as many at a time once memory has run out.

    They are taken from where they come only when their turn is, so there may be more of them than
    fit. What is made of a batch belongs behind the `try`: a batch that comes again is not counted
    twice.

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
            BaseException: the error itself, where it is not that memory has run out, or of a single
                thing.
        """
        if not is_full(error) or self.size == 1:
            raise error
        self.size = max(1, min(self.size, sum(map(self.counts, some))) // 2)
        self.items = chain(some, self.items)


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
