"""Ink: letters and lines on pictures, as Pillow draws them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from pellucid.fonts import BUILT_IN, Run, font, runs
from pellucid.pictures import to_pillow

# Of the anchors used here: where the text begins, as a share of its width.
_BEGINS = {"l": 0.0, "m": 0.5, "r": 1.0}


def lettered(
    image: Float[Tensor, "3 height width"],
    text: str,
    top: float,
    left: float,
    size: float = 12,
    colour: tuple[float, float, float] = (0, 0, 0),
    anchor: str = "la",
) -> Float[Tensor, "3 height width"]:
    """A copy of a picture with a line of text on it.

    Letters that the built-in font lacks are drawn in others on the same baseline; see `fonts`.

    Args:
        anchor: where `top` and `left` are, in Pillow's words: l, m or r (left, middle, right), then
            a, m, s or d (ascender, middle, baseline, descender).
    """
    picture = to_pillow(image)
    ink = tuple(round(255 * part) for part in colour)
    pen, parts = ImageDraw.Draw(picture), runs(text)
    if parts[1:] or parts[0].face != BUILT_IN:
        left -= _BEGINS[anchor[0]] * text_width(text, size)
        top += _baseline(anchor[1], size)
        anchor = "ls"
    for part in parts:
        pen.text((left, top), part.text, fill=ink, font=_font(part, size), anchor=anchor)
        left += _width(part, size) if parts[1:] else 0
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
    return sum(_width(part, size) for part in runs(text))


def _width(part: Run, size: float) -> float:
    return float(_font(part, size).getlength(part.text))


def _font(part: Run, size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    found = font(part.face, size)
    assert found is not None  # it was, in another size
    return found


def _baseline(anchor: str, size: float) -> float:
    """Pixels from a place in a line of the built-in font down to where its letters stand."""
    usual = font(BUILT_IN, size)
    assert isinstance(usual, ImageFont.FreeTypeFont)  # without FreeType there are no other fonts
    ascent, descent = usual.getmetrics()
    return {"a": ascent, "m": (ascent - descent) / 2, "s": 0, "d": -descent}[anchor]
