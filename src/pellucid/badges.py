"""Badges drawn: a mark that is told by its form as well as by its colour, and a few words."""

from jaxtyping import Float
from torch import Tensor

from pellucid.ink import inked, lettered, text_width
from pellucid.judgement import Badge
from pellucid.tiles import FAINT, INK, fitted

HEIGHT = 19  # px, of one badge
SIZE = 12  # px, of its letters
NUMBERS, SPACE = 108, 6  # px from a measure's beginning to its number's end; between them at least
_BLUE, _GOLD, _RED = (0.0, 0.447, 0.698), (0.72, 0.49, 0.0), (0.80, 0.25, 0.05)
COLOURS = {"good": _BLUE, "fair": _GOLD, "bad": _RED}
# Across and down, around the middle of the mark, as shares of its radius: a tick, a dash, a cross.
STROKES = {
    "good": [[(-0.5, 0.05), (-0.12, 0.42), (0.52, -0.38)]],
    "fair": [[(-0.5, 0.0), (0.5, 0.0)]],
    "bad": [[(-0.38, -0.38), (0.38, 0.38)], [(-0.38, 0.38), (0.38, -0.38)]],
}


def badged(
    page: Float[Tensor, "3 height width"], badge: Badge, top: int, left: int = 0
) -> Float[Tensor, "3 height width"]:
    """A copy of a picture with a badge on it: mark, measure, number, words."""
    strip = marked(page[:, top : top + HEIGHT], badge.mark, left)
    across = left + HEIGHT + 2
    strip = lettered(strip, badge.measure, 2, across, SIZE, INK)
    # The numbers of several badges end below each other, but for one too long for that.
    widths = (text_width(text, SIZE) for text in (badge.measure, badge.number))
    across += max(NUMBERS, round(sum(widths)) + SPACE)
    strip = lettered(strip, badge.number, 2, across, SIZE, INK, anchor="ra")
    across += SPACE
    words = fitted(badge.words, page.shape[2] - across, SIZE)
    strip = lettered(strip, words, 2, across, SIZE, COLOURS[badge.mark])
    page = page.clone()
    page[:, top : top + HEIGHT] = strip
    return page


def marked(
    strip: Float[Tensor, "3 height width"], mark: str, left: float
) -> Float[Tensor, "3 height width"]:
    """A copy of a strip with a mark in its first pixels."""
    radius = 7.0
    middle = (left + radius + 1, HEIGHT / 2)
    strip = inked(strip, [middle, middle], COLOURS[mark], 2 * radius)
    for stroke in STROKES[mark]:
        points = [(middle[0] + radius * x, middle[1] + radius * y) for x, y in stroke]
        strip = inked(strip, points, (1.0, 1.0, 1.0), 1.7)
    return strip


def keyed(
    page: Float[Tensor, "3 height width"], entries: dict[str, str], top: int, left: int = 0
) -> Float[Tensor, "3 height width"]:
    """A copy of a picture with each mark and what it means, in a row."""
    strip = page[:, top : top + HEIGHT]
    across = float(left)
    for mark, text in entries.items():
        strip = marked(strip, mark, across)
        strip = lettered(strip, text, 2, across + HEIGHT + 2, SIZE, FAINT)
        across += HEIGHT + 2 + text_width(text, SIZE) + 18
    page = page.clone()
    page[:, top : top + HEIGHT] = strip
    return page
