"""Eigen-CAM against a slow twin, where the answer is known, and which end is up."""

import pytest
import torch
from test_cam import LAYER, network, numbers
from torch import Tensor, nn

import pellucid as pl
from pellucid.explain.eigencam import eigencam


def twin(maps: Tensor) -> Tensor:
    """Power iteration on the covariance of the channels; more active places are up."""
    channels = maps.shape[0]
    points = [
        maps[:, row, column] for row in range(maps.shape[1]) for column in range(maps.shape[2])
    ]
    middle = sum(points) / len(points)
    covariance = sum(torch.outer(point - middle, point - middle) for point in points)
    line = torch.linspace(1, 2, channels).to(maps)
    for _ in range(3000):
        line = covariance @ line
        line = line / line.norm()
    along = torch.stack([line @ (point - middle) for point in points])
    active = torch.stack([point.abs().sum() for point in points])
    if float(((along - along.mean()) * (active - active.mean())).sum()) < 0:
        along = -along
    return along.relu().reshape(maps.shape[1:])


@pytest.mark.parametrize("rectified", [True, False])
def test_eigencam_is_its_formula(rectified: bool, cat: pl.Photo) -> None:
    net = network(rectified=rectified)
    wanted = twin(numbers(net, cat, 0)[0]).float()
    found = pl.cam(net, cat, layer=LAYER, way="eigencam")
    assert float(wanted.max()) > 1e-2
    torch.testing.assert_close(found.values, wanted, rtol=1e-4, atol=1e-6)


def test_it_draws_the_object_that_all_channels_answer_to_whatever_their_sign() -> None:
    torch.manual_seed(0)
    spot = torch.zeros(6, 7)
    spot[1:3, 4:6] = 1
    for size in (1.0, -1.0):
        maps = size * torch.rand(8)[:, None, None] * spot + 1e-3 * torch.randn(8, 6, 7)
        drawn, shares = eigencam(maps[None])
        assert torch.equal(drawn[0] > 0.5 * drawn[0].max(), spot > 0) and float(shares) > 0.99


def test_the_same_for_every_class_and_it_says_so(bundled: pl.Network, cat: pl.Photo) -> None:
    both = pl.cam(bundled, cat, target=["cougar_face", "Motorbikes"], way="eigencam")
    assert torch.equal(both[0, 0].values, both[0, 1].values)
    assert "class:" not in both[0, 0].caption and both[0, 0].caption.endswith("for any class")
    layers = pl.cam(bundled, cat, layer="relu5; relu7", way="eigencam").caption
    assert "at relu5 and relu7, 14 x 14 places; the first principal component, " in layers
    assert layers.count("%") == 2


def test_places_that_are_all_alike_have_no_component(cat: pl.Photo) -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    nn.init.zeros_(module[0].weight)
    found = pl.cam(pl.Network(module, size=8), cat, layer="0", way="eigencam")
    assert not found.values.any()
    assert found.caption.endswith(": zero everywhere, all places are alike")
