"""The network's tab."""

from typing import Any


def build(lab: Any, words: dict[str, str], lang: str) -> None:
    """Nothing yet."""
