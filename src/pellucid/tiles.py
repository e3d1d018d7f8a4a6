"""Pictures made of pictures: enlarging, grids with names, bars beside a photo."""

import math
import re
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.box import Box
from pellucid.ink import lettered, text_width

PAPER, INK, FAINT, BAR = 1.0, (0.13, 0.13, 0.15), (0.45, 0.45, 0.48), (0.20, 0.42, 0.70)
GAP = 4
LETTER = 11
_NUMBER = re.compile(r"\d+")
LISTED = 300  # px: the width of a list beside a photo
MOST_BARS = 100  # a picture of a thousand would be longer than anybody reads


def enlarged(
    image: Float[Tensor, "channels height width"], least: int
) -> Float[Tensor, "channels h w"]:
    """Every pixel repeated, a whole number of times, until the longer side has `least` pixels."""
    factor = math.ceil(least / max(image.shape[1:]))
    if factor <= 1:
        return image
    return image.repeat_interleave(factor, 1).repeat_interleave(factor, 2)


def resized(
    image: Float[Tensor, "channels height width"], size: tuple[int, int]
) -> Float[Tensor, "channels h w"]:
    """Smoothly, to a height and width in pixels."""
    small = F.interpolate(image[None], size, mode="bilinear", antialias=True, align_corners=False)
    return small[0].clamp(0, 1)


def boxed(
    image: Float[Tensor, "3 height width"], size: tuple[int, int]
) -> Float[Tensor, "3 tall wide"]:
    """Fitted into a box of paper of a height and width, its proportions kept."""
    height, width = image.shape[1:]
    scale = min(size[0] / height, size[1] / width)
    inner = max(1, round(height * scale)), max(1, round(width * scale))
    box = torch.full((3, *size), PAPER)
    top, left = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    box[:, top : top + inner[0], left : left + inner[1]] = resized(image, inner)
    return box


def arranged(
    pictures: Float[Tensor, "tiles 3 height width"],
    names: Sequence[str] = (),
    least: int = 48,
    columns: int | None = None,
) -> Float[Tensor, "3 h w"]:
    """Pictures of one size in rows on paper, a name below each."""
    shown = torch.stack([enlarged(picture, least) for picture in pictures])
    count, _, height, width = shown.shape
    boxes, size = spots(count, (height, width), bool(names), columns)
    lettering = LETTER + 4 if names else 0
    page = torch.full((3, *size), PAPER)
    for (top, left, bottom, right), picture in zip(boxes, shown, strict=True):
        page[:, top:bottom, left:right] = picture
    for (_, left, bottom, _), name in zip(boxes, names, strict=False):
        top = bottom + 1
        strip = page[:, top : top + lettering, left : left + width]
        page[:, top : top + lettering, left : left + width] = lettered(
            strip, fitted(name, width), 1, width / 2, LETTER, FAINT, anchor="ma"
        )
    return page


def spots(
    count: int, size: tuple[int, int], named: bool, columns: int | None = None
) -> tuple[list[Box[int]], tuple[int, int]]:
    """Where `arranged` puts pictures of a height and width, and the size of the whole page."""
    height, width = size
    columns = columns or across(count, height, width)
    down, right = height + (LETTER + 4 if named else 0) + GAP, width + GAP
    corners = [
        (GAP + number // columns * down, GAP + number % columns * right) for number in range(count)
    ]
    boxes = [Box(top, left, top + height, left + width) for top, left in corners]
    return boxes, (math.ceil(count / columns) * down + GAP, columns * right + GAP)


def bars(
    photo: Float[Tensor, "3 height width"], shares: Sequence[float], names: Sequence[str]
) -> Float[Tensor, "3 h w"]:
    """A photo, and beside it a bar with name and per cent for each share from 0 to 1.

    Of more than `MOST_BARS` only the first are drawn.
    """
    return beside(photo, bar_list(shares, names, LISTED))


def beside(
    photo: Float[Tensor, "3 height width"], listed: Float[Tensor, "3 tall wide"]
) -> Float[Tensor, "3 h w"]:
    """A photo, and a list in the middle of its side."""
    wide = listed.shape[2]
    tall = max(listed.shape[1] + 2 * GAP, 180)
    high = min(tall, 360)
    across = max(1, min(2 * high, round(photo.shape[2] * high / photo.shape[1])))
    page = torch.full((3, tall, across + 16 + wide), PAPER)
    page[:, :high, :across] = resized(photo, (high, across))
    first = (tall - listed.shape[1]) // 2
    page[:, first : first + listed.shape[1], across + 16 :] = listed
    return page


def bar_list(
    shares: Sequence[float],
    names: Sequence[str],
    wide: int,
    told: Callable[[float], str] = "{:.1%}".format,
) -> Float[Tensor, "3 height width"]:
    """A bar with name and per cent for each share from 0 to 1, one below the other.

    Args:
        wide: px.
        told: a share in words.
    """
    row = 34
    shown = list(zip(shares, names, strict=True))[:MOST_BARS]
    page = torch.full((3, row * len(shown), wide), PAPER)
    ink = torch.tensor(BAR).view(3, 1, 1)
    for number, (share, name) in enumerate(shown):
        line = page[:, number * row : (number + 1) * row]
        line[:, 20:28, : wide - 8] = 0.92
        length = 0 if math.isnan(share) else round(share * (wide - 8))
        line[:, 20:28, : max(1, length)] = ink
        line[:] = labelled(line, name, told(share))
    return page


def number_list(
    numbers: Sequence[str], names: Sequence[str], wide: int
) -> Float[Tensor, "3 height width"]:
    """A name and a number in words in each line, one below the other.

    Args:
        wide: px.
    """
    lines = [torch.full((3, 26, wide), PAPER) for _ in names]
    rows = zip(lines, names, numbers, strict=True)
    return torch.cat([labelled(line, name, number) for line, name, number in rows], 1)


def labelled(
    line: Float[Tensor, "3 height width"], name: str, told: str, left: int = 0, top: int = 1
) -> Float[Tensor, "3 height width"]:
    """A copy of a line of a list, with a name at its beginning and a number in words at its end."""
    wide, size = line.shape[2], 15
    written = lettered(line, fitted(name, wide - 80 - left, size), top, left, size, INK)
    return lettered(written, told, top, wide - 8, size, FAINT, anchor="ra")


def fitted(text: str, width: float, size: float = LETTER) -> str:
    """A text cut to a width in pixels, "…" where it was cut."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip() + "…" if text else ""


def tailed(text: str, width: float, size: float = LETTER) -> str:
    """A text cut to a width in pixels at its beginning: of a layer's name the end says more."""
    if text_width(text, size) <= width:
        return text
    while text and text_width("…" + text, size) > width:
        text = text[1:]
    return "…" + text if text else ""


def dotted(name: str, width: float, size: float = LETTER) -> str:
    """A layer's name cut to a width in pixels at its beginning, at a dot if it can be.

    No number is cut in two, for "….1.conv" is not "layer.11.conv": rather the end is cut, too.
    """
    if text_width(name, size) <= width:
        return name
    before = list(_NUMBER.finditer(name, 0, name.rfind(".") + 1))
    needed = before[-1].start() if before else name.rfind(".") + 1
    starts = [at for at in range(1, needed + 1) if not name[at - 1 : at + 1].isdigit()]
    starts.sort(key=lambda at: name[at - 1] != ".")
    texts = ["…" + name[at:] for at in starts] or [name]
    return next((text for text in texts if text_width(text, size) <= width), "") or fitted(
        "…" + name[needed:], width, size
    )


def wrapped(text: str, width: float, size: float = LETTER) -> list[str]:
    """A text in lines of at most a width in pixels, cut between words."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(fitted(word, width, size))
    return lines


def across(count: int, height: int, width: int) -> int:
    """As many as make the page about one and a half times as wide as tall, rows well filled."""
    best = max(1, min(count, round(math.sqrt(count * 1.5 * height / width))))
    near = range(max(1, best - 2), min(count, best + 2) + 1)
    return min(near, key=lambda n: ((-count) % n / n, abs(n - best), -n))
