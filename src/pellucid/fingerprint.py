"""Fingerprint: a short text that stands for all the weights of a module."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn

from pellucid.contents import Contents

SMALL = 2**16  # bytes


class Fingerprint:
    """SHA-256 of names, types, shapes and values of all weights and buffers; see `Contents`.

    It is worked out anew only when something has changed since it was last asked for.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self._known: tuple[object, str] = (None, "")

    def __str__(self) -> str:
        """16 hexadecimal digits."""
        contents = Contents.of(self.module)
        state = contents.tensors
        if not contents.steady:  # copies show nothing of what was done to their originals
            return _digest(state)
        seen = list(zip(state, marks(list(state.values())), strict=True))
        if self._known[0] != seen:
            self._known = (seen, _digest(state))
        return self._known[1]


def mark(value: Tensor) -> tuple[int, int, tuple[int, ...]]:
    """What shows that a tensor has changed since, for a twentieth of the cost of its digest.

    Writing through `.data`, as averaging of weights does, moves no version: so the sums.
    """
    return marks([value])[0]


def marks(values: Sequence[Tensor]) -> list[tuple[int, int, tuple[int, ...]]]:
    """The marks of several; those on one GPU are awaited together."""
    small: dict[torch.device, list[int]] = {}
    for number, value in enumerate(values):
        size = value.numel() * value.element_size()
        if 0 < size <= SMALL and size % 8 == 0:
            small.setdefault(value.device, []).append(number)
    known: dict[int, tuple[int, ...]] = {}
    for some in small.values():
        running = _running([values[number] for number in some])
        known |= {number: (one,) for number, one in zip(some, running, strict=True)}
    others = [number for number in range(len(values)) if number not in known]
    added = [_sums(values[number]) for number in others]
    flat = iter(_numbers([one for sums in added for one in sums]))
    known |= {n: tuple(next(flat) for _ in sums) for n, sums in zip(others, added, strict=True)}
    # Where nobody counts changes, the sums alone tell.
    versions = [0 if value.is_inference() else value._version for value in values]
    return [
        (value.data_ptr(), version, known[number])
        for number, (value, version) in enumerate(zip(values, versions, strict=True))
    ]


def _numbers(flat: list[Tensor]) -> list[int]:
    if len({one.device for one in flat}) == 1 and flat[0].device.type != "cpu":
        return [int(one) for one in torch.stack(flat).tolist()]
    return [int(one) for one in flat]


def _raw(value: Tensor) -> Tensor:
    return value.detach().reshape(-1).view(torch.uint8)


def _running(values: list[Tensor]) -> list[int]:
    """Up to the end of each the sum of all: a GPU is started once, not for every small one."""
    raw = [_raw(value) for value in values]
    ends = list(accumulate(len(one) // 8 for one in raw))
    total = torch.cat(raw).view(torch.int64).cumsum(0)
    found: list[int] = total[torch.tensor(ends, device=total.device) - 1].tolist()
    return found


def _sums(value: Tensor) -> list[Tensor]:
    """Of the bytes, eight at a time, and of what is left over."""
    flat = value.detach().reshape(-1)
    size = flat.element_size()
    if not (flat.numel() * size % 8 or flat.storage_offset() * size % 8):
        return [flat.view(torch.int64).sum()]  # of nearly all; the rest takes twice as long
    raw = _raw(value)
    if raw.storage_offset() % 8:
        raw = raw.clone()
    whole = len(raw) // 8 * 8
    return [raw[:whole].view(torch.int64).sum(), raw[whole:].sum()]


def _digest(state: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, value in state.items():
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(_raw(value).cpu().numpy().data)
    return digest.hexdigest()[:16]
