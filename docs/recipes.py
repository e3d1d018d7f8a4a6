"""Draws the same classes by every recipe, for docs/recipes.md: docs/pictures/recipes.webp.

`python docs/recipes.py` takes the bundled network. `python docs/recipes.py WEIGHTS LABELS` takes a
SqueezeNet 1.1 of the same classes, and writes docs/pictures/recipes-squeezenet.png.
"""

import sys
from pathlib import Path

import torch

import pellucid as pl
from pellucid import tiles
from pellucid.make.draw import Drawing
from pellucid.make.manner import MANNERS
from pellucid.make.objective import each
from pellucid.pictures import webp_bytes
from pellucid.writing import write_whole

PICTURES = Path(__file__).parent / "pictures"
CLASSES = ("sunflower", "Motorbikes", "kangaroo", "pizza", "elephant", "crocodile")
ROWS = (*MANNERS, "crop - others")
SIDE, QUALITY = 150, 90  # px of a picture on the page; of the file


def row(net: pl.Network, name: str) -> torch.Tensor:
    """All classes by one recipe."""
    recipe, _, less = name.partition(" - ")
    scores = [pl.class_score(one) for one in CLASSES]
    rivals = [0.5 * pl.others(one) for one in CLASSES]
    wanted = [a - b for a, b in zip(scores, rivals, strict=True)] if less else scores
    with net.at_rest():
        work = Drawing(net, each(wanted).bind(net), MANNERS[recipe], count=len(wanted))
        for step in work.run(name):
            print(f"\r{name}: {step.done} of {step.total}   ", end="", flush=True)
    print()
    return torch.stack([tiles.boxed(one, (SIDE, SIDE)) for one in work.sheet.pictures()])


def main() -> None:
    """One figure."""
    if len(sys.argv) > 2:
        weights, labels = sys.argv[1:3]
        net, name = pl.load("squeezenet1_1", weights=weights, labels=labels), "recipes-squeezenet"
    else:
        net, name = pl.load(device="cpu"), "recipes"
    pictures = torch.cat([row(net, one) for one in ROWS])
    names = [f"{recipe}: {one}" for recipe in ROWS for one in CLASSES]
    page = tiles.arranged(pictures, names, 48, len(CLASSES))
    write_whole(PICTURES / f"{name}.webp", webp_bytes(page, QUALITY))


if __name__ == "__main__":
    main()
