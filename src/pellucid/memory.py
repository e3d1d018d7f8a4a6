"""Memory: how much is free, what a pass takes, and how it shows that there was too little."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor

# Of what is free, the share that one batch may take: others need memory too.
SHARE = 0.5


def free(device: torch.device) -> int | None:
    """Bytes that can be had on a device; None where nobody says."""
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + unused
    if device.type != "cpu":
        return None
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        known = dict(line.split(":", 1) for line in lines if ":" in line)
        found = int(known["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):  # not Linux
        return None
    return min([found, *_allowed()])


def _allowed() -> list[int]:
    """What the container has left, where it has less than the machine."""
    folder = Path("/sys/fs/cgroup")
    try:
        most = int((folder / "memory.max").read_text("ascii"))
        taken = int((folder / "memory.current").read_text("ascii"))
        lines = (folder / "memory.stat").read_text("ascii").splitlines()
        files = dict(line.split(" ", 1) for line in lines if " " in line)
        # What it keeps of files it can give up.
        return [max(0, most - taken + int(files.get("inactive_file", 0)))]
    except (OSError, ValueError):  # "max", or no container
        return []


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
    """Whether an error says that memory has run out."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    words = ("can't allocate memory", "not enough memory", "out of memory")
    return isinstance(error, RuntimeError) and any(word in text for word in words)
