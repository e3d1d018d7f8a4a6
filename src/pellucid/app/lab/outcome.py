"""Outcome: what a worker sends back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """What a worker sends back.

    Attributes:
        facts: plain JSON data.
        files: contents by name.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
