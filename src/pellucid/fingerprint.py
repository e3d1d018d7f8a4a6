"""Fingerprint: a short text that stands for all the weights of a module."""

from __future__ import annotations

import hashlib

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
        marks = [(name, *mark(value)) for name, value in state.items()]
        if self._known[0] != marks:
            self._known = (marks, _digest(state))
        return self._known[1]


def mark(value: Tensor) -> tuple[int, int, tuple[int, int]]:
    """What shows that a tensor has changed since, for a twentieth of the cost of its digest.

    Writing through `.data`, as averaging of weights does, moves no version: so the sums.
    """
    version = 0 if value.is_inference() else value._version  # where nobody counts
    return value.data_ptr(), version, _sums(value)


def _is_tensor(value: object) -> bool:
    return isinstance(value, Tensor)  # a module may keep other things in its state


def _raw(value: Tensor) -> Tensor:
    return value.detach().contiguous().reshape(-1).view(torch.uint8)


def _sums(value: Tensor) -> tuple[int, int]:
    """Of the bytes, eight at a time, and of what is left over."""
    flat = value.detach().reshape(-1)
    size = flat.element_size()
    if not (flat.numel() * size % 8 or flat.storage_offset() * size % 8):
        return int(flat.view(torch.int64).sum()), 0  # of nearly all; the rest takes twice as long
    raw = _raw(value)
    if raw.storage_offset() % 8:
        raw = raw.clone()
    whole = len(raw) // 8 * 8
    return int(raw[:whole].view(torch.int64).sum()), int(raw[whole:].sum())


def _digest(state: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, value in state.items():
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(_raw(value).cpu().numpy().data)
    return digest.hexdigest()[:16]
