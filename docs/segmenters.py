"""Draws docs/pictures/segmenters.png, for docs/segmentation-networks.md.

`python docs/segmenters.py`: the network that the tests train in a few seconds, about a minute. It
prints the captions, and how much of each map lies on its shape.
"""

import sys
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import pellucid as pl  # noqa: E402
import segmenter  # noqa: E402
from pellucid import tiles  # noqa: E402
from pellucid.pictures import png_bytes  # noqa: E402
from pellucid.writing import write_whole  # noqa: E402

SIDE = 192  # px of a cell
SEED = 21  # of the photos
MANY = 24  # photos that the shares are the mean of
NEAR = 9  # px, the window that widens a shape
WAYS = {
    "saliency": lambda net, photo, name: pl.saliency(net, photo, target=name, smooth=16),
    "lrp": lambda net, photo, name: pl.lrp(net, photo, target=name),
    "occlusion": lambda net, photo, name: pl.occlusion(net, photo, target=name, window=8, stride=2),
    "cam, layercam": lambda net, photo, name: pl.cam(net, photo, target=name, way="layercam"),
    "cam, gradcam": lambda net, photo, name: pl.cam(net, photo, target=name),
}


def page(net: pl.Network, some: segmenter.Scenes) -> Tensor:
    """One photo: what the network answers, then a row of maps for each of its two shapes."""
    row = 0
    photo = pl.open_image(tiles.enlarged(some.photo(row), SIDE))
    answer = pl.predict(net, photo)
    print(answer.caption)
    shapes = [name for name in answer.names if name != "background"][:2]
    cells, names = [], []
    for at, shape in enumerate(shapes):
        cells.append(photo.floats() if at == 0 else answer.over())
        names.append("the photo" if at == 0 else "predict")
        for way, draw in WAYS.items():
            found = draw(net, photo, shape)
            print(f"{way}: {found.caption}")
            cells.append(found.over().values)
            names.append(f"{way}: {shape}")
    return tiles.arranged(torch.stack(cells), names, SIDE, 1 + len(WAYS))


def shares(net: pl.Network) -> None:
    """How much of each map lies on the shape that is asked about, and how large that is."""
    some = segmenter.scenes(MANY, torch.Generator().manual_seed(SEED + 1))
    for way, draw in WAYS.items():
        found, sizes = [], []
        for row in range(MANY):
            for number in some.answers[row].unique().tolist()[1:]:
                there = (some.answers[row] == number).float()[None, None]
                there = F.max_pool2d(there, NEAR, 1, NEAR // 2)[0, 0]
                drawn = draw(net, pl.open_image(some.photo(row)), segmenter.NAMES[number])
                strong = drawn.values if drawn.clean is None else drawn.clean - drawn.values
                strong = F.interpolate(strong.clamp(min=0)[None, None], there.shape)[0, 0]
                found.append(float((strong * there).sum() / strong.sum()))
                sizes.append(float(there.mean()))
        share, size = (sum(one) / len(one) for one in (found, sizes))
        print(f"{way}: {share:.0%} on the shape, which is {size:.0%} of the photo")


if __name__ == "__main__":
    net = segmenter.network()
    some = segmenter.scenes(2, torch.Generator().manual_seed(SEED))
    write_whole(ROOT / "docs/pictures/segmenters.png", png_bytes(page(net, some)))
    shares(net)
