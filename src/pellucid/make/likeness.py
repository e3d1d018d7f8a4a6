"""Likeness: how alike two textures are for a network, whatever lies where in them."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.images import open_image
from pellucid.make.gram import gram
from pellucid.network import Network
from pellucid.target import observe

LAYERS = 4


def gram_error(
    net: Network,
    made: Float[Tensor, "3 height width"],
    sample: Float[Tensor, "3 tall wide"],
) -> float | None:
    """Squared distance of their Gram matrices over the sample's own square, mean over some layers.

    Of both the middle is looked at, as large as it is in the smaller one: so that the network sees
    them at one scale.

    Returns:
        None where the network has no layers with places.
    """
    try:
        layers = list({layer.name: layer for layer in net.spread(LAYERS)}.values())
    except PellucidError:
        return None
    sides = [min(pair) for pair in zip(made.shape[1:], sample.shape[1:], strict=True)]
    inputs = [net.prepare(open_image(_middle(one, sides)))[0] for one in (made, sample)]
    with torch.no_grad():
        outputs = observe(net, torch.cat(inputs), frozenset(layer.name for layer in layers))
    away = []
    for layer in layers:
        ours, theirs = gram(layer.layout.maps(outputs[layer.name]).float())
        away.append(float((ours - theirs).square().sum() / theirs.square().sum().clamp(min=1e-24)))
    return sum(away) / len(away)


def _middle(picture: Float[Tensor, "3 height width"], sides: list[int]) -> Float[Tensor, "3 h w"]:
    top, left = ((whole - part) // 2 for whole, part in zip(picture.shape[1:], sides, strict=True))
    return picture[:, top : top + sides[0], left : left + sides[1]].clamp(0, 1)
