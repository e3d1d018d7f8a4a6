"""Which pixels matter?"""

from typing import Annotated

from pellucid.images import Photo
from pellucid.make.ascend import slope
from pellucid.method import method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.results import Heatmap


@method(examples=lambda net: [{}])
def saliency(
    net: Network,
    photo: Photo,
    *,
    target: Annotated[
        str | None, Help("class or unit; the most probable class where not given", names="unit")
    ] = None,
) -> Heatmap:
    """How much the score of a class changes with each pixel.

    The gradient of the unnormalised score with respect to the pixels, its absolute value, and of
    the three colours the greatest (Simonyan, Vedaldi, Zisserman 2014).

    Returns:
        Heatmap with `.values` (height, width) on the network's input: score per unit of the
        normalised input. The brightest half per cent saturates when shown.

    Raises:
        PellucidError: unknown target, or a network that lets no gradient through.

    Example:
        >>> saliency(net, "photo:cat", target="wild_cat").over().save("why.png")
    """
    inputs, frame = net.prepare(photo)
    unit = net.unit(target) if target else net.best(inputs)
    inputs.requires_grad_()
    value = net.neurons(inputs, unit)
    gradient = slope(value, inputs)
    return Heatmap(
        values=gradient[0].abs().amax(0).float().cpu(),
        photo=photo,
        frame=frame,
        scale="positive",
        clip=0.005,
        caption=f"|gradient| of {unit}, which is {float(value.detach()):.3g}"
        + ("" if bool(gradient.any()) else ": zero, no pixel changes it"),
    )
