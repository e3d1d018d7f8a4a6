"""Returned: what a module returns, and the tensor in it that is meant."""

from __future__ import annotations

from typing import Any, cast

from torch import Tensor


def first_tensor(output: Any) -> Tensor | None:
    """The tensor in what a module returns: itself, or the first one in a tuple, list or dict.

    Of a dict that has "logits" those, or "out", as torchvision's networks of segmentation have it.
    """
    if isinstance(output, Tensor):
        return output
    if isinstance(output, dict):
        for name in ("logits", "out"):
            if isinstance(output.get(name), Tensor):
                return cast(Tensor, output[name])
    parts = output.values() if isinstance(output, dict) else output
    if isinstance(parts, list | tuple) or hasattr(parts, "mapping"):
        for part in parts:
            found = first_tensor(part)
            if found is not None:
                return found
    return None


def replaced(output: Any, old: Tensor, new: Tensor) -> Any:
    """The same structure with one tensor exchanged."""
    if output is old:
        return new
    if isinstance(output, dict):
        copy = type(output)(output)
        for key, value in output.items():
            if first_tensor(value) is old:
                copy[key] = replaced(value, old, new)
        return copy
    parts = [replaced(part, old, new) if first_tensor(part) is old else part for part in output]
    return type(output)(*parts) if hasattr(output, "_fields") else type(output)(parts)
