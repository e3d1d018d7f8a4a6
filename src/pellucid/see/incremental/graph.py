"""Graph: what a network computes, as a list of operations on numbered values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

Shape = tuple[int, ...]
IMAGES = 2  # in the pass that is written down: enough to tell the batch from other axes


class Refused(Exception):
    """A network, or a part of it, that cannot be taken apart; the message says why."""


@dataclass(frozen=True)
class Ref:
    """Stands in a node's arguments for a value that depends on the photo."""

    number: int


@dataclass(eq=False)
class Node:
    """One operation.

    Attributes:
        func: the ATen operator, never one that changes its input in place.
        args, kwargs: its arguments, with `Ref` where a value stood.
        outs: numbers of its values.
        where: dotted name of the module that called it.
        views: whether an output lies in the memory of an input.
    """

    func: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outs: tuple[int, ...]
    where: str = ""
    views: bool = False

    @property
    def name(self) -> str:
        """Of the operator, without its overload: "conv2d"."""
        return str(self.func.__name__).split(".")[0]

    @cached_property
    def inputs(self) -> tuple[int, ...]:
        """Numbers of the values that it reads, in order, each once."""
        return tuple(dict.fromkeys(ref.number for ref in refs((self.args, self.kwargs))))


@dataclass
class Graph:
    """A network's operations in the order of computing.

    Attributes:
        nodes: the operations.
        shapes: of every value, for `IMAGES` photos at once; value 0 is the input.
        output: the value that was asked for.
    """

    nodes: list[Node] = field(default_factory=list)
    shapes: dict[int, Shape] = field(default_factory=dict)
    output: int = 0

    def unused(self) -> int:
        """A number from which on none is a value's."""
        return max([*self.shapes, *(out for node in self.nodes for out in node.outs)]) + 1

    def pruned(self) -> Graph:
        """Without the operations that the output does not need."""
        needed, nodes = {self.output}, []
        for node in reversed(self.nodes):
            if needed & set(node.outs):
                needed |= set(node.inputs)
                nodes.append(node)
        return Graph(nodes[::-1], self.shapes, self.output)


def refs(part: Any) -> Iterator[Ref]:
    """All references in a nest of tuples, lists and dicts."""
    if isinstance(part, Ref):
        yield part
    elif isinstance(part, list | tuple):
        for item in part:
            yield from refs(item)
    elif isinstance(part, dict):
        for item in part.values():
            yield from refs(item)


def filled(part: Any, values: dict[int, Any]) -> Any:
    """The same nest with values in place of references."""
    if isinstance(part, Ref):
        return values[part.number]
    if isinstance(part, list | tuple):
        return type(part)(filled(item, values) for item in part)
    if isinstance(part, dict):
        return {key: filled(item, values) for key, item in part.items()}
    return part
