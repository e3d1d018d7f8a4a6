"""Traits: what a layer says of pictures, a row of numbers for each, and a unit's value."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.images import Photo
from pellucid.make.objective import Bound, Image, View
from pellucid.make.runner import Runner
from pellucid.method import Step
from pellucid.network import Network
from pellucid.target import observe

BATCH = 16


def penultimate(net: Network) -> str:
    """The layer before the scores: the last one whose channels are not the classes."""
    scores = net.layers[""].layout.channels
    found = [
        known.name
        for known in net.layers.values()
        if known.leaf and known.name and known.layout.channels not in (0, scores)
    ]
    if not found:
        raise PellucidError(f"{net.name} has no layer before its scores: name one with layer=")
    return found[-1]


def looked_at(
    net: Network, bound: Bound, layer: str, photos: Sequence[Photo], total: int
) -> Generator[Step, None, tuple[Float[Tensor, "photos"], Float[Tensor, "photos channels"]]]:
    """Of each photo the unit's value and the layer's features, from one pass."""
    values, features = [], []
    for number, at in enumerate(range(0, len(photos), BATCH), start=1):
        inputs = torch.cat([net.prepare(photo)[0] for photo in photos[at : at + BATCH]])
        with torch.no_grad():
            seen = observe(net, inputs, bound.layers | {layer})
            values.append(bound.value(View(net, inputs, seen)).float().cpu())
            features.append(_pooled(net, layer, seen[layer]))
        yield Step(number, total, f"looking at photo {at + len(inputs)} of {len(photos)}")
    found = torch.cat(values), torch.cat(features)
    if not all(bool(numbers.isfinite().all()) for numbers in found):
        raise PellucidError("the network's values overflow or are NaN on some of the photos")
    return found


def described(
    net: Network, layer: str, images: Image, size: tuple[int, int]
) -> Float[Tensor, "batch features"]:
    """What a layer says of pictures of any size: its channels, each a mean over its places."""
    with torch.no_grad():
        output = Runner(net, frozenset({layer}), size, copied=False)(images)[layer]
        return _pooled(net, layer, output)


def _pooled(net: Network, layer: str, output: Tensor) -> Float[Tensor, "batch features"]:
    return net.layers[layer].layout.maps(output).flatten(2).mean(2).float().cpu()
