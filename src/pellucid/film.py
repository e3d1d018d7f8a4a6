"""Film: pictures one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from pellucid import tiles
from pellucid.movies import ENDINGS, film_bytes
from pellucid.results import Result

STRIP, CELL = 12, 200  # most frames of a film that is printed, and px of their longer side


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Film(Result):
    """Pictures one after the other; in a notebook it runs.

    It is saved as `.gif`, `.webp` or `.mp4`; as `.png` some of its frames, side by side for paper.

    Attributes:
        values: (frames, 3 or 1, height, width), 8 bits.
        fps: frames in a second.
    """

    values: UInt8[Tensor, "frames channels height width"]
    fps: int = 12

    ENDINGS: ClassVar[tuple[str, ...]] = (*ENDINGS, ".png")

    def image(self) -> Float[Tensor, "3 height width"]:
        """Up to twelve of the frames, from the first to the last, with their numbers."""
        count = min(STRIP, len(self.values))
        numbers = torch.linspace(0, len(self.values) - 1, count).round().long().tolist()
        height, width = self.values.shape[2:]
        scale = CELL / max(height, width)
        box = max(1, round(height * scale)), max(1, round(width * scale))
        shown = [
            tiles.boxed(self.values[number].expand(3, -1, -1).float() / 255, box)
            for number in numbers
        ]
        return tiles.arranged(torch.stack(shown), [str(number + 1) for number in numbers], 1)

    def file(self, ending: str) -> bytes:
        """See `Result.file`."""
        if ending == ".png":
            return super().file(ending)
        return film_bytes(self.values.cpu(), self.fps, ending, self.recipe.json())

    def data(self) -> dict[str, Any]:
        """With the frames in a second."""
        return super().data() | {"fps": self.fps}

    def _webp(self) -> bytes:
        return self.file(".webp")


def asked(settings: Mapping[str, Any]) -> type[Result]:
    """What a method's settings ask for: a film where they say how many frames, or a picture."""
    return Film if settings.get("film") else Result
