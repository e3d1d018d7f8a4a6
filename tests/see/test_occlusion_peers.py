"""Occlusion against Captum's: the same masks, the same fall of the score at every pixel."""

import pytest
import torch
from captum.attr import Occlusion
from incremental import family

import pellucid as pl

NETWORKS = ("resnet18", "vgg11_bn", "densenet121", "mobilenet_v2", "squeezenet1_1")
SIDE, WINDOW, STRIDE = 72, 24, 12


@pytest.mark.parametrize("name", [*NETWORKS, "bundled"])
def test_is_captums(name: str, bundled: pl.Network, cat: pl.Photo) -> None:
    """Captum's masks start at the corner, ours are centred: with half a mask of rim they meet.

    Its map is the mean fall over the masks on each pixel. It moves masks that would hang out, so
    the input is a whole number of strides; and it knows none that are cut off, which are ours of
    the rim: they are made by hand, of the photo with a rim of the cover.
    """
    net = bundled if name == "bundled" else pl.Network(family(name), size=SIDE)
    side = net.preprocess.size[0]
    window = side // 7 * 2 if name == "bundled" else WINDOW
    stride = window // 2
    target = int(net.best(net.prepare(cat)[0]).channel)
    ours = pl.occlusion(
        net, cat, target=target, measure="score", fill="zero", window=window, stride=stride
    )
    assert "rectangles in" in ours.caption
    rim = window // 4  # half of what a centred mask stands over its cell, on either side
    inputs, _ = net.prepare(cat)
    padded = torch.nn.functional.pad(inputs, (rim,) * 4)

    def inside(some: torch.Tensor) -> torch.Tensor:
        return net.scores(some[:, :, rim:-rim, rim:-rim])

    with net.at_rest(), torch.no_grad():
        clean = float(net.scores(inputs)[0, target])
        theirs = Occlusion(inside).attribute(
            padded,
            sliding_window_shapes=(inputs.shape[1], window, window),
            strides=(inputs.shape[1], stride, stride),
            target=target,
            perturbations_per_eval=8,
        )[0, 0, rim:-rim, rim:-rim]
    mine = pl.occlusion(
        net, cat, target=target, measure="score", fill="zero", window=window, stride=stride,
        per="pixel",
    )  # fmt: skip
    assert mine.values.shape == theirs.shape == (side, side)
    fall = clean - mine.values
    scale = float(ours.values.abs().max())
    torch.testing.assert_close(fall, theirs, rtol=1e-4, atol=1e-4 * scale)
    assert float(theirs.std()) > 1e-3 * scale
