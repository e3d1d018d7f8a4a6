"""The one loop that draws pictures: gradient ascent, a step at a time."""

from collections.abc import Callable, Generator

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError

Image = Float[Tensor, "batch channels height width"]


def ascend(
    start: Image,
    objective: Callable[[Image], Float[Tensor, "batch"]],
    *,
    steps: int,
    rate: float,
    after: Callable[[Image], Image] = lambda image: image,
) -> Generator[tuple[Image, list[float]], None, Image]:
    """Climbs an objective: up is good.

    Each step goes `rate` times the gradient divided by its root mean square, so that `rate` is in
    units of the image, whatever the scale of the objective. A gradient of exactly zero makes no
    step.

    Args:
        start: the images to begin with.
        objective: one value for each image.
        after: applied to the images after each step, such as a regulariser.

    Yields:
        After each step the images and the objective's values before that step.
    """
    image = start.detach().clone()
    for _ in range(steps):
        image.requires_grad_()
        with torch.enable_grad():
            values = objective(image)
            way = direction(slope(values, image))
        moved = image.detach() + rate * way
        image = after(moved).detach()
        yield image, values.detach().tolist()
    return image


def slope(values: Float[Tensor, "batch"], image: Image, *, keep: bool = False) -> Image:
    """The gradient of each image's value with respect to its numbers.

    Args:
        keep: whether another gradient through the same pass is to follow.

    Raises:
        PellucidError: no gradient comes through, or one that is not finite.
    """
    if not values.requires_grad:
        raise PellucidError(
            "no gradient reaches the image: the network cuts it off (no_grad, detach, rounding)"
        )
    (gradient,) = torch.autograd.grad(values.sum(), image, retain_graph=keep, allow_unused=True)
    if gradient is None:
        return torch.zeros_like(image)
    # The sum is quick to make, and finite where all are; of large numbers it may overflow.
    if not bool(gradient.sum().isfinite() or gradient.isfinite().all()):
        raise PellucidError("the gradient is not finite: the network's values overflow or are NaN")
    return gradient


def direction(gradient: Image) -> Image:
    """A gradient of root mean square 1, whatever its own; zeros stay zeros."""
    # Through the greatest first: squares of small numbers would vanish, of great ones overflow.
    greatest = gradient.abs().amax((1, 2, 3), keepdim=True)
    scaled = gradient / greatest.where(greatest > 0, 1)
    size = scaled.square().mean((1, 2, 3), keepdim=True).sqrt()
    return scaled / size.where(size > 0, 1)
