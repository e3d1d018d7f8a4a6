"""Filters are the weights, whatever the convolution."""

import pytest
import torch
from torch import nn

import pellucid as pl


def network(*parts: nn.Module, channels: int = 3, size: int = 16) -> pl.Network:
    torch.manual_seed(0)
    return pl.Network(nn.Sequential(*parts), size=size, mean=[0.5] * channels, std=[0.5] * channels)


def test_on_the_photo_they_are_colour_pictures() -> None:
    net = network(nn.Conv2d(3, 7, (5, 3)))
    found = pl.filters(net)
    assert torch.equal(found.values, net.module[0].weight)
    assert found.names == tuple("0123456")
    assert found.caption == "7 filters of 0, 5 x 3 px, on the photo itself"


def test_on_grey_photos() -> None:
    net = network(nn.Conv2d(1, 4, 3), channels=1)
    assert torch.equal(pl.filters(net).values, net.module[0].weight)


def test_on_maps_each_has_a_row_of_tiles() -> None:
    net = network(nn.Conv2d(3, 3, 3), nn.Conv2d(3, 6, 3))
    found = pl.filters(net, "1", most=4)
    weight = net.module[1].weight
    assert found.values.shape == (12, 1, 3, 3) and found.columns == 3
    for filter in range(4):
        for channel in range(3):
            assert torch.equal(found.values[filter * 3 + channel, 0], weight[filter, channel])
    assert "4 of 6 filters of 1" in found.caption


@pytest.mark.parametrize(("groups", "each"), [(2, 4), (8, 1)])
def test_grouped_and_depthwise(groups: int, each: int) -> None:
    net = network(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 16, 3, groups=groups))
    found = pl.filters(net, "1")
    assert torch.equal(found.values.reshape(16, each, 3, 3), net.module[1].weight)
    height, width = found.image().shape[1:]
    assert height < 5 * width  # a depthwise one is no single column


def test_shades_are_joint_or_each_its_own() -> None:
    net = network(nn.Conv2d(1, 2, 1, bias=False), channels=1)
    with torch.no_grad():
        net.module[0].weight.copy_(torch.tensor([1.0, 4.0]).view(2, 1, 1, 1))
    own, joint = (pl.filters(net, joint=joint).image() for joint in (False, True))
    assert float(own[0, 20, 20]) == float(own[0, 20, 72]) == 1
    assert float(joint[0, 20, 20]) == 0.625 and float(joint[0, 20, 72]) == 1


def test_the_patch_embedding_of_a_transformer() -> None:
    net = pl.load("vit_b_16", weights="random", device="cpu")
    found = pl.filters(net, most=10)
    assert torch.equal(found.values, net.module.conv_proj.weight[:10])
    assert len(pl.filters.examples(net)) == 1


def test_a_layer_that_is_no_convolution() -> None:
    net = network(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))
    with pytest.raises(pl.PellucidError, match=r"no convolution '1'; there is 0, 2 \(1 is ReLU\)"):
        pl.filters(net, "1")
    with pytest.raises(pl.Unknown, match="no layer '7'"):
        pl.filters(net, "7")
    bare = network(nn.Flatten(), nn.Linear(768, 2))
    with pytest.raises(pl.PellucidError, match="has no convolution"):
        pl.filters(bare)


def test_single_weights_are_seen_beside_each_other() -> None:
    net = network(nn.Conv2d(3, 3, 3), nn.Conv2d(3, 6, 1))
    nn.init.uniform_(net.module[1].weight)
    shades = pl.filters(net, "1").image()[0].unique()
    assert len(shades) > 12
