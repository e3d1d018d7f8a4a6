"""The gallery's pictures of the atlas and of the pointing game, on the same three photos.

The atlas is the tour's: the installed photos, cut into crops. `docs/generate.py` calls `draw` where
a picture is missing or of other weights.
"""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import torch
from docs import gallery

import pellucid as pl
from pellucid.app.schedule import Timetable
from pellucid.app.tour_atlas import FOLDER, Corner
from pellucid.atlas.patches import patches_of
from pellucid.images import open_image
from pellucid.pictures import webp_bytes
from pellucid.progress import finished
from pellucid.recipe import Recipe
from pellucid.replay import read
from pellucid.tiles import resized
from pellucid.writing import write_whole

CHANNELS = (53, 28, 101)  # of relu4, one picture each
# Drawn by hand around the object: top, left, bottom, right, in the photo's pixels.
BOXES = {
    "photo:motorcycle": (130, 95, 420, 660),
    "photo:cat": (0, 90, 300, 330),
    "photo:rocket": (165, 285, 375, 345),
}
MARK, BOX = (0.1, 0.9, 1.0), (1.0, 1.0, 1.0)
NAMES = ("neighbours", "map", "wall", "patches", "pointing")


def fits(net: pl.Network) -> bool:
    """Whether all pictures are there and of these weights."""
    found = [picture for name in NAMES for picture in gallery.pictures(name)]
    return {one.stem.rpartition("-")[0] for one in found} == set(NAMES) and all(
        read(one).network["weights_hash"] == net.weights_hash for one in found
    )


def draw(net: pl.Network) -> Iterable[Path]:
    """Draws all of them; gives their paths."""
    yield from pointing(net)
    with tempfile.TemporaryDirectory() as folder:
        corner = Corner.of(net, Path(folder), quick=False, lang="en")
        for _ in corner.work(Timetable(3600)):
            pass
        made = Path(folder) / FOLDER
        atlas = pl.Atlas.open(made / "crops.atlas", net)
        for number, photo in enumerate(gallery.PHOTOS, start=1):
            found = atlas.neighbours(photo, count=5)
            yield kept("neighbours", number, found.image(), known("atlas neighbours", net))
        for number, channel in enumerate(CHANNELS, start=1):
            best = finished(patches_of(atlas, "relu4", [channel], keep=6))
            yield kept("patches", number, best.image(), known("atlas patches", net))
        for name in ("map", "wall"):
            image = open_image(made / f"{name}.png").floats()
            if name == "map":  # without its legend, too small to be read here
                image = image[:, image.shape[1] // 20 :, : image.shape[2] * 5 // 6]
            yield kept(name, 1, image, known(f"atlas {name}", net))


def known(command: str, net: pl.Network) -> Recipe:
    """What is said in a picture of the atlas: the command and the weights."""
    return Recipe(command, {}, {"name": net.name, "weights_hash": net.weights_hash})


def pointing(net: pl.Network) -> Iterable[Path]:
    """A class activation map with the object's box and the place it points at."""
    for number, photo in enumerate(gallery.PHOTOS, start=1):
        found = pl.cam(net, photo)
        where = pl.pointing(found, BOXES[photo])
        image = found.over().image().clone()
        top, left, bottom, right = BOXES[photo]
        for rows, columns in (
            (slice(top, top + 3), slice(left, right)),
            (slice(max(0, bottom - 3), bottom), slice(left, right)),
            (slice(top, bottom), slice(left, left + 3)),
            (slice(top, bottom), slice(right - 3, right)),
        ):
            image[:, rows, columns] = torch.tensor(BOX).view(3, 1, 1)
        if where.row is not None and where.column is not None:
            down = torch.arange(image.shape[1]).view(-1, 1) - where.row
            across = torch.arange(image.shape[2]).view(1, -1) - where.column
            dot = down**2 + across**2 < 12**2
            image[:, dot] = torch.tensor(MARK).view(3, 1)
        yield kept("pointing", number, image, found.recipe)


def kept(name: str, number: int, image: torch.Tensor, recipe: Recipe) -> Path:
    """Writes one picture, small."""
    height, width = image.shape[1:]
    scale = min(1.0, 480 / height, 960 / width)
    size = max(1, round(height * scale)), max(1, round(width * scale))
    target = gallery.path(name, number)
    write_whole(target, webp_bytes(resized(image, size), gallery.QUALITY, recipe.json()))
    return target
