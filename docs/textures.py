"""Draws docs/pictures/textures.png and style-grid.png, for docs/textures.md.

`python docs/textures.py`: the bundled network, a few minutes. It prints the Gram errors of the
first, which the page tells.
"""

from pathlib import Path

import torch
from torch import Tensor

import pellucid as pl
from pellucid import tiles
from pellucid.pictures import png_bytes
from pellucid.writing import write_whole

PICTURES = Path(__file__).parent / "pictures"
SAMPLES = ("brick", "grass", "gravel", "coffee")
SIDE = 256  # px of a sample; what is made of it is SCALE times as large
SMALL = 96  # px of a sample that is searched pixel by pixel
SCALE = 5 / 3
BOX = 200
CONTENT, STYLE = "photo:cat", "photo:coffee"
STRENGTHS, SCALES = (0.2, 0.4, 0.6, 0.8), (0.5, 1.0, 2.0)


def sample(name: str) -> pl.Photo:
    """The middle of a photo."""
    pixels = pl.open_image(f"photo:{name}").floats()
    side = min(pixels.shape[1:])
    top, left = ((whole - side) // 2 for whole in pixels.shape[1:])
    square = pixels[:, top : top + side, left : left + side]
    # A quarter of a texture, so that its forms are large; all of a photo of things.
    part = square[:, : side // 2, : side // 2] if name != "coffee" else square
    return pl.open_image(tiles.resized(part, (SIDE, SIDE)))


def textures(net: pl.Network) -> None:
    """Each sample, and what three ways make of it."""
    rows, names = [], []
    for name in SAMPLES:
        given = sample(name)
        large, small = (round(SCALE * side) for side in (SIDE, SMALL))
        quilted = pl.quilt(net, given, size=str(large), piece=64)
        grown = pl.quilt(net, given, size=str(small), by="efros-leung", side=SMALL, piece=15)
        drawn = pl.texture(net, given, size=str(large))
        rows += [given.floats(), *(one.values.cpu() for one in (quilted, grown, drawn))]
        names += [f"{name}: the sample", "quilting", "Efros-Leung", "Gram matrices"]
        for one in (quilted, grown, drawn):
            print(f"{name}: {one.caption}", flush=True)
    page(rows, names, 4, "textures")


def grid(net: pl.Network) -> None:
    """A photo in a style, by strength and scale."""
    made = pl.style_transfer(
        net, CONTENT, STYLE, size=BOX,
        strengths=",".join(map(str, STRENGTHS)), scales=",".join(map(str, SCALES)),
    )  # fmt: skip
    names = [f"strength {a:g}, scale {b:g}" for b in SCALES for a in STRENGTHS]
    page(list(made.values.cpu()), names, len(STRENGTHS), "style-grid")


def page(pictures: list[Tensor], names: list[str], columns: int, name: str) -> None:
    """In rows, each in a box of its own."""
    boxes = [tiles.boxed(one.expand(3, -1, -1), (BOX, BOX)) for one in pictures]
    arranged = tiles.arranged(torch.stack(boxes), names, 48, columns)
    write_whole(PICTURES / f"{name}.png", png_bytes(arranged))


def main() -> None:
    """Both figures."""
    net = pl.load(device="cpu")
    for figure in (textures, grid):
        figure(net)


if __name__ == "__main__":
    main()
