"""Heap: what a process holds of the memory that it has freed, given back before it is too much."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path


class Heap:
    """Watches over what this process holds.

    The C library of Linux keeps what is freed, to use it again. Of blocks in ever other sizes few
    fit into what others have left, and what is kept grows to several times what is in use. To give
    it back takes time, for the system clears what it hands out anew: so only where it is due. With
    other libraries nothing is done.

    Args:
        most: bytes that may be held beyond what is held now; where a piece of work is seen to take
            more than half of that, twice what it takes.
    """

    def __init__(self, most: int) -> None:
        self.most = held() + most
        self._clean: int | None = None  # what was held after giving back, before the next work

    def tidy(self) -> None:
        """After each piece of work: gives back what is freed, if more is held than may be."""
        trim, now = _trimmer(), held()
        if self._clean is not None:
            self.most = max(self.most, now + (now - self._clean))
            self._clean = None
        if trim is not None and now > self.most:
            trim(0)
            self._clean = held()


def held() -> int:
    """Bytes of this process that lie in memory; 0 where nobody says."""
    try:
        pages = Path("/proc/self/statm").read_text("ascii").split()[1]
    except OSError:  # not Linux
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@cache
def _trimmer() -> Callable[[int], int] | None:
    """glibc's `malloc_trim`."""
    if os.name != "posix":
        return None
    found: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return found
