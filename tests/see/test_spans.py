"""Rectangles that a mask reaches, against which outputs really change."""

import random

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.see.incremental.spans import Rectangles, Slide, Spans


def changed(operation: object, size: tuple[int, int], box: tuple[int, int, int, int]) -> Tensor:
    """Which outputs read any place of the box: those that turn NaN with it."""
    image = torch.zeros(1, 1, *size, dtype=torch.float64)
    top, bottom, left, right = box
    image[..., top:bottom, left:right] = float("nan")
    return operation(image)[0, 0].isnan()


@pytest.mark.parametrize("seed", range(60))
def test_the_rectangle_is_what_a_window_reaches(seed: int) -> None:
    draw = random.Random(seed)
    size = draw.randint(9, 20), draw.randint(9, 20)
    kernel = draw.randint(1, 4), draw.randint(1, 4)
    stride = draw.randint(1, 4), draw.randint(1, 4)
    kind = draw.choice(["conv", "max", "average"])
    dilation = (1, 1) if kind == "average" else (draw.randint(1, 3), draw.randint(1, 2))
    pad = draw.randint(0, kernel[0] // 2), draw.randint(0, kernel[1] // 2)
    ceil = kind != "conv" and draw.random() < 0.5

    def operation(image: Tensor) -> Tensor:
        if kind == "conv":
            weight = torch.ones(1, 1, *kernel, dtype=torch.float64)
            return F.conv2d(image, weight, None, stride, pad, dilation)
        if kind == "max":
            # No pooling but a sum over the same windows: the greatest of NaN is NaN.
            return F.max_pool2d(image, kernel, stride, pad, dilation, ceil_mode=ceil)
        return F.avg_pool2d(image, kernel, stride, pad, ceil_mode=ceil)

    out = operation(torch.zeros(1, 1, *size, dtype=torch.float64)).shape[2:]
    rows, columns = (
        Slide(kernel[i], stride[i], pad[i], dilation[i], out[i]) for i in (0, 1)
    )  # fmt: skip
    tops, lefts = range(0, size[0] - 3, 2), range(0, size[1] - 3, 3)
    boxes = [(y, y + draw.randint(1, 3), x, x + draw.randint(1, 3)) for y in tops for x in lefts]
    reached = Spans(np.array(boxes).T, size).slid(rows, columns)
    for number, box in enumerate(boxes):
        top, bottom, left, right = (int(edge) for edge in reached.edges[:, number])
        found = changed(operation, size, box).nonzero()
        if not len(found):
            continue  # windows step over it
        low, high = found.amin(0).tolist(), (found.amax(0) + 1).tolist()
        assert top <= low[0] and high[0] <= bottom and left <= low[1] and high[1] <= right
        if dilation == (1, 1):  # with gaps an edge may fall between what is read
            assert [top, left, bottom, right] == [*low, *high]


def test_what_a_window_steps_over_is_reached_by_nothing() -> None:
    spans = Spans(np.array([[1], [2], [1], [2]]), (9, 9))
    reached = spans.slid(Slide(1, 3, length=3), Slide(1, 3, length=3))
    assert (reached.edges[0] == reached.edges[1]).all()
    assert (reached.extents == 1).all()  # a place that is computed for nothing, not an error


def test_joined_rectangles_hold_both_and_leave_out_empty_ones() -> None:
    one = Spans(np.array([[1, 4], [3, 6], [2, 0], [5, 2]]), (8, 8))
    two = Spans(np.array([[2, 7], [4, 7], [0, 7], [1, 7]]), (8, 8))  # the second is empty
    assert one.joined(two).edges.T.tolist() == [[1, 4, 0, 5], [4, 6, 0, 2]]
    assert one.joined(one) == one


def test_rectangles_stay_inside_and_hold_their_spans() -> None:
    spans = Spans(np.array([[0, 5, 7], [2, 8, 8], [3, 0, 6], [4, 3, 8]]), (8, 8))
    masks = np.array([2, 0, 1])
    around = Rectangles.around(spans, masks, 3, 4)
    for number, (top, left) in zip(masks, zip(around.top, around.left, strict=True), strict=True):
        first, end, start, stop = spans.edges[:, number]
        assert 0 <= top <= first and end <= top + 3 <= 8
        assert 0 <= left <= start and stop <= left + 4 <= 8
