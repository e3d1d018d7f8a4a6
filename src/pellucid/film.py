"""Film: pictures one after the other."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import UInt8
from torch import Tensor

from pellucid.results import Result


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Film(Result):
    """x"""

    values: UInt8[Tensor, "frames channels height width"]
    fps: int = 12
