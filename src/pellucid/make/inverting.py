"""Inverting: the codes of a photo, and one picture on its way back to one of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.inverted import Row
from pellucid.make.amplified import stations
from pellucid.make.ascend import Diverged, Moment, Values, ascend
from pellucid.make.canvas import Image
from pellucid.make.climb import Climb
from pellucid.make.code import Code
from pellucid.make.curvature import Lbfgs
from pellucid.make.objective import View
from pellucid.make.pixels import PixelSheet
from pellucid.make.prior import LEVELS, SIGMA, Prior, by_depth
from pellucid.make.runner import Runner
from pellucid.network import Network
from pellucid.target import observe

SCORES = "class"  # the network's own output, as a code
FEW = 5  # layers where none are named, the class scores besides


class Best:
    """An objective that keeps the best picture it has been asked about.

    Attributes:
        picture: None before any had a value.
        value: of it.
        asked: how often.
    """

    def __init__(self, objective: Callable[[Image], Values]) -> None:
        self.objective = objective
        self.picture: Image | None = None
        self.value = -float("inf")
        self.asked = 0

    def __call__(self, images: Image) -> Values:
        values = self.objective(images)
        value = float(values.detach()[0])
        self.asked += 1
        if value > self.value:  # false for what is no number
            self.value, self.picture = value, images.detach().clone()
        return values


class Inverting:
    """A picture under way to the code of a photo.

    Args:
        runner: of the code's layer.
        begin: (1, channels, height, width), normalised.

    Attributes:
        best: keeps the best picture so far.
        diverged: whether a step went too far; what was best before is kept.
    """

    def __init__(self, runner: Runner, code: Code, prior: Prior, begin: Image) -> None:
        net = self.net = runner.net
        self.runner, self.code = runner, code
        bound = (code + prior).bind(net)
        self.best = Best(lambda images: bound.value(View(net, images, runner(images))))
        self.sheet = PixelSheet(net, begin.clone())  # it is changed in place
        self.diverged = False

    def run(self, climb: Lbfgs | Climb, steps: int) -> Generator[Moment, None, None]:
        """Makes the steps; where one goes too far they end, and the best picture stays."""
        try:
            if isinstance(climb, Lbfgs):
                yield from climb.ascend(self.sheet, self.best, steps=steps)
            else:
                yield from ascend(self.sheet, self.best, steps=steps, climb=climb)
        except Diverged:
            self.diverged = True

    def picture(self) -> Float[Tensor, "channels height width"]:
        """The best so far, from 0 to 1, on the processor."""
        return self.net.preprocess.denormalise(self._shown())[0].clamp(0, 1).float().cpu()

    def error(self) -> float:
        """Of the code of the picture as it is shown, between black and white."""
        with torch.no_grad():
            return self.code.error(self.runner(self._shown())[self.code.layer])

    def _shown(self) -> Image:
        assert self.best.picture is not None
        black, white = self.sheet.black, self.sheet.white
        return self.best.picture.clamp(black.to(self.net.dtype), white.to(self.net.dtype))


def codes(net: Network, inputs: Image, layers: str | None) -> list[tuple[Row, Code]]:
    """The codes that are asked for, shallow first.

    Args:
        layers: names with "," or ";" between, "class" the network's output; "all" is every stage
            of the network; None a handful of them.

    Raises:
        Unknown: no such layer; the message shows the nearest.
        PellucidError: a named layer does not answer to the photo, or none does.
    """
    usual = layers is None or layers.strip() == "all"
    names = _usual(net, layers is None) if usual else _named(net, layers or "")
    order = [*(name for name in net.layers if name), ""]
    names = sorted(set(names), key=order.index)
    with torch.no_grad():
        outputs = observe(net, inputs, frozenset(names))
    found = []
    for name in names:
        depth = (order.index(name) + 1) / len(order)
        try:
            code = Code(name, outputs[name].detach())
        except PellucidError:
            if not usual:
                raise
            continue
        found.append((Row(name, name or _scores(net), depth, by_depth(depth)), code))
    if not found:
        raise PellucidError(f"{net.name}: no layer answers to this photo, so there is no code")
    return found


def varied(row: Row, variation: float | None) -> Row:
    """With another weight of the prior, where one is given."""
    return row if variation is None else replace(row, variation=variation)


def noise(net: Network, starts: int, seed: int) -> list[Image]:
    """What pictures begin with: grey noise as strong as photos are, the same for every code."""
    random = torch.Generator().manual_seed(seed)
    std = torch.tensor(net.preprocess.std).view(-1, 1, 1) * LEVELS
    shape = net.blank().shape
    return [SIGMA * torch.randn(shape, generator=random) / std for _ in range(starts)]


def psnr(
    picture: Float[Tensor, "channels height width"], photo: Float[Tensor, "channels height width"]
) -> float:
    """Peak signal-to-noise ratio of pictures from 0 to 1, dB; 120 where they are the same."""
    return float(-10 * (picture - photo).square().mean().clamp(min=1e-12).log10())


def _named(net: Network, text: str) -> list[str]:
    names = [part.strip() for part in text.replace(",", ";").split(";")]
    if not all(names):
        raise PellucidError(f"layers have one ',' or ';' between each two: {text!r}")
    return [
        "" if name == SCORES and name not in net.layers else net.layer(name).name for name in names
    ]


def _usual(net: Network, few: bool) -> Sequence[str]:
    try:
        found = stations(net)
    except PellucidError:
        found = [layer for layer in net.layers if layer]
    if few and len(found) > FEW:
        last = len(found) - 1
        found = [found[round(last * number / (FEW - 1))] for number in range(FEW)]
    return [*found, ""]


def _scores(net: Network) -> str:
    return "class scores" if len(net.layers[""].shape) == 1 else "the output"
