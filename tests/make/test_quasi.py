"""Steps by curvature of many numbers: those of two loops, at the bottom soon."""

import torch
from torch import Tensor

from pellucid.make.quasi import Quasi


def bent(
    size: tuple[int, int], metric: Tensor | None = None
) -> tuple[Tensor, Quasi, Tensor, Tensor]:
    """A bowl, long and narrow: its bottom, and how steep it is each way."""
    random = torch.Generator().manual_seed(3)
    bottom = torch.randn(1, 3, *size, generator=random)
    steep = 10 ** torch.linspace(-1.5, 1.5, bottom.numel()).view_as(bottom)
    numbers = torch.zeros_like(bottom)
    return numbers, Quasi([numbers], longest=10, metric=metric), bottom, steep


def test_steps_by_curvature_are_those_of_two_loops() -> None:
    """A slow twin from Nocedal & Wright, algorithm 7.4."""
    numbers, step, bottom, steep = bent((3, 4))
    pairs: list[tuple[Tensor, Tensor]] = []
    for number in range(8):
        slope = steep * (numbers - bottom)
        before = numbers.clone()
        step([-slope])
        moved = (numbers - before).flatten()
        if number:
            q, kept = slope.flatten().double(), []
            for s, y in reversed(pairs):
                a = (s @ q) / (s @ y)
                q = q - a * y
                kept.append(a)
            s, y = pairs[-1]
            q = q * (s @ y) / (y @ y)
            for (s, y), a in zip(pairs, reversed(kept), strict=True):
                q = q + (a - (y @ q) / (s @ y)) * s
            torch.testing.assert_close(moved.double(), -q, rtol=1e-3, atol=1e-4)
        change = steep * (numbers - bottom) - slope
        pairs.append((moved.double(), change.flatten().double()))


def test_steps_by_curvature_reach_the_bottom_of_a_narrow_valley() -> None:
    numbers, step, bottom, steep = bent((4, 5))
    for _ in range(150):
        step([-steep * (numbers - bottom)])
    assert float((numbers - bottom).abs().max()) < 1e-2
    larger = step.carried([torch.zeros(1, 3, 8, 10)])
    assert larger.order and bool((torch.diagonal(larger.products)[larger.order] > 0).all())


def test_along_a_metrics_empty_axes_nothing_changes() -> None:
    axis = torch.tensor([1.0, 2.0, 2.0]) / 3
    numbers, step, bottom, steep = bent((4, 5), torch.outer(axis, axis))
    for _ in range(20):
        step([-steep * (numbers - bottom)])
    along = axis.view(1, 3, 1, 1) * (numbers * axis.view(1, 3, 1, 1)).sum(1, keepdim=True)
    assert float(numbers.abs().max()) > 0.1
    torch.testing.assert_close(numbers, along, atol=1e-5, rtol=0)
