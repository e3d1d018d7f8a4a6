"""Evidence: what a layer says place by place, and what each target would gain by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import prod

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.backward import backward, without_gradient
from pellucid.batches import Batches, fitting
from pellucid.errors import PellucidError
from pellucid.layers import Layer
from pellucid.network import Network
from pellucid.question import Question
from pellucid.record import recording
from pellucid.target import Target, split

# Layers that pass on what another one made, and weights from place to place: no evidence.
PASSING = ("pool", "dropout", "identity", "stochasticdepth", "droppath", "softmax")
# In the inputs of one pass: more is no faster, and takes memory.
MOST_NUMBERS = {"cpu": 2_500_000, "cuda": 20_000_000, "mps": 10_000_000}
FIRST = 4  # layers looked at in the first pass of the search; each further pass takes more


@dataclass(frozen=True)
class Evidence:
    """One layer, for every photo and target.

    Attributes:
        layer: its name.
        maps: its output, channel by channel.
        slopes: gradients of the targets with respect to it; zeros where none comes through.
    """

    layer: str
    maps: Float[Tensor, "photos channels height width"]
    slopes: Float[Tensor, "photos targets channels height width"]

    def reached(self) -> list[int]:
        """For each target the number of channels that its gradient reaches, in any photo."""
        touched = (self.slopes != 0).flatten(3).any(3).any(0)
        return [int(count) for count in touched.sum(1)]


def evidence(asked: Question, names: str | None, *, slopes: bool = True) -> list[Evidence]:
    """What the layers say that are asked for.

    Args:
        names: of one layer, or of several with ";" between them; None: the last layer with places
            that the gradients of all targets reach, each in more than one channel: of a
            convolutional network the output of its last stage, of a transformer the last norm
            whose patches still count. (A layer reached in one channel only is the target itself,
            place by place, such as the last convolution of SqueezeNet.)
        slopes: whether gradients are needed; of layers that are named no others are taken.

    Raises:
        Unknown: no such layer.
        PellucidError: a layer without places, one behind the target, or one that no gradient of it
            reaches.
    """
    if names is None:
        return [_last(asked, slopes)]
    layers = [_with_places(asked.net, name) for name in split(names, "layer")]
    found = gathered(asked, layers, slopes)
    for layer in layers:
        if layer.name not in found:
            target = asked.targets[0]
            raise PellucidError(_unreached(asked.net, layer, target))
        for target, gradient in zip(asked.targets, found[layer.name][1], strict=False):
            if gradient is None:
                raise PellucidError(_unreached(asked.net, layer, target))
            if _prefix_only(layer, gradient):
                raise PellucidError(
                    f"behind {layer.name!r} {target.name(0)} is read from the class token alone, "
                    f"the places no longer count: take a layer before the last attention, such as "
                    f"{_last(asked, slopes).layer!r}"
                )
    return [_laid_out(layer, *found[layer.name]) for layer in layers]


def _with_places(net: Network, name: str) -> Layer:
    layer = net.layer(name)
    if _placed(layer):
        return layer
    known = _candidates(net)
    raise PellucidError(
        f"layer {name!r} puts out {' x '.join(map(str, layer.shape))} numbers without places in "
        f"the photo: a class activation map needs a layer with places, such as {known[0].name!r}"
    )


def _placed(layer: Layer) -> bool:
    return bool(layer.layout.channels) and prod(layer.layout.grid) > 1


def _candidates(net: Network) -> list[Layer]:
    """Layers where evidence may be looked for, the last first.

    Of tokens only what a norm puts out: inside of attention the channels are keys and queries.
    """
    placed = [layer for layer in net.layers.values() if layer.name and _placed(layer)]
    if not placed:
        raise PellucidError(
            f"{net.name} has no layer with places in the photo: ask for saliency or occlusion"
        )
    usual = [
        layer
        for layer in placed
        if not any(word in layer.kind.lower() for word in PASSING)
        and (layer.layout.form == "map" or "norm" in layer.kind.lower())
    ]
    return (usual or placed)[::-1]


def _last(asked: Question, slopes: bool) -> Evidence:
    """The evidence of the layer that is taken where none is named.

    Raises:
        PellucidError: no layer with places, or none that a gradient comes to where `slopes` are
            needed: zeros in its place would say that nothing there counts.
    """
    layers = _candidates(asked.net)
    if not slopes and without_gradient(asked.net.module):
        for layer in layers:
            seen = gathered(asked, [layer], slopes=False)
            if seen:
                return _laid_out(layer, *seen[layer.name])
    # The last one reached by as many targets as any: a target may be of one channel in all of its
    # layers, or a score that nothing changes.
    most = 0
    chosen: Evidence | None = None
    touched: Evidence | None = None
    through = False
    start, size = 0, FIRST
    while start < len(layers) and most < len(asked.targets):
        seen = gathered(asked, layers[start : start + size])
        for layer in layers[start : start + size]:
            if layer.name not in seen:
                continue
            through |= any(gradient is not None for gradient in seen[layer.name][1])
            one = _laid_out(layer, *seen[layer.name])
            counts = one.reached()
            mixing = sum(count > 1 for count in counts)
            if mixing > most:
                most, chosen = mixing, one
            if touched is None or (not touched.slopes.any() and any(counts)):
                touched = one
        start, size = start + size, 4 * size
    found = chosen or touched
    if found is None:
        raise PellucidError(
            f"no layer with places comes before {asked.targets[0].name(0)}: ask for saliency"
        )
    if slopes and not through:
        raise PellucidError(
            f"no gradient of {asked.targets[0].name(0)} reaches any layer with places: the network "
            f"cuts gradients off (no_grad, detach, rounding, quantised); ask for occlusion, or "
            f"scorecam"
        )
    return found


Seen = tuple[Tensor, list[Tensor | None]]


def gathered(asked: Question, layers: Sequence[Layer], slopes: bool = True) -> dict[str, Seen]:
    """Outputs of those layers that a pass for the targets comes to, and gradients by target."""
    names = [layer.name for layer in layers]
    found: list[dict[str, Seen]] = []
    size = fitting(asked.inputs.device, asked.inputs[0].numel(), MOST_NUMBERS)
    work = Batches(range(len(asked.inputs)), size)
    for some in work:
        try:
            seen, values = _pass(asked, names, some, slopes)
            if work.mixed(some, values[:, 0], partial(_alone, asked, some[:1])):
                continue
        except Exception as error:
            work.again(some, error)
            continue
        found.append(seen)
    return found[0] if len(found) == 1 else {name: _joined(found, name) for name in found[0]}


def _pass(
    asked: Question, names: list[str], some: list[int], slopes: bool
) -> tuple[dict[str, Seen], Tensor]:
    """Of some of the photos, and the values: (targets, photos)."""
    with (
        torch.set_grad_enabled(slopes),
        recording(asked.net.module, names, stop=False, leaves=slopes) as seen,
    ):
        values = asked.values(asked.inputs[some], asked.rows()[some])
    there = [name for name in names if name in seen]
    outputs = [seen[name] for name in there]
    found = [_gradients(value, outputs) for value in values] if slopes else []
    return {
        name: (seen[name].detach(), [one[number] for one in found])
        for number, name in enumerate(there)
    }, values.detach()


def _alone(asked: Question, some: list[int]) -> Float[Tensor, "targets"]:
    with torch.no_grad():
        return asked.values(asked.inputs[some], asked.rows()[some])[:, 0]


def _joined(found: list[dict[str, Seen]], name: str) -> Seen:
    """A layer's output and gradients for all photos; None: for no photo a gradient comes there."""
    output = torch.cat([seen[name][0] for seen in found])
    gradients = []
    for ways in zip(*(seen[name][1] for seen in found), strict=True):
        outputs = [seen[name][0] for seen in found]
        filled = [
            torch.zeros_like(one) if way is None else way
            for way, one in zip(ways, outputs, strict=True)
        ]
        gradients.append(None if all(way is None for way in ways) else torch.cat(filled))
    return output, gradients


def _gradients(value: Float[Tensor, "photos"], outputs: list[Tensor]) -> list[Tensor | None]:
    if not value.requires_grad or not outputs:
        return [None for _ in outputs]
    with backward():
        found = torch.autograd.grad(value.sum(), outputs, retain_graph=True, allow_unused=True)
    for gradient in found:
        if gradient is not None and not bool(gradient.isfinite().all()):
            raise PellucidError(
                "the gradient is not finite: the network's values overflow or are NaN"
            )
    return list(found)


def _laid_out(layer: Layer, output: Tensor, gradients: list[Tensor | None]) -> Evidence:
    kind = torch.promote_types(output.dtype, torch.float32)
    maps = layer.layout.maps(output).to(kind)
    laid = [
        torch.zeros_like(maps) if one is None else layer.layout.maps(one).to(kind)
        for one in gradients
    ]
    slopes = torch.stack(laid, 1) if laid else maps.new_zeros(len(maps), 0, *maps.shape[1:])
    return Evidence(layer.name, maps, slopes)


def _prefix_only(layer: Layer, gradient: Tensor) -> bool:
    prefix = layer.layout.prefix
    return prefix > 0 and bool(gradient[:, :prefix].any()) and not bool(gradient[:, prefix:].any())


def _unreached(net: Network, layer: Layer, target: Target) -> str:
    name = target.name(0)
    order = list(net.layers)
    ends = [order.index(end) for end in target.layers if end]
    if "" not in target.layers and ends and order.index(layer.name) > max(ends):
        before = f"; ask for one before {max(target.layers, key=order.index)!r}"
        return f"layer {layer.name!r} comes after {name}, which cannot depend on it{before}"
    return (
        f"no gradient of {name} reaches layer {layer.name!r}: it lies beside the way to it, or the "
        f"network cuts gradients off (no_grad, detach, rounding, quantised)"
    )
