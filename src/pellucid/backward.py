"""Backward: gradients through a network that may not have them, and why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from pellucid.errors import PellucidError

_INFERENCE = "Inference tensors cannot be saved for backward"
# What torch says then, which also names tensors by their numbers and hints at its own tools.
_OVERWRITTEN = "modified by an inplace operation"


def without_gradient(module: nn.Module) -> bool:
    """Whether weights were made in inference mode, where torch allows no gradients."""
    return any(weight.is_inference() for weight in module.parameters())


@contextmanager
def differentiable() -> Iterator[None]:
    """Inside the `with` passes are made that gradients may be taken through.

    Raises:
        PellucidError: weights were made in inference mode, where torch allows no gradients.
    """
    try:
        yield
    except RuntimeError as error:
        if _INFERENCE not in str(error):
            raise
        raise PellucidError(
            "this network has no gradient: its weights were made inside torch.inference_mode(); "
            "make or load them outside of it"
        ) from error


@contextmanager
def backward() -> Iterator[None]:
    """Inside the `with` gradients are taken; what torch may say about the network is told plainly.

    Raises:
        PellucidError: the network changes in place what its own gradient needs, so that it has
            none.

    Example:
        >>> with backward():
        ...     (slope,) = torch.autograd.grad(score, pixels)
    """
    try:
        yield
    except RuntimeError as error:
        if _OVERWRITTEN not in str(error):
            raise
        raise PellucidError(
            "this network has no gradient: it overwrites numbers in place (as x *= 2 behind a "
            "ReLU does) that its gradient needs; occlusion needs none"
        ) from error
