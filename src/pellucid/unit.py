"""Unit: the name of one thing that a network computes, and its value."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.layout import Layout

# A number of more digits is none: Python itself refuses to read one of thousands.
_PLACE = re.compile(r"(?P<layer>.+):(?P<channel>\d{1,18})(?:@(?P<place>[^@]+))?")


@dataclass(frozen=True)
class Unit:
    """A channel, a neuron, or the score of a class.

    Attributes:
        layer: dotted name as in `pellucid layers`; "class" for a score.
        channel: index of the channel or class, from 0.
        position: row and column on the layer's grid; None names the whole channel.
        token: index of a prefix token of a transformer (0: the class token) in place of a position.
        label: of a class; empty where another class has it as well.
    """

    layer: str
    channel: int
    position: tuple[int, int] | None = None
    token: int | None = None
    label: str = ""

    @property
    def is_class(self) -> bool:
        """Whether it is the unnormalised score of a class."""
        return self.layer == "class"

    def __str__(self) -> str:
        place = f"@{self.position[0]},{self.position[1]}" if self.position else ""
        if self.is_class:
            return f"class:{self.label or self.channel}{place}"
        place = f"@token{self.token}" if self.token is not None else place
        return f"{self.layer}:{self.channel}{place}"

    def value(self, output: Float[Tensor, "batch *rest"], layout: Layout) -> Float[Tensor, "batch"]:
        """One number for each image: a score, a neuron, or the mean over all places.

        Args:
            output: of the unit's layer; for a class the network's scores.
            layout: of that layer.
        """
        if self.is_class and output.ndim == 2:
            return output[:, self.channel]
        if self.token is not None:
            return layout.token(output, self.token)[:, self.channel]
        channel = layout.maps(output)[:, self.channel]
        if self.position:
            return channel[:, self.position[0], self.position[1]]
        return channel.mean((1, 2))


def split(text: str) -> tuple[str, int, str] | None:
    """Layer, channel and place of a unit's name; None where it is not of that form."""
    match = _PLACE.fullmatch(text)
    if not match:
        return None
    return match["layer"], int(match["channel"]), match["place"] or ""


def place(text: str, owner: str, layout: Layout) -> tuple[tuple[int, int] | None, int | None]:
    """The position or the token that the part after "@" names.

    Args:
        owner: whose places these are, for the message.
    """
    if not text:
        return None, None
    token = re.fullmatch(r"token(\d{1,18})", text)
    if token:
        index = int(token[1])
        if index >= layout.prefix:
            raise PellucidError(f"{owner} has {layout.prefix} prefix tokens, not {text!r}")
        return None, index
    numbers = re.fullmatch(r"(\d{1,18}),(\d{1,18})", text)
    if not numbers:
        raise PellucidError(f"a position is @ROW,COLUMN (or @token0), not @{text}")
    row, column = int(numbers[1]), int(numbers[2])
    height, width = layout.grid
    if row >= height or column >= width:
        raise PellucidError(
            f"{owner} has {height} x {width} positions, "
            f"@0,0 to @{height - 1},{width - 1}; @{row},{column} is outside"
        )
    return (row, column), None
