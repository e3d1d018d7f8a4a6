"""Override: another rule for the rectifiers on the way from the photo to a target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.question import Question
from pellucid.rectifiers import rectifiers

Rule = Literal["guided", "deconv"]


@dataclass(frozen=True)
class Count:
    """How many rectifiers lie on the way to a target.

    Attributes:
        hard: flat below zero: ReLU, ReLU6, a clamp at zero.
        soft: with a slope of its own everywhere: GELU, SiLU, leaky ReLU, ….
        hidden: that may be rectifiers but write into a part of a tensor, where none can reach
            them.
    """

    hard: int
    soft: int
    hidden: int

    def __str__(self) -> str:
        reached = self.hard + self.soft
        text = f"{reached} of {reached + self.hidden} rectifiers overridden"
        return f"{text} ({self.hard} hard, {self.soft} soft)" if self.soft else text


class Override:
    """Another rule for the gradient at every rectifier.

    It acts on the graph of one forward pass and not on the network: so it is the same whether a
    rectifier is a module, a function or a method, works in place, is used twice or is TorchScript,
    and nothing is left behind on anything. With y = max(x, 0) the rules are

        plain    dx = dy where x > 0
        guided   dx = dy where x > 0 and dy > 0    (Springenberg et al. 2015)
        deconv   dx = dy where dy > 0              (Zeiler & Fergus 2014)

    The papers know ReLU only. Softer ones (GELU, SiLU, leaky ReLU, …) go by the same rule: a
    negative gradient is cut; what is left is multiplied by their own slope under "guided", and
    passes as it is under "deconv". ReLU6 has its upper gate under "guided", none under "deconv".
    Sigmoid, tanh and softmax are no rectifiers.

    Attributes:
        counts: for each target the rectifiers on the way to it, once there was a pass.
    """

    def __init__(self, rule: Rule, asked: Question) -> None:
        self.rule = rule
        self.asked = asked
        self.counts: list[Count] = []

    @contextmanager
    def __call__(self, values: Float[Tensor, "targets batch"]) -> Iterator[None]:
        """The rule holds for gradients of these values inside the `with`.

        Args:
            values: of each target, stacked by `target.values`.

        Raises:
            PellucidError: there is no rectifier on the way to a target, or none within reach.
        """
        # Its single values share one graph; the way to each begins behind the stack.
        ways = values.grad_fn.next_functions if values.grad_fn is not None else ()
        found = [rectifiers(node) for node, _ in ways]
        self.counts = [
            Count(*(list(kinds.values()).count(kind) for kind in ("hard", "soft", "hidden")))
            for kinds in found
        ]
        for count, target in zip(self.counts, self.asked.targets, strict=False):
            self._check(count, target.name(0))
        nodes = {node for kinds in found for node, kind in kinds.items() if kind != "hidden"}
        with ExitStack() as stack:
            for node in nodes:
                if self.rule == "guided":
                    handle = node.register_prehook(_cut)
                else:
                    handle = node.register_hook(_passed)
                stack.callback(handle.remove)
            yield

    def facts(self) -> dict[str, Tensor]:
        """The counts for each photo and target."""
        kinds = ("hard", "soft", "hidden")
        table = [[getattr(count, kind) for count in self.counts] for kind in kinds]
        photos = len(self.asked.photos)
        return {
            f"{kind} rectifiers": torch.tensor([row] * photos)
            for kind, row in zip(kinds, table, strict=True)
        }

    def _check(self, count: Count, name: str) -> None:
        if count.hard + count.soft:
            return
        if count.hidden:
            why = f"{count.hidden} may be there, but write into a part of a tensor"
        else:
            why = "it has no ReLU, GELU or the like there"
        raise PellucidError(
            f"no rectifier of {self.asked.net.name} can be overridden on the way from the photo to "
            f"{name} ({why}), and {self.rule} would be the plain gradient: ask for saliency"
        )


def _cut(gradients: Sequence[Tensor | None]) -> tuple[Tensor | None, ...]:
    """Before a rectifier's own backward pass: nothing negative comes in."""
    return tuple(None if given is None else given.clamp(min=0) for given in gradients)


def _passed(
    inner: Sequence[Tensor | None], outer: Sequence[Tensor | None]
) -> tuple[Tensor | None, ...]:
    """In place of a rectifier's own backward pass: what comes in goes out where it is positive."""
    coming = next((given for given in outer if given is not None), None)
    if coming is None:  # what lies behind has no gradient
        return tuple(inner)
    return tuple(
        coming.clamp(min=0) if given is not None and given.shape == coming.shape else given
        for given in inner
    )
