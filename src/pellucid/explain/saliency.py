"""Which pixels matter?"""

from typing import Annotated, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.heatmap import Heatmap, Heatmaps
from pellucid.make.ascend import slope
from pellucid.method import method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.question import Photos, Question, Wanted

Reduce = Literal["max", "sum", "signed"]


@method(examples=lambda net: [{}])
def saliency(
    net: Network,
    photo: Photos,
    *,
    target: Wanted = None,
    reduce: Annotated[
        Reduce, Help("of the three colours: the greatest size, the sum of sizes, the signed sum")
    ] = "max",
) -> Heatmap | Heatmaps:
    """How much the score of a class changes with each pixel.

    The gradient of the unnormalised score with respect to the pixels, its absolute value, and of
    the three colours the greatest (Simonyan, Vedaldi, Zisserman 2014).

    Returns:
        Heatmap with `.values` (height, width) on the network's input: score per unit of the
        normalised input. The brightest half per cent saturates when shown. Heatmaps of several.

    Raises:
        PellucidError: unknown target, or a network that lets no gradient through.

    Example:
        >>> saliency(net, "photo:cat", target="wild_cat").over().save("why.png")
    """
    asked = Question.of(net, photo, target)
    inputs = asked.inputs.requires_grad_()
    values = asked.values(inputs, asked.rows())
    gradients = torch.stack([slope(value, inputs, keep=True) for value in values], 1)

    def caption(row: int, column: int) -> str:
        none = "" if bool(gradients[row, column].any()) else ": zero, no pixel changes it"
        name, value = asked.targets[column].name(row), float(values[column][row].detach())
        return f"|gradient| of {name}, which is {value:.3g}{none}"

    signed = reduce == "signed"
    return asked.answer(
        reduced(gradients, reduce),
        caption,
        scale="signed" if signed else "positive",
        colours="signed" if signed else "heat",
        clip=0.005,
    )


def reduced(
    gradients: Float[Tensor, "photos targets colours height width"], how: Reduce
) -> Float[Tensor, "photos targets height width"]:
    """The colours of each pixel as one number."""
    if how == "max":
        return gradients.abs().amax(2)
    return gradients.sum(2) if how == "signed" else gradients.abs().sum(2)
