"""What does a unit look for?"""

from collections.abc import Callable, Generator
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.digits import apart
from pellucid.errors import PellucidError
from pellucid.make import transforms
from pellucid.make.ascend import Image, ascend, slope
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.record import recording
from pellucid.results import Picture
from pellucid.unit import Unit


@method(examples=lambda net: _examples(net))
def feature(
    net: Network,
    want: Annotated[
        str, Help("a unit: LAYER:CHANNEL, LAYER:CHANNEL@ROW,COLUMN or class:NAME", names="unit")
    ],
    *,
    steps: Annotated[int, Help("of gradient ascent", low=1)] = 128,
    rate: Annotated[float, Help("of a step, in standard deviations of the pixels", low=0)] = 0.05,
    decay: Annotated[
        float, Help("share of the picture that each step takes back (L2)", low=0, high=1)
    ] = 0.02,
    jitter: Annotated[
        float, Help("random shift and scaling before each step, share of the side", low=0, high=0.5)
    ] = 0.04,
    seed: Annotated[int, Help("of the jitter, and of noise that wakes a silent unit")] = 0,
) -> Generator[Step, None, Picture]:
    """The picture that a unit answers to most strongly, drawn from nothing.

    Gradient ascent on the image: I* = argmax f(I) - decay * |I|^2, from zeros, the network fixed
    (Simonyan, Vedaldi, Zisserman 2014). For a channel the mean over its places is raised, for a
    class its unnormalised score. We depart from the paper in three things: steps are of equal
    length, pixels stay within black and white, and each step sees the picture a little shifted and
    scaled, without which the checkerboard of the network's strides covers it (Mordvintsev, Olah,
    Tyka 2015). `jitter=0` is the plain form.

    Returns:
        Picture with `.values` (3 or 1, height, width), 0 to 1, of the network's input size.

    Raises:
        PellucidError: unknown unit, or one that stays silent whatever is shown to it.

    Example:
        >>> feature(net, "conv4:17", steps=100).save("unit.png")
    """
    unit = net.unit(want)
    layout = net.layers["" if unit.is_class else unit.layer].layout

    def value(images: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch"]:
        if unit.is_class:
            return unit.value(net.scores(images), layout)
        with recording(net.module, [unit.layer]) as seen:
            net.module(images)
        return unit.value(seen[unit.layer], layout)

    black, white = (
        net.preprocess.normalise(torch.full((1, net.preprocess.channels, 1, 1), shade)).to(
            net.device, net.dtype
        )
        for shade in (0.0, 1.0)
    )

    def after(images: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        return torch.minimum(torch.maximum(images * (1 - decay), black), white)

    side = min(net.preprocess.size)
    # Whole pixels: an input of a few pixels is left in its place. So is the picture of a neuron,
    # which would look at something else after each shift.
    shift = 0 if unit.position else int(jitter * side)

    def jittered(images: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch"]:
        return value(transforms.scaled(transforms.shifted(images, shift), 2 * shift / side))

    start = _awake(net, value, unit)
    values: list[float] = []
    work = ascend(start, jittered, steps=steps, rate=rate, after=after)
    image = start
    for done, (image, now) in enumerate(work, start=1):
        values.append(now[0])
        picture = net.preprocess.denormalise(image[0]).clamp(0, 1) if done % 20 == 0 else None
        yield Step(done, steps, f"{unit} = {now[0]:.3g}", picture)
    with torch.no_grad():
        final = float(value(image))
    first, last = apart(values[0], final)
    return Picture(
        values=net.preprocess.denormalise(image[0]).clamp(0, 1).float().cpu(),
        caption=f"{unit}: from {first} to {last} in {steps} steps",
    )


def _awake(
    net: Network, value: Callable[[Image], Float[Tensor, "batch"]], unit: Unit
) -> Float[Tensor, "1 c h w"]:
    """Zeros; where they give no gradient at all, the faintest noise that does."""
    for strength in (0.0, 0.01, 0.1, 0.3, 1.0, 1.0, 1.0, 1.0):
        start = net.blank() + strength * torch.randn(net.blank().shape).to(net.blank())
        start.requires_grad_()
        if bool(slope(value(start), start).any()):
            return start.detach()
    raise PellucidError(
        f"{unit} is silent: it has no gradient on grey nor on noise of any strength, so there is "
        f"nothing to climb. It may be dead, or a rectifier may hide it: try the layer before"
    )


def _examples(net: Network) -> list[dict[str, str]]:
    units = [f"{layer.name}:{layer.layout.channels // 3}" for layer in net.spread(3)[1:]]
    classes = [f"class:{9 * net.classes // 10}"] if len(net.layers[""].shape) == 1 else []
    return [{"want": want} for want in [*classes, *units]]
