"""Fingerprint: a short text that stands for all the weights of a module."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Fingerprint:
    """SHA-256 of names, types, shapes and values of all weights and buffers.

    It is worked out anew only when something has changed since it was last asked for.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self._known: tuple[object, str] = (None, "")

    def __str__(self) -> str:
        """16 hexadecimal digits."""
        state = {
            name: value for name, value in self.module.state_dict().items() if _is_tensor(value)
        }
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
    added = [_sums(value) for value in values]
    flat = [one for some in added for one in some]
    known = iter(_numbers(flat))
    # Where nobody counts changes, the sums alone tell.
    versions = [0 if value.is_inference() else value._version for value in values]
    return [
        (value.data_ptr(), version, tuple(next(known) for _ in some))
        for value, version, some in zip(values, versions, added, strict=True)
    ]


def _numbers(flat: list[Tensor]) -> list[int]:
    if len({one.device for one in flat}) == 1 and flat[0].device.type != "cpu":
        return [int(one) for one in torch.stack(flat).tolist()]
    return [int(one) for one in flat]


def _is_tensor(value: object) -> bool:
    return isinstance(value, Tensor)  # a module may keep other things in its state


def _raw(value: Tensor) -> Tensor:
    return value.detach().contiguous().reshape(-1).view(torch.uint8)


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
