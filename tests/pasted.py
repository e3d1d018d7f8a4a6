"""A photo pasted from two objects: the evidence for each must lie on its own half.

For every method that gives a Heatmap:

    net, photo = pasted(bundled, "photo:motorcycle", "photo:cat")
    own = share(pl.cam(net, photo, target="Motorbikes"), "left")  # 0.5: it does not know
"""

from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

import pellucid as pl

Side = Literal["left", "right"]
STOCK = [
    ("photo:motorcycle", "photo:cat", ["Motorbikes", "cougar_face"]),
    ("photo:cat", "photo:motorcycle", ["cougar_face", "Motorbikes"]),
    ("photo:motorcycle", "photo:rocket", ["Motorbikes", "ketch"]),
]
# Photos that the bundled network has learned with; not in a fresh clone.
CALTECH = Path(__file__).parents[2] / "shared/data/caltech101/101_ObjectCategories"
PAIRS = [
    ("chandelier/image_0012.jpg", "barrel/image_0045.jpg"),
    ("binocular/image_0018.jpg", "menorah/image_0054.jpg"),
    ("headphone/image_0042.jpg", "brain/image_0076.jpg"),
    ("Faces_easy/image_0375.jpg", "trilobite/image_0043.jpg"),
    ("watch/image_0179.jpg", "kangaroo/image_0010.jpg"),
    ("butterfly/image_0082.jpg", "stegosaurus/image_0024.jpg"),
    ("pagoda/image_0002.jpg", "flamingo/image_0013.jpg"),
    ("scorpion/image_0029.jpg", "Leopards/image_0016.jpg"),
]


def pasted(net: pl.Network, left: Any, right: Any) -> tuple[pl.Network, pl.Photo]:
    """Two photos side by side, each as the network takes it alone, and the network for both.

    The network must take inputs twice as wide as it was made for.
    """
    known = net.preprocess
    height, width = known.size
    halves = [known.crop(pl.open_image(one))[0] for one in (left, right)]
    wide = pl.Network(
        net.module, size=(height, 2 * width), mean=known.mean, std=known.std, labels=net.labels
    )
    return wide, pl.open_image(torch.cat(halves, 2))


def strength(found: pl.Heatmap) -> Tensor:
    """How much each place counts, zero for the least, however the map tells it.

    Of signed maps the size; of maps whose low numbers count (occlusion) what lacks to the
    clean photo's.
    """
    values = found.values.float()
    if found.clean is not None:
        return (found.clean - values).relu()
    if found.scale == "signed":
        return values.abs()
    return values.relu() if found.scale == "positive" else values - values.min()


def share(found: pl.Heatmap, side: Side) -> float:
    """The share of a map's mass on one half; NaN of a map that is zero everywhere."""
    mass = strength(found).sum(0)
    # A column in the middle counts for both halves.
    inside = (torch.arange(len(mass)) * 2 + 1).sub(len(mass)).sign().add(1) / 2
    right = float((mass * inside).sum() / mass.sum())
    return right if side == "right" else 1 - right
