"""The one loop that draws pictures: gradient ascent, a step at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.backward import backward
from pellucid.errors import PellucidError
from pellucid.make.canvas import Image, Sheet
from pellucid.make.climb import Climb, Stepper
from pellucid.make.regularisers import Regulariser
from pellucid.rectifiers import passed, rectifiers

Values = Float[Tensor, "batch"]
FREED = 16  # steps that a blocked gradient is let through before a picture counts as dead
PATIENCE = 48  # steps without any gradient, after which there will be none


class Diverged(PellucidError):
    """A climb went too far: what it had before its last step is all there is."""


@dataclass(frozen=True)
class Moment:
    """Where a climb is.

    Attributes:
        step: from 1.
        values: of each picture, before the step.
        alive: which pictures have ever had a gradient of their own, not only a freed one.
        gradient: with respect to the pictures, before the step.
    """

    step: int
    values: list[float]
    alive: Bool[Tensor, "batch"]
    gradient: Image


def ascend(
    sheet: Sheet,
    objective: Callable[[Image], Values],
    *,
    steps: int,
    climb: Climb,
    regularisers: Sequence[Regulariser] = (),
    stepper: Stepper | None = None,
) -> Generator[Moment, None, None]:
    """Climbs an objective by changing a sheet's numbers in place: up is good.

    Until a picture has had a gradient of its own, a rectifier that lets nothing through passes what
    would raise it: a unit that is silent at the beginning is woken. Only where the picture has no
    gradient at all; lucid's rule for each rectifier is the same, for the first 16 steps.

    Args:
        sheet: the numbers to begin with.
        objective: one value for each image; called once for each step.
        regularisers: of a sheet of pixels: applied after each step, in their order.
        stepper: one that is under way already, on the sheet's numbers, in place of a fresh one.

    Yields:
        After each step where it is. Where no picture has had a gradient by then, the last of them
        comes early: what does not move is seen to be dead, not climbed to the end.

    Raises:
        Diverged: after the first step a number is no longer finite, or no pixel can change.
        PellucidError: no gradient reaches the image; a value or a gradient is not finite; the
            regularisers want pixels and the sheet has none.
    """
    if regularisers and not _has_pixels(sheet):
        raise PellucidError(
            f"{regularisers[0]} works on pixels, and this canvas has none: ask for canvas pixels"
        )
    stepper = stepper or climb.start(sheet.parameters)
    alive = torch.zeros(len(sheet.parameters[0]), dtype=torch.bool)
    for step in range(1, steps + 1):
        for numbers in sheet.parameters:
            numbers.requires_grad_()
        try:
            with torch.enable_grad():
                images = sheet.images()
                values = objective(images)
                # Beyond all patience a dead picture would cost those beside it a pass a step.
                blocked = step <= PATIENCE and not bool(alive.all())
                gradient = _slope(values, images, keep=blocked)
                if blocked:
                    alive |= gradient.flatten(1).any(1).cpu()
                    if not bool(alive.all()):
                        freed = _slope(values, images, freeing=True)
                        own = alive.to(gradient.device)[:, None, None, None]
                        gradient = torch.where(own, gradient, freed)
                _check(values, gradient, step, climb)
                ways = torch.autograd.grad(images, sheet.parameters, gradient)
                _check_ways(ways, gradient, step, climb)
        finally:
            for numbers in sheet.parameters:
                numbers.requires_grad_(False)
        with torch.no_grad():
            stepper(ways)
            for regulariser in regularisers:
                pixels = sheet.parameters[0]
                pixels.copy_(regulariser(pixels, gradient.to(pixels), step))
            sheet.settle()
        yield Moment(step, values.detach().tolist(), alive.clone(), gradient.detach())
        if step >= PATIENCE and not bool(alive.any()):
            return


CUT = (
    "no gradient reaches the image: the network cuts it off (no_grad, detach, rounding, quantised)"
)


def slope(
    values: Values, image: Image, *, keep: bool = False
) -> Float[Tensor, "batch channels height width"]:
    """The gradient of each image's value with respect to its numbers.

    Args:
        keep: whether another gradient through the same pass is to follow.

    Raises:
        PellucidError: no gradient comes through, or one that is not finite.
    """
    gradient = _slope(values, image, keep=keep)
    if not _finite(gradient):
        raise PellucidError("the gradient is not finite: the network's values overflow or are NaN")
    return gradient


def _slope(values: Values, image: Image, *, keep: bool = False, freeing: bool = False) -> Image:
    if not values.requires_grad:
        raise PellucidError(CUT)
    with ExitStack() as stack, backward():
        if freeing:
            for node, kind in rectifiers(values.grad_fn).items():
                if kind == "hard":
                    stack.callback(node.register_hook(_freed).remove)
        (gradient,) = torch.autograd.grad(values.sum(), image, retain_graph=keep, allow_unused=True)
    if gradient is None or not bool(gradient.any()):
        nodes = list(passed(values.grad_fn))
        if any(node.name().endswith("NotImplemented") for node in nodes):  # as quantised layers
            raise PellucidError(CUT)
        if gradient is None and any(_of(node, image) for node in nodes):
            raise PellucidError(CUT)
    return torch.zeros_like(image) if gradient is None else gradient


def _of(node: Any, image: Image) -> bool:
    """Whether a node of a graph is where an image comes in."""
    return node is image.grad_fn or getattr(node, "variable", None) is image


def _freed(
    inner: Sequence[Tensor | None], outer: Sequence[Tensor | None]
) -> tuple[Tensor | None, ...]:
    """After a rectifier's backward pass: of images whose gradient is gone, what would raise it."""
    (coming,) = (given for given in outer if given is not None)

    def freed(given: Tensor | None) -> Tensor | None:
        if given is None or given.shape != coming.shape:
            return given
        gone = ~given.flatten(1).any(1)
        raised = coming.clamp(min=0)
        return torch.where(gone.view(-1, *[1] * (given.dim() - 1)), raised, given)

    return tuple(map(freed, inner))


def _finite(numbers: Tensor) -> bool:
    # The sum is quick to make, and finite where all are; of large numbers it may overflow.
    return bool(numbers.sum().isfinite() or numbers.isfinite().all())


def _check(values: Values, gradient: Image, step: int, climb: Climb) -> None:
    for what, numbers in (("value", values.detach()), ("gradient", gradient)):
        if _finite(numbers):
            continue
        if step == 1:
            raise PellucidError(
                f"the {what} is not finite: the network's values overflow or are NaN"
            )
        raise Diverged(f"the {what} is no longer finite at step {step}: {_too_far(climb)}")


def _check_ways(ways: Sequence[Tensor], gradient: Image, step: int, climb: Climb) -> None:
    """Whether the numbers still mean a picture: of huge ones every pixel is black or white."""
    wanted = gradient.flatten(1).any(1)
    moved = torch.stack([way.flatten(1).any(1) for way in ways]).any(0)
    if step > 1 and bool((wanted & ~moved).any()):
        raise Diverged(
            f"at step {step} every pixel is wholly black or white, and no step changes that: "
            f"{_too_far(climb)}"
        )
    if not all(map(_finite, ways)):
        raise Diverged(f"the way up is no longer finite at step {step}: {_too_far(climb)}")


def _too_far(climb: Climb) -> str:
    return f"steps of {climb} go too far; try {type(climb)(climb.rate / 10)}"


def _has_pixels(sheet: Sheet) -> bool:
    from pellucid.make.pixels import PixelSheet

    return isinstance(sheet, PixelSheet)
