"""Ink: letters and lines on pictures, as Pillow draws them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from pellucid.pictures import to_pillow


def lettered(
    image: Float[Tensor, "3 height width"],
    text: str,
    top: float,
    left: float,
    size: float = 12,
    colour: tuple[float, float, float] = (0, 0, 0),
    anchor: str = "la",
) -> Float[Tensor, "3 height width"]:
    """A copy of a picture with a line of text on it; `anchor` is Pillow's (la = left, ascender)."""
    picture = to_pillow(image)
    ink = tuple(round(255 * part) for part in colour)
    ImageDraw.Draw(picture).text((left, top), text, fill=ink, font=_font(size), anchor=anchor)
    return torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1).float() / 255


def inked(
    image: Float[Tensor, "3 height width"],
    points: Sequence[tuple[float, float]],
    colour: tuple[float, float, float],
    width: float = 0.0,
    opacity: float = 1.0,
) -> Float[Tensor, "3 height width"]:
    """A copy of a picture with a line through some points, or with the area inside of them.

    Args:
        points: across and down, in pixels from the upper left corner.
        width: of the line in pixels, its ends and corners round; 0 fills the area.
    """
    fine = 4  # times finer than the picture, then averaged: edges without steps
    page, reach = image.clone(), width / 2
    # Only around the points: a dash is a hundredth of the picture.
    across, down = zip(*points, strict=True)
    left, top = (max(0, int(min(side) - reach) - 1) for side in (across, down))
    part = page[:, top : int(max(down) + reach) + 2, left : int(max(across) + reach) + 2]
    tall, wide = part.shape[1:]
    if not tall * wide:
        return page
    mask = Image.new("L", (wide * fine, tall * fine))
    pen = ImageDraw.Draw(mask)
    where = [(fine * (x - left), fine * (y - top)) for x, y in points]
    if width:
        pen.line(where, fill=255, width=max(1, round(fine * width)))
        for x, y in where:
            end = fine * reach
            pen.ellipse((x - end, y - end, x + end, y + end), fill=255)
    else:
        pen.polygon(where, fill=255)
    parts = torch.from_numpy(np.asarray(mask).copy()).float() / 255
    share = opacity * parts.reshape(tall, fine, wide, fine).mean((1, 3))
    part[:] = part * (1 - share) + torch.tensor(colour).view(3, 1, 1) * share
    return page


def text_width(text: str, size: float = 12) -> float:
    """Width in pixels of a line of text as `lettered` draws it."""
    return float(_font(size).getlength(text))


@cache
def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
