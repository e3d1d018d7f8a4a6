"""Readings: values that a network gave, which are to be numbers, and more than roundings apart."""

from collections.abc import Callable
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.option import Help
from pellucid.question import Question
from pellucid.target import UNSOUND

Measure = Literal["probability", "score"]
Measured = Annotated[Measure, Help("of the class; of other units always their value")]


def measured(asked: Question, measure: Measure) -> Measure:
    """What can be measured: of a network of one class not its probability, which is always 1."""
    scores = any(one.what == "score" for one in asked.targets) and asked.net.measure == "score"
    return "score" if scores else measure


def sound(
    values: Float[Tensor, "*images targets"],
    asked: Question,
    row: int,
    inputs: Callable[[], Tensor],
) -> Float[Tensor, "..."]:
    """The targets' values of versions of one photo, seen to be numbers; see `check_sound`."""
    check_sound(values, asked, row, inputs)
    return values.float().cpu()


def check_sound(
    values: Float[Tensor, "*images targets"],
    asked: Question,
    row: int,
    inputs: Callable[[], Tensor],
) -> None:
    """Refuses values that are no numbers.

    Args:
        row: the photo's number.
        inputs: gives what was put in.

    Raises:
        PellucidError: one is NaN or infinite; told is the score where it is a probability.
    """
    if bool(values.isfinite().all()):
        return
    with torch.inference_mode():
        scores = asked.reader(row)(inputs())
    ends = zip(asked.targets, values.movedim(-1, 0), scores.movedim(-1, 0), strict=True)
    target, value, score = next(end for end in ends if not bool(end[1].isfinite().all()))
    number = [float(one[~one.isfinite()][0]) for one in (score, value) if not one.isfinite().all()]
    if target.what == "score" and len(number) == 1:
        told = f"{target.name(row)} has no probability, for another class's score is not finite"
    else:
        told = f"the {target.what} of {target.name(row)} is {number[0]}"
    raise PellucidError(f"{told}: {UNSOUND}")


def steadied(
    found: Float[Tensor, "masks"], clean: Float[Tensor, ""], dtype: torch.dtype
) -> Float[Tensor, "masks"]:
    """Where a target differs by roundings only, it is the same: they are not to be drawn."""
    same = (found - clean).abs().amax() <= rounding(clean, dtype)
    return torch.where(same, clean, found)


def rounding(clean: Float[Tensor, "*targets"], dtype: torch.dtype) -> Float[Tensor, "*targets"]:
    """How far a network that computes in a type may be from values that it should repeat."""
    eps = torch.finfo(dtype).eps
    # Of one colour under masks of the same colour, probabilities were seen to differ by 16 eps: a
    # rounding of the score is a share of the probability. In half precision that would hide much.
    return (32 if eps < 1e-5 else 1) * eps * clean.abs()
