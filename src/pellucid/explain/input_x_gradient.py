"""How much of the score does each pixel bring, were the network a straight line?"""

from collections.abc import Generator

import torch

from pellucid.explain.gradient import Noise, Reduce, Seed, Smooth, gradients, shown
from pellucid.heatmap import Heatmap, Heatmaps
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.question import Photos, Question, Wanted
from pellucid.results import Grid


@method(examples=lambda net: [{}])
def input_x_gradient(
    net: Network,
    photo: Photos,
    *,
    target: Wanted = None,
    reduce: Reduce = "signed",
    smooth: Smooth = 1,
    noise: Noise = None,
    seed: Seed = 0,
) -> Generator[Step, None, Heatmap | Heatmaps | Grid]:
    """What each pixel adds to the score, if the score were linear: input times gradient.

    Each number of the normalised input times its gradient (Shrikumar, Greenside, Shcherbina,
    Kundaje 2016), signed, added up over the colours. Of a network without biases and with nothing
    but rectifiers the whole map adds up to the score.

    Returns:
        Heatmap with `.values` (height, width) on the network's input, in units of the score.
        Heatmaps of several. With reduce="colour" a Grid of the products in colours.

    Raises:
        PellucidError: unknown target, or a network that lets no gradient through.

    Example:
        >>> input_x_gradient(net, "photo:cat", target="wild_cat").over().save("why.png")
    """
    asked = Question.of(net, photo, target)
    zero = torch.zeros_like(asked.inputs)
    found = yield from gradients(asked, smooth=smooth, noise=noise, start=zero)
    return shown(
        asked,
        found.maps,
        reduce,
        lambda *at: f"input x gradient of {found.told(asked, *at)}",
        start=zero,
    )
