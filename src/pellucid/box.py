"""Box: a rectangle of pixels or of units."""

from typing import Generic, NamedTuple, TypeVar

Number = TypeVar("Number", int, float)


class Box(NamedTuple, Generic[Number]):
    """A half-open rectangle: rows top to bottom, columns left to right.

    In pixels of a photo or an input, whole or fractions, or in units of a layer.
    """

    top: Number
    left: Number
    bottom: Number
    right: Number


def shared(box: Box[int], size: tuple[int, int]) -> Box[float]:
    """A box in shares of a whole of some height and width."""
    height, width = size
    return Box(box.top / height, box.left / width, box.bottom / height, box.right / width)
