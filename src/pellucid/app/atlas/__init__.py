"""`pellucid atlas`: a survey of a collection, and what is read from it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

# Commands in the order of the help; each is a function of this name in a file of this name.
NAMES = (
    "build", "append", "info", "check", "export", "neighbours", "map", "wall", "patches", "site",
)  # fmt: skip


def found() -> dict[str, Callable[..., None]]:
    """The commands by name."""
    return {name: getattr(import_module(f"{__name__}.{name}"), name) for name in NAMES}
