"""Score-CAM against its formula, and what it leaves out."""

from math import exp

import pytest
import torch
from test_cam import LAYER, network, numbers
from torch.nn import functional as F

import pellucid as pl
from scarce import scarce


@pytest.mark.parametrize("rectified", [True, False])
def test_scorecam_is_its_formula(rectified: bool, cat: pl.Photo) -> None:
    net = network(rectified=rectified)
    inputs = net.prepare(cat)[0]
    maps, _ = numbers(net, cat, 1)
    scores = {}
    for k, one in enumerate(maps):
        large = F.interpolate(one[None, None], (6, 7), mode="bilinear", align_corners=False)[0, 0]
        if float(one.min()) == float(one.max()):
            continue
        mask = (large - large.min()) / (large.max() - large.min())
        scores[k] = float(net.module(inputs * mask)[0, 1].detach())
    wanted = torch.zeros(4, 5, dtype=torch.double)
    for k, score in scores.items():
        wanted += exp(score) / sum(map(exp, scores.values())) * maps[k]
    found = pl.cam(net, cat, target=1, layer=LAYER, way="scorecam").values
    torch.testing.assert_close(found, wanted.relu().float())


def test_scorecam_leaves_out_what_marks_nothing(cat: pl.Photo) -> None:
    net = network()
    plain = pl.cam(net, cat, target=1, layer=LAYER, way="scorecam").values
    assert len(list(pl.cam.steps(net, cat, layer=LAYER, way="scorecam"))) == 1
    with torch.no_grad():
        net.module[2].weight[0], net.module[2].bias[0] = 0, 5  # the same at every place
        net.module[4].weight[:, 0] = 0
    rest = pl.cam(net, cat, target=1, layer=LAYER, way="scorecam").values
    assert bool(plain.any()) and bool(rest.isfinite().all())
    assert pl.cam.steps(net, cat, layer=LAYER, way="scorecam").__next__().total <= 3


def test_memory_that_runs_out_halves_the_batch(
    tiny: pl.Network, cat: pl.Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = {"target": "bee", "layer": "block.relu", "way": "scorecam"}
    wanted = pl.cam(tiny, cat, **arguments)
    sizes = scarce(tiny, 2, monkeypatch)
    found = pl.cam(tiny, cat, **arguments)
    assert max(sizes) > 2 and sizes[-1] <= 2
    torch.testing.assert_close(found.values, wanted.values)


def test_scorecam_says_where_the_class_depends_on_nothing(cat: pl.Photo) -> None:
    net = network()
    before = pl.cam(net, cat, target=1, layer=LAYER, way="scorecam")
    assert "weigh the same" not in before.caption
    with torch.no_grad():
        net.module[8].weight[1] = 0
    found = pl.cam(net, (cat,), target="class:1; class:0", layer=LAYER, way="scorecam")
    told = "; all channels weigh the same, the map is only their mean"
    assert found[0, 0].caption.endswith(told) and not found[0, 1].caption.endswith(told)
