"""Occlusion by parts equals the plain way on every family of networks in torchvision."""

import pytest
from incremental import compared, family, photo, spots

# The name, and what is said of the way: how far rectangles go, or why they do not.
PARTS = {
    "alexnet": "",
    "vgg11_bn": "",
    "resnet18": "",
    "resnext50_32x4d": "",
    "squeezenet1_1": "",
    "densenet121": "",
    "googlenet": "",
    "inception_v3": "",
    "mobilenet_v2": "",
    "mnasnet0_5": "",
    "shufflenet_v2_x0_5": "",
    "regnet_x_400mf": "",
    "mobilenet_v3_small": "squeeze-and-excitation at features.1",
    "efficientnet_b0": "squeeze-and-excitation at features.1.0",
    "regnet_y_400mf": "squeeze-and-excitation at trunk_output.block1",
}


@pytest.mark.parametrize("name", PARTS)
def test_parts_are_the_whole(name: str) -> None:
    module = family(name)
    side = 96
    size = side, side
    asked = compared(lambda x: module(x)[:, :9], module, photo(3, size), spots(size, 13, 40))
    assert asked.way.startswith("rectangles in "), asked.way
    assert PARTS[name] in asked.way
    assert ("whole from" in asked.way) == bool(PARTS[name])
