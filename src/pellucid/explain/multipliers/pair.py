"""Pair: a network's values for a photo and for a baseline, and multipliers sent back."""

from __future__ import annotations

import torch
from torch import Tensor

from pellucid.explain.multipliers.rules import (
    Parts,
    balance,
    followed,
    handed,
    linear,
    started,
    sure,
)
from pellucid.explain.written import Values, carried_out, told, wide
from pellucid.see.incremental.graph import Graph, Node


class Pair:
    """All values of a network for both, and the way back.

    Args:
        graph: of the network, written down for one photo.
        photo: (1, channels, height, width)
        start: of the same shape, the baseline.

    Attributes:
        lost: by operation, in words: what of the answer's difference did not get through on the
            last way back.
    """

    def __init__(self, graph: Graph, photo: Tensor, start: Tensor) -> None:
        self.graph = graph
        self.lost: dict[str, float] = {}
        self.photo: Values = {0: wide(photo)}
        self.start: Values = {0: wide(start)}
        self.ready: dict[Node, tuple[Parts, Values]] = {}  # to be followed back, wherever they are
        with torch.no_grad():
            for node in graph.nodes:
                self.start |= carried_out(node, self.start)
                if linear(node, self.photo):
                    at = {number: self.photo[number] for number in node.inputs}
                    self.ready[node] = _, outs = started(node, self.photo, at)
                    self.photo |= {number: out.detach() for number, out in outs.items()}
                else:
                    self.photo |= carried_out(node, self.photo)

    @property
    def answers(self) -> tuple[Tensor, Tensor]:
        """What the network was asked for, of the photo and of the baseline."""
        return self.photo[self.graph.output], self.start[self.graph.output]

    def back(self, multipliers: Tensor) -> Tensor:
        """The multipliers of each number of the photo.

        Args:
            multipliers: of the answer, number by number.
        """
        self.lost.clear()
        found = {self.graph.output: multipliers}
        for node in reversed(self.graph.nodes):
            given = [found.pop(number, None) for number in node.outs]
            if all(one is None for one in given):
                continue
            if node in self.ready:
                parts = followed(node, *self.ready[node], given)
            else:
                parts = handed(node, self.photo, self.start, given)
                self._weigh(node, given, parts)
            for number, part in parts.items():
                found[number] = found[number] + part if number in found else part
        return found.get(0, torch.zeros_like(self.photo[0]))

    def _weigh(self, node: Node, given: list[Tensor | None], parts: dict[int, Tensor]) -> None:
        """Notes what got lost at an operation."""
        if sure(node, self.photo):
            return
        sides = [
            sum(balance(one, self.photo[n], self.start[n]) for n, one in ways if one is not None)
            for ways in (zip(node.outs, given, strict=True), parts.items())
        ]
        lost = sides[0] - sides[1]
        if lost:
            self.lost[told(node)] = self.lost.get(told(node), 0.0) + lost
