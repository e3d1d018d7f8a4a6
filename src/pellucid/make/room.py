"""Room: how much memory is free, and what a pass takes of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor

SHARE = 0.5  # of the free memory that may be taken
UNKNOWN = 2 * 2**30  # bytes, where nobody says how much is free
WORDS = ("out of memory", "not enough memory", "can't allocate memory")  # of torch's errors


def free(device: torch.device) -> int:
    """Bytes that are free on a device."""
    if device.type == "cuda":
        # What torch holds for itself but does not use is free as well.
        held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + held
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    known = [bytes_ for bytes_ in (_available(), _allowed()) if bytes_ is not None]
    return min(known, default=UNKNOWN)


def kept(run: Callable[[], object], besides: Iterable[Tensor] = ()) -> int:
    """Bytes that a forward pass keeps for its way back.

    Args:
        besides: what is there anyhow, such as weights.
    """
    sizes: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        result = run()  # noqa: F841 (as long as it lives, no two of its tensors share an address)
    there = {tensor.untyped_storage().data_ptr() for tensor in besides}
    return sum(size for place, size in sizes.items() if place not in there)


def is_full(error: BaseException) -> bool:
    """Whether an error says that memory was not enough."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in WORDS)


def _available() -> int | None:
    """What the system can give without swapping."""
    try:
        for line in Path("/proc/meminfo").read_text("utf-8").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _allowed() -> int | None:
    """What a container leaves of its limit."""
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text("ascii").strip()
        used = int((group / "memory.current").read_text("ascii"))
        return None if limit == "max" else max(0, int(limit) - used)
    except (OSError, ValueError):
        return None
