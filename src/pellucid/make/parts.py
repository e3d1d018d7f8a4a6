"""Parts: squares of photos, as photos of their own, where few photos are at hand."""

from __future__ import annotations

from pellucid.images import Photo


def parts(photo: Photo, across: int) -> list[Photo]:
    """The squares that cover a photo, each overlapping the next by about half.

    Args:
        across: so many along the shorter side, and as many as needed along the longer one; 1: the
            photo itself, whole.
    """
    if across == 1:
        return [photo]
    height, width = photo.size
    side = max(1, round(2 * min(height, width) / (across + 1)))
    return [
        Photo(photo.pixels[:, top : top + side, left : left + side], photo.source)
        for top in _begins(height, side)
        for left in _begins(width, side)
    ]


def _begins(length: int, side: int) -> list[int]:
    """Where the squares begin: from end to end, evenly."""
    steps = max(1, round(2 * (length - side) / side))
    return sorted({round(step * (length - side) / steps) for step in range(steps + 1)})
