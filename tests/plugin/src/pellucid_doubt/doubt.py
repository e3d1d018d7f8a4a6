"""Which pixels make the network unsure?"""

from typing import Annotated

import torch

from pellucid import Heatmap, Help, Network, Photo, method


@method(examples=lambda net: [{}])
def doubt(
    net: Network,
    photo: Photo,
    *,
    heat: Annotated[float, Help("that scores are divided by; above 1: less sure", low=0.01)] = 1.0,
) -> Heatmap:
    """How the network's doubt changes with each pixel: the gradient of its answer's entropy.

    Red where more light would make the network less sure of its answer, blue where it would make
    it surer, whatever the answer is. The entropy is that of all its classes (Shannon 1948).

    Returns:
        Heatmap with `.values` (height, width) on the network's input: nats per unit of the
        normalised input, added up over the colours.

    Raises:
        PellucidError: a network that gives no class scores.

    Example:
        >>> doubt(net, "photo:cat").over().save("doubt.png")
    """
    inputs, frame = net.prepare(photo)
    inputs.requires_grad_()
    logs = (net.scores(inputs) / heat).log_softmax(1)
    entropy = -(logs.exp() * logs).sum()
    (slope,) = torch.autograd.grad(entropy, inputs)
    return Heatmap(
        values=slope.sum(1)[0].float().cpu(),
        photo=photo,
        frame=frame,
        scale="signed",
        colours="signed",
        clip=0.005,
        caption=f"gradient of the answer's entropy, {entropy.item():.3g} nats",
    )
