"""Checkpoints: where a network throws numbers away, to compute them anew on the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from torch.utils import checkpoint

_lock = Lock()
_true: dict[str, Any] = {}  # what torch has in place of ours, while there is anybody inside
_inside = 0


@contextmanager
def without_checkpoints() -> Iterator[None]:
    """Inside the `with` `torch.utils.checkpoint` computes once and keeps it all.

    Computing anew happens on the way back, behind the pass: what watches or changes the pass
    (a recording, rectifiers with another rule) is not there then, and torch finds other numbers
    than it threw away. All the ways to a checkpoint lead through the places exchanged here, no
    matter under which name a network has imported them.
    """
    global _inside
    with _lock:
        if not _inside:
            names = [name for name in _OURS if hasattr(checkpoint, name)]
            _true.update((name, getattr(checkpoint, name)) for name in names)
            vars(checkpoint).update((name, _OURS[name]) for name in names)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                vars(checkpoint).update(_true)
                _true.clear()


class _Once:
    """In place of the `autograd.Function` of checkpoints that run autograd within autograd."""

    @staticmethod
    def apply(function: Callable[..., Any], _preserve: bool, *args: Any) -> Any:
        return function(*args)


def _once(*_args: Any, **_kwargs: Any) -> Iterator[None]:
    """In place of what the others do before the function is called, and after it."""
    yield


_OURS: dict[str, Any] = {
    "CheckpointFunction": _Once,
    "_checkpoint_without_reentrant_generator": _once,
    "_checkpoint_without_reentrant_generator_impl": _once,  # as newer ones of torch call it
}
