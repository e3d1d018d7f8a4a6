"""Flow: a network's operations for one photo, and relevance sent back through them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pellucid.explain.relevance.kinds import Kinds
from pellucid.explain.relevance.rules import Rules, Weighted, away_from_zero, shared
from pellucid.explain.written import CASTS, Values, carried_out, told, wide
from pellucid.see.incremental.graph import Graph, Node


class Flow:
    """All values of a network for one photo, and the way back.

    Args:
        graph: of the network, written down for one photo.
        inputs: (1, channels, height, width), the photo.
        ends: two of the same shape: the least and the most that a pixel may be.

    Attributes:
        values: by number; every one is kept.
        stuck: the operations, in words, that relevance could not be sent through on the last way
            back: there is no derivative, or the numbers are whole or complex.
    """

    def __init__(self, graph: Graph, inputs: Tensor, ends: Sequence[Tensor]) -> None:
        self.kinds = Kinds(graph)
        self.graph = graph
        self.stuck: set[str] = set()
        self.values: Values = {0: wide(inputs)}
        self.ends: list[Values] = [{0: wide(end)} for end in ends]
        with torch.no_grad():
            for node in self.graph.nodes:
                self.values |= carried_out(node, self.values)
                if self.kinds.raw.issuperset((*node.inputs, *node.outs)):
                    for values in self.ends:
                        values |= carried_out(node, values)

    @property
    def answer(self) -> Tensor:
        """What the network was asked for."""
        found: Tensor = self.values[self.graph.output]
        return found

    def back(self, relevance: Tensor, rules: Rules) -> Tensor:
        """The relevance of each number of the photo.

        Args:
            relevance: of the answer, number by number.
            rules: of the layers with weights.
        """
        self.stuck.clear()
        found = {self.graph.output: relevance}
        for node in reversed(self.graph.nodes):
            given = [found.pop(number, None) for number in node.outs]
            if any(one is not None and bool(one.any()) for one in given):
                for number, part in self._through(node, given, rules).items():
                    found[number] = found[number] + part if number in found else part
        return found.get(0, torch.zeros_like(self.values[0]))

    def _through(self, node: Node, given: list[Tensor | None], rules: Rules) -> dict[int, Tensor]:
        """The relevance of an operation's inputs."""
        kind, counting = self.kinds.of(node)
        heirs = {n: part for n, part in counting.items() if self.values[n].is_floating_point()}
        relevance = given[0]
        if not heirs:
            # What whole numbers were made by says more than what made them fractions again.
            cast = node.name in CASTS
            self.stuck.add(told(self.kinds.made.get(node.inputs[0], node) if cast else node))
            return {}
        if kind in ("pass", "rule") and relevance is None:  # of a second output, such as a mean
            return {}
        if kind == "pass" and relevance is not None:
            return dict.fromkeys(heirs, relevance)
        if kind == "rule" and relevance is not None:
            layer, first = self._layer(node)
            # For each token a linear layer is what a convolution of one pixel is for each place.
            rule = rules.dense if layer.given.ndim == 2 else rules.placed
            return {n: shared(layer, rules.first if first else rule, relevance) for n in heirs}
        found = self._shared(node, given, tuple(heirs), moved=kind == "move")
        if not found:
            self.stuck.add(told(node))
        return {number: heirs[number] * part for number, part in found.items()}

    def _shared(
        self, node: Node, given: list[Tensor | None], heirs: tuple[int, ...], moved: bool
    ) -> dict[int, Tensor]:
        """To the inputs by what each adds; where numbers only move, with them."""
        leaves = {number: self.values[number].detach().requires_grad_() for number in heirs}
        with torch.enable_grad():
            outs = carried_out(node, self.values | leaves)
        ways = [
            (outs[number], one)
            for number, one in zip(node.outs, given, strict=True)
            if one is not None and outs[number].requires_grad
        ]
        if not ways:
            return {}
        slopes = torch.autograd.grad(
            [out for out, _ in ways],
            list(leaves.values()),
            [one if moved else one / away_from_zero(out.detach()) for out, one in ways],
            allow_unused=True,
        )
        return {
            number: slope if moved else leaf.detach() * slope
            for (number, leaf), slope in zip(leaves.items(), slopes, strict=True)
            if slope is not None
        }

    def _layer(self, node: Node) -> tuple[Weighted, bool]:
        """A layer with weights, and whether it is one that looks at the photo."""
        number = node.inputs[0]
        bias = node.args[2] if len(node.args) > 2 else node.kwargs.get("bias")
        more = {key: value for key, value in node.kwargs.items() if key != "bias"}

        def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
            found: Tensor = node.func(inputs, weight, bias, *node.args[3:], **more)
            return found

        first = number in self.kinds.raw
        low = high = None
        if first:
            one, other = (values[number] for values in self.ends)
            low, high = torch.minimum(one, other), torch.maximum(one, other)
        layer = Weighted(
            linear, self.values[number], node.args[1], bias, self.values[node.outs[0]], low, high
        )
        return layer, first
