"""Figure: a result made ready for a page that has everything inside itself."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from math import ceil

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.heatmap import Heatmap, Mapped
from pellucid.images import Photo
from pellucid.pictures import jpeg_address, png_bytes
from pellucid.results import Grid, Picture, Ranking, Result

# From fine to coarse: JPEG quality and longer side in px, until the picture fits its share.
LADDER = ((90, 1100), (86, 900), (82, 720), (76, 560), (70, 420), (60, 320))
GRID_WIDTH = 900  # px: a grid is drawn about as wide as the page shows it, so that tiles stay crisp
STRIP = 2.2  # a grid so many times as wide as tall needs the whole width of the page


@dataclass(frozen=True)
class Shot:
    """One image of a figure.

    Attributes:
        address: the picture itself, as a `data:` address.
        alt: what it is, for those who cannot see it.
        width, height: px, for the page to keep the place free.
        pixels: whether pixels are to stay sharp squares when enlarged.
    """

    address: str
    alt: str
    width: int
    height: int
    pixels: bool = False


@dataclass(frozen=True)
class Figure:
    """One result on the page.

    Attributes:
        name: of its file in `pictures/`, without ".png".
        kind: "ranking", "pair", "grid", "strip" or "picture": how it is laid out.
        shots: its images, from left to right.
        bars: name and share of each class of a ranking.
    """

    name: str
    kind: str
    caption: str
    command: str
    shots: tuple[Shot, ...]
    bars: tuple[tuple[str, float], ...] = ()


def figure(result: Result, name: str, command: str, most: int) -> Figure:
    """A result as a figure of at most about `most` bytes."""
    caption = result.caption
    bars: tuple[tuple[str, float], ...] = ()
    shots: tuple[Shot, ...]
    if isinstance(result, Ranking) and result.measure != "area":
        kind = "ranking"
        shots = (photo_shot(result.photo, most),)
        if result.measure == "probability":
            bars = tuple(zip(result.names, result.values.tolist(), strict=True))
    elif isinstance(result, Heatmap):
        kind, half = "pair", most // 2
        shots = (
            photo_shot(result.photo, half),
            _shot(result.over().image(), f"{caption}, over the photo", half, exact=False),
        )
    elif isinstance(result, Mapped):
        kind, shots = "strip", (_shot(result.over().image(), caption, most, exact=False),)
    elif isinstance(result, Picture):
        kind, image = "picture", result.values.detach().cpu().float().expand(3, -1, -1)
        shots = (_shot(image, caption, most),)
    elif isinstance(result, Grid):
        image = _crisp(result)
        kind = "strip" if image.shape[2] > STRIP * image.shape[1] else "grid"
        shots = (_shot(image, caption, most),)
    else:
        kind, shots = "grid", (_shot(result.image(), caption, most),)
    return Figure(name, kind, caption, command, shots, bars)


def original(result: Result) -> Result:
    """What is saved beside the page: as the page shows it, with its recipe."""
    return result.over() if isinstance(result, Mapped) else result


def photo_shot(photo: Photo, most: int) -> Shot:
    """A photo."""
    return _shot(photo.floats(), photo.source or "photo", most, exact=False)


def input_shot(image: Float[Tensor, "channels height width"], alt: str) -> Shot:
    """What a network is given, pixel for pixel."""
    return _shot(image.expand(3, -1, -1), alt, 120_000, pixels=max(image.shape[1:]) < 160)


def _shot(
    image: Float[Tensor, "3 height width"],
    alt: str,
    most: int,
    *,
    exact: bool = True,
    pixels: bool = False,
) -> Shot:
    height, width = image.shape[1:]
    if exact:
        png = png_bytes(image)
        if len(png) * 4 // 3 <= most:
            address = "data:image/png;base64," + base64.b64encode(png).decode()
            return Shot(address, alt, width, height, pixels)
    for quality, longer in LADDER:
        small = _within(image, longer)
        address = jpeg_address(small, quality)
        if len(address) <= most:
            break
    return Shot(address, alt, small.shape[2], small.shape[1])


def _within(image: Float[Tensor, "3 height width"], longer: int) -> Float[Tensor, "3 h w"]:
    height, width = image.shape[1:]
    if max(height, width) <= longer:
        return image
    scale = longer / max(height, width)
    size = max(1, round(height * scale)), max(1, round(width * scale))
    small = F.interpolate(image[None], size, mode="bilinear", antialias=True, align_corners=False)
    return small[0].clamp(0, 1)


def _crisp(grid: Grid) -> Float[Tensor, "3 height width"]:
    image = grid.image()
    factor = ceil(GRID_WIDTH / image.shape[2] - 0.25)
    if factor <= 1:
        return image
    return replace(grid, tile=grid.tile * factor).image()
