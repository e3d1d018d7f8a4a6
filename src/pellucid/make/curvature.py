"""Curvature: a climb that learns from its gradients how the ground bends, and chooses its steps."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from pellucid.backward import backward
from pellucid.errors import PellucidError
from pellucid.make.ascend import Diverged, Moment
from pellucid.make.canvas import Image, Sheet
from pellucid.make.climb import KINDS, Climb
from pellucid.make.objective import Values
from pellucid.make.worded import Worded, between, read

LOOKS = 25  # pictures that one search along a line asks about, at most


@dataclass(frozen=True)
class Lbfgs(Worded):
    """L-BFGS (Liu & Nocedal 1989), each step searched for along its line (strong Wolfe).

    It has no rate: where it can reach the top it does so in a fraction of the steps of others, but
    a step may ask about several pictures, and what is drawn at random in each confuses it.

    Attributes:
        history: past steps that the curvature is learned from.
    """

    history: int = 20
    word: ClassVar[str] = "lbfgs"

    def __post_init__(self) -> None:
        between("history of lbfgs", self.history, 1, 1000)

    def ascend(
        self, sheet: Sheet, objective: Callable[[Image], Values], *, steps: int
    ) -> Generator[Moment, None, None]:
        """Climbs with a sheet of one picture, changing its numbers in place; see `ascend.ascend`.

        Yields:
            After each step where it is; it ends early at the top, where no step leads higher.

        Raises:
            Diverged: after the first step a number is no longer finite.
            PellucidError: no gradient reaches the image; a value or a gradient is not finite.
        """
        (numbers,) = sheet.parameters
        asked = _Asked(sheet, objective)
        optimiser = torch.optim.LBFGS(
            [numbers], lr=1, max_iter=1, max_eval=LOOKS, history_size=self.history,
            line_search_fn="strong_wolfe", tolerance_grad=0, tolerance_change=0,
        )  # fmt: skip
        for asked.step in range(1, steps + 1):
            before = numbers.clone()
            value, gradient = asked(before)

            def descend() -> Tensor:
                value, gradient = asked(numbers)
                numbers.grad = -gradient
                return -value

            with torch.enable_grad():
                optimiser.step(descend)  # type: ignore[no-untyped-call]
            asked.forget()
            if torch.equal(before, numbers):
                return
            yield Moment(asked.step, [float(value)], gradient.flatten(1).any(1).cpu(), gradient)


class _Asked:
    """Value and gradient for numbers; of those asked about in the last search, without a pass.

    The optimiser asks again, as each step begins, about the place that the last one ended at.
    """

    def __init__(self, sheet: Sheet, objective: Callable[[Image], Values]) -> None:
        self.sheet, self.objective = sheet, objective
        self.known: list[tuple[Tensor, Tensor, Tensor]] = []
        self.step = 1

    def __call__(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        for place, value, gradient in reversed(self.known):
            if torch.equal(place, numbers):
                return value, gradient
        place = numbers.detach().clone()
        (own,) = self.sheet.parameters
        own.requires_grad_()
        try:
            with torch.enable_grad(), backward():
                value = self.objective(self.sheet.images()).sum()
                if not value.requires_grad:
                    raise PellucidError(
                        "no gradient reaches the image: the network cuts it off (no_grad, detach, "
                        "rounding)"
                    )
                (gradient,) = torch.autograd.grad(value, own)
        finally:
            own.requires_grad_(False)
        value = value.detach()
        if not bool(value.isfinite() & gradient.isfinite().all()):
            said = "the value or its gradient is"
            if self.step == 1 and not self.known:
                raise PellucidError(f"{said} not finite: the network's values overflow or are NaN")
            raise Diverged(f"{said} no longer finite at step {self.step}")
        self.known.append((place, value, gradient))
        return value, gradient

    def forget(self) -> None:
        """All but the last search."""
        self.known = self.known[-LOOKS - 1 :]


def way(text: str) -> Lbfgs | Climb:
    """The way up that a text names, such as "lbfgs" or "adam 0.05"; see `worded.read`."""
    kinds: tuple[type[Worded], ...] = (Lbfgs, *KINDS)
    found = read(text, kinds, "climb")
    if len(found) != 1:
        raise PellucidError(f"one way to climb is wanted, such as lbfgs, not {text!r}")
    (one,) = found
    assert isinstance(one, Lbfgs | Climb)
    return one
