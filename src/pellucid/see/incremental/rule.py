"""Rule: how an operation passes rectangles on, and the case that it is found from.

A map's axes of height and width stand anywhere behind the batch: (batch, channels, height, width),
(batch, height, width, channels), (batch, groups, channels, height, width).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from pellucid.see.incremental.graph import Node, Ref, Shape, refs
from pellucid.see.incremental.spans import Slide

# each: every place by itself; slide: from a window of places; mean: over all places; whole: from
# anywhere.
Kind = Literal["each", "slide", "mean", "whole"]
Axes = tuple[int, int] | None  # of height and width; None: without places
STILL = Slide(1)


@dataclass(frozen=True)
class Rule:
    """What an operation does with places.

    Attributes:
        kind: see `Kind`.
        axes: of each output.
        rows, columns: of a slide.
        value: what a slide reads outside of the map.
        why: of "whole": what makes it so, where that deserves to be told.
    """

    kind: Kind
    axes: tuple[Axes, ...]
    rows: Slide = STILL
    columns: Slide = STILL
    value: float = 0.0
    why: str = ""


@dataclass(frozen=True)
class Case:
    """An operation with the shapes of its inputs and outputs and the inputs' axes of places."""

    node: Node
    shapes: list[Shape]
    outs: list[Shape]
    places: list[tuple[int, int]]

    @property
    def axes(self) -> tuple[int, int]:
        return self.places[0]

    @property
    def size(self) -> tuple[int, int]:
        return self.shapes[0][self.axes[0]], self.shapes[0][self.axes[1]]

    def argument(self, place: int, name: str, usual: Any = None) -> Any:
        """An argument, given by place or by name."""
        if place < len(self.node.args):
            return self.node.args[place]
        return self.node.kwargs.get(name, usual)

    def each(self, *axes: tuple[int, int]) -> Rule:
        return Rule("each", (axes or (self.axes,)) * (1 if axes[1:] else len(self.outs)))

    def alone(self) -> bool:
        """Whether only the first argument depends on the photo."""
        node = self.node
        return isinstance(node.args[0], Ref) and not any(refs((node.args[1:], node.kwargs)))


def place(node: Node) -> str:
    """What an operation is called in a refusal: the module that it stands in."""
    return node.where or node.name


def tensors(node: Node) -> list[Tensor]:
    """The constant tensors among a node's arguments."""
    return [part for part in parts((node.args, node.kwargs)) if isinstance(part, Tensor)]


def parts(part: Any) -> Iterator[Any]:
    if isinstance(part, list | tuple):
        for item in part:
            yield from parts(item)
    elif isinstance(part, dict):
        yield from parts(tuple(part.values()))
    else:
        yield part
