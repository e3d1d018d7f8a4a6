"""Receptive fields: published sizes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torchvision.models as zoo
from torch import nn

from calls import conv, image
from pellucid.box import Box
from pellucid.fields import fields


def mobilenet() -> nn.Sequential:
    """MobileNetV1 (Howard et al. 2017), convolutions only."""
    layers: list[nn.Module] = [conv(3, 4, 3, 2, 1)]
    for stride in [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]:
        layers += [conv(4, 4, 3, stride, 1, groups=4), nn.ReLU(), conv(4, 4, 1)]
    return nn.Sequential(*layers)


@pytest.mark.parametrize(
    ("network", "layer", "side", "size", "stride"),
    [
        (zoo.alexnet, "features", 224, 195, 32),
        (zoo.vgg16, "features", 64, 212, 32),
        (zoo.resnet50, "layer4", 64, 427, 32),  # v1.5 strides in the 3x3; v1 has 483
        (
            lambda: zoo.inception_v3(
                aux_logits=False, transform_input=False, init_weights=False, weights=None
            ),
            "Mixed_7c",
            299,
            1311,
            32,
        ),
        (mobilenet, "", 224, 315, 32),
    ],
)
def test_published_sizes(network: Any, layer: str, side: int, size: int, stride: int) -> None:
    """Araujo, Norris and Sim 2019, table of receptive fields."""
    field = fields(network(), torch.zeros(1, 3, side, side))[layer]
    assert field.size == (size, size)
    assert field.stride == (stride, stride)
    assert field.status == "exact"


def test_first_numbers_by_hand() -> None:
    seen = fields(nn.Sequential(conv(3, 2, 7, 2, 3), nn.MaxPool2d(3, 2, 1)), image(32, 48))
    assert seen["0"].size == (7, 7) and seen["0"].offset == (0.5, 0.5)
    assert seen["1"].size == (11, 11) and seen["1"].stride == (4, 4)
    assert seen["1"].grid == (8, 12) and seen["1"].vertical.start == -5
    assert seen["1"].vertical.span(3) == (7, 18)
    assert seen["1"].box(3, 0) == Box(7, 0, 18, 6)
    assert seen[""] == seen["1"]
    with pytest.raises(IndexError, match="8 rows and 12 columns"):
        seen["1"].box(8, 0)
    with pytest.raises(ValueError, match="1, C, H, W"):
        fields(conv(3, 2, 1), torch.zeros(3, 8, 8))
