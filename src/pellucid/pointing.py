"""The pointing game: does the strongest place of a map lie on the object?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import hypot
from typing import Any

import numpy as np
import torch

from pellucid.box import Box
from pellucid.errors import PellucidError
from pellucid.heatmap import Heatmap

TOLERANCE = 15.0  # px of the photo


@dataclass(frozen=True)
class Pointing:
    """Where a map points, and whether that is right.

    Attributes:
        hit: whether the place lies in a box, or at most `tolerance` beside it.
        row, column: of the strongest pixel of the photo; None where the map is the same everywhere.
        distance: px from that pixel to the nearest box, 0 inside; infinite where there is none.
        tolerance: px.
    """

    hit: bool
    row: int | None
    column: int | None
    distance: float
    tolerance: float

    def __bool__(self) -> bool:
        """Whether it is a hit."""
        return self.hit


@dataclass(frozen=True)
class PointingGame:
    """The game played on many maps.

    Attributes:
        rounds: one for each map.
    """

    rounds: tuple[Pointing, ...]

    @property
    def hits(self) -> int:
        """How many of the maps point at their object."""
        return sum(map(bool, self.rounds))

    @property
    def accuracy(self) -> float:
        """Their share, from 0 to 1."""
        return self.hits / len(self.rounds)


def pointing(heatmap: Heatmap, boxes: Any, *, tolerance: float = TOLERANCE) -> Pointing:
    """Whether the strongest place of a map lies on an object (Zhang et al. 2018).

    The map is enlarged to the photo; of equal pixels the first counts. Results of another
    tolerance or another enlargement cannot be compared: of the published accuracies a good part
    is these.

    Args:
        heatmap: of the photo and the class.
        boxes: of the objects of that class, in the photo's pixels: one (top, left, bottom, right)
            or several.
        tolerance: px of the photo that the place may lie outside of a box, 15 in the paper.

    Raises:
        PellucidError: no box, one that has no area or lies outside of the photo, or a tolerance
            below 0.

    Example:
        >>> pointing(pl.saliency(net, "photo:cat"), (20, 100, 280, 330)).hit
        True
    """
    tolerance = _pixels(tolerance)
    if not isinstance(heatmap, Heatmap):
        raise PellucidError(
            f"one map points at a time, not {type(heatmap).__name__}: take maps[photo, target]"
        )
    targets = _boxes(boxes, heatmap.photo.size)
    evidence = heatmap.evidence()
    if not bool((evidence != evidence[0, 0]).any()):
        return Pointing(False, None, None, float("inf"), tolerance)
    shown = heatmap.frame.to_photo(evidence).nan_to_num(nan=-torch.inf)
    row, column = divmod(int(shown.argmax()), shown.shape[1])
    distance = min(_distance(row + 0.5, column + 0.5, box) for box in targets)
    return Pointing(distance <= tolerance, row, column, distance, tolerance)


def pointing_game(
    rounds: Iterable[tuple[Heatmap, Any]], *, tolerance: float = TOLERANCE
) -> PointingGame:
    """The pointing game on many maps, each with its boxes; see `pointing`.

    Raises:
        PellucidError: there are no maps, or what is given is not pairs of a map and its boxes.

    Example:
        >>> pointing_game([(map_of_cat, cat_box), (map_of_dog, dog_boxes)]).accuracy
        0.5
    """
    played = tuple(pointing(*pair, tolerance=tolerance) for pair in _pairs(rounds))
    if not played:
        raise PellucidError("the pointing game is played on at least one map with its boxes")
    return PointingGame(played)


def _pixels(given: Any) -> float:
    try:
        found = float("nan") if isinstance(given, str) else float(given)
    except (TypeError, ValueError):
        found = float("nan")
    if not found >= 0:
        raise PellucidError(f"tolerance is at least 0 px, not {given!r}")
    return found


def _pairs(rounds: Any) -> Iterator[tuple[Any, Any]]:
    wrong = "the pointing game is played on (map, boxes), (map, boxes), …, not on "
    if isinstance(rounds, Heatmap) or not isinstance(rounds, Iterable):
        raise PellucidError(wrong + type(rounds).__name__)
    for one in rounds:
        if not isinstance(one, tuple | list):
            raise PellucidError(wrong + f"{type(one).__name__}, …")
        if len(one) != 2:
            raise PellucidError(wrong + f"a {type(one).__name__} of {len(one)}")
        yield one[0], one[1]


def _boxes(given: Any, size: tuple[int, int]) -> list[Box[float]]:
    # A tensor or an array has the same rows as a list.
    rows = given.tolist() if hasattr(given, "tolist") else given
    if isinstance(rows, Sequence) and len(rows) == 4 and not np.ndim(rows[0]):
        rows = [rows]
    try:
        boxes = [Box(*(float(side) for side in row)) for row in rows]
    except (TypeError, ValueError):
        raise PellucidError(
            f"boxes are (top, left, bottom, right) in the photo's pixels, not {given!r}"
        ) from None
    if not boxes:
        raise PellucidError("there is no box to point at")
    for box in boxes:
        if not (box.top < box.bottom and box.left < box.right):
            raise PellucidError(f"a box has its top above its bottom, left of right; not {box}")
        if box.bottom <= 0 or box.right <= 0 or box.top >= size[0] or box.left >= size[1]:
            raise PellucidError(f"{box} lies outside of the photo of {size[1]} x {size[0]} px")
    return boxes


def _distance(row: float, column: float, box: Box[float]) -> float:
    down = max(box.top - row, 0.0, row - box.bottom)
    across = max(box.left - column, 0.0, column - box.right)
    return hypot(down, across)
