"""Curves: how the answer falls when evidence is deleted, and rises when it is inserted."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from pellucid.batches import Batches
from pellucid.curve import Curve, Pair

Score = Callable[[Float[Tensor, "batch channels height width"]], Float[Tensor, "batch"]]
BLUR, SIGMA = 11, 5.0  # px: side and standard deviation of what insertion starts from
RANDOM = 3  # orders whose mean is what chance reaches
MOST_NUMBERS = 2_500_000  # in the inputs of one forward pass


def both(score: Score, inputs: Tensor, order: Int[Tensor, "pixels"], pieces: int) -> Pair:
    """Deletion and insertion in one order."""
    return Pair(deletion(score, inputs, order, pieces), insertion(score, inputs, order, pieces))


def deletion(score: Score, inputs: Tensor, order: Int[Tensor, "pixels"], pieces: int) -> Curve:
    """Pixels set to zero (after normalising: the mean grey of training), in an order."""
    return _traced(score, inputs, torch.zeros_like(inputs), order, pieces)


def insertion(score: Score, inputs: Tensor, order: Int[Tensor, "pixels"], pieces: int) -> Curve:
    """Pixels put back into the blurred photo, in an order."""
    return _traced(score, blurred(inputs), inputs, order, pieces)


def _traced(
    score: Score,
    start: Float[Tensor, "1 channels height width"],
    finish: Float[Tensor, "1 channels height width"],
    order: Int[Tensor, "pixels"],
    pieces: int,
) -> Curve:
    """The scores on the way from one image to the other, all pieces of an equal share.

    The protocol of Petsiuk, Das, Saenko (2018), whose 8 rows of 224 pixels per piece are 28 pieces.
    """
    pixels = len(order)
    edges = [round(pixels * piece / pieces) for piece in range(pieces + 1)]
    when = torch.empty_like(order)
    when[order] = torch.arange(pixels)  # the turn of each pixel
    turn = when.reshape(1, 1, *start.shape[2:]).to(start.device)
    values: list[float] = []

    def answered(some: list[int]) -> Tensor:
        reached = torch.tensor(some, device=start.device).view(-1, 1, 1, 1)
        with torch.no_grad():
            return score(torch.where(turn < reached, finish, start))

    work = Batches(edges, max(1, min(64, MOST_NUMBERS // start.numel())))
    for some in work:
        try:
            found = answered(some)
            if work.mixed(some, found[:1], partial(answered, some[:1])):
                continue
        except Exception as error:
            work.again(some, error)
            continue
        values += found.tolist()
    return Curve(tuple(edge / pixels for edge in edges), tuple(values))


def blurred(image: Float[Tensor, "1 channels height width"]) -> Float[Tensor, "1 channels h w"]:
    """By a Gaussian of 11 x 11 px, sigma 5, the rim repeated outward.

    RISE's own code has the dark beyond the rim, and a kernel folded at its edge.
    """
    across = torch.arange(BLUR, dtype=torch.float64) - BLUR // 2
    bell = (-across.square() / (2 * SIGMA**2)).exp()
    bell = (bell / bell.sum()).to(image)
    padded = F.pad(image, [BLUR // 2] * 4, mode="replicate")
    flat = padded.flatten(0, 1)[:, None]
    flat = F.conv2d(F.conv2d(flat, bell.view(1, 1, -1, 1)), bell.view(1, 1, 1, -1))
    return flat[:, 0].reshape(image.shape)


def by_strength(
    evidence: Float[Tensor, "rows columns"],
    size: tuple[int, int],
    chance: torch.Generator | None = None,
) -> Int[Tensor, "pixels"]:
    """All pixels of an input, the strongest evidence first; equal ones in random order."""
    fine = F.interpolate(evidence[None, None].float(), size, mode="bilinear", align_corners=False)
    flat = fine.flatten()
    mixed = torch.randperm(len(flat), generator=chance)
    return mixed[flat[mixed].argsort(descending=True, stable=True)]


def from_the_centre(size: tuple[int, int]) -> Int[Tensor, "pixels"]:
    """All pixels, those nearest to the centre of the input first."""
    rows, columns = (torch.arange(side) - (side - 1) / 2 for side in size)
    distance = rows[:, None].square() + columns.square()
    return distance.flatten().argsort(stable=True)
