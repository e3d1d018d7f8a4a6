"""How long a step is, by hand."""

from math import sqrt

import pytest
import torch
from torch import Tensor

from pellucid.make.climb import KINDS, Adam, Climb, Even, Plain, direction


def steps(climb: Climb, gradients: list[Tensor], start: Tensor) -> list[Tensor]:
    """Where the numbers are after each step."""
    numbers = start.clone()
    step = climb.start([numbers])
    found = []
    for gradient in gradients:
        step([gradient])
        found.append(numbers.clone())
    return found


def random(count: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, 3, 4, generator=generator) for _ in range(count)]


def test_plain_is_so_many_times_the_gradient() -> None:
    a, b = random(2)
    made = steps(Plain(0.1), [a, b], torch.ones(2, 3, 4))
    torch.testing.assert_close(made[1], 1 + 0.1 * a + 0.1 * b)


def test_even_is_as_long_for_each_picture() -> None:
    (gradient,) = random(1)
    gradient[1] *= 1e6
    (made,) = steps(Even(0.1), [gradient], torch.zeros(2, 3, 4))
    for picture, way in zip(made, gradient, strict=True):
        length = sqrt(sum(float(g) ** 2 for g in way.flatten()) / way.numel())
        torch.testing.assert_close(picture, 0.1 * way / length)


def test_even_does_not_count_what_has_no_gradient() -> None:
    gradient = torch.zeros(1, 3, 4)
    gradient[0, 1, 1:3] = torch.tensor([3.0, -4.0])
    (made,) = steps(Even(0.1), [gradient], torch.zeros(1, 3, 4))
    torch.testing.assert_close(made, 0.1 * gradient / sqrt(12.5))


def test_adam_against_its_formula() -> None:
    """Means of the gradient and of its square, corrected for their beginning at zero."""
    gradients = random(5)
    made = steps(Adam(0.05), gradients, torch.zeros(2, 3, 4))
    for place in ((0, 0, 0), (1, 2, 3), (1, 0, 2)):
        x = mean = square = 0.0
        for number, gradient in enumerate(gradients, start=1):
            g = float(gradient[place])
            mean = 0.9 * mean + 0.1 * g
            square = 0.999 * square + 0.001 * g * g
            up = (mean / (1 - 0.9**number)) / (sqrt(square / (1 - 0.999**number)) + 1e-8)
            x += 0.05 * up
            assert float(made[number - 1][place]) == pytest.approx(x, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_may_lie_in_memory_in_any_order(kind: type[Climb]) -> None:
    """As that of a Fourier transform does; torch's fused Adam takes no notice."""
    given = torch.randn(3, 5, 4, 2).permute(3, 0, 2, 1)
    found = [
        steps(kind(0.1), [gradient], torch.zeros(2, 3, 4, 5))[-1]
        for gradient in (given, given.contiguous())
    ]
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("kind", KINDS)
def test_each_picture_climbs_as_if_alone(kind: type[Climb]) -> None:
    gradients = random(4)
    together = steps(kind(0.1), gradients, torch.zeros(2, 3, 4))[-1]
    for number in range(2):
        place = slice(number, number + 1)
        alone = steps(kind(0.1), [g[place] for g in gradients], torch.zeros(1, 3, 4))[-1]
        torch.testing.assert_close(together[place], alone, atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_no_gradient_is_no_step(kind: type[Climb]) -> None:
    start = torch.ones(1, 3, 4)
    (made,) = steps(kind(0.1), [torch.zeros(1, 3, 4)], start)
    assert torch.equal(made, start)


@pytest.mark.parametrize("kind", KINDS)
def test_several_sets_of_numbers_climb_together(kind: type[Climb]) -> None:
    gradient = random(1)[0]
    a, b = torch.zeros(2, 3, 4), torch.zeros(2, 12)
    kind(0.1).start([a, b])([gradient, gradient.flatten(1)])
    torch.testing.assert_close(a.flatten(1), b, atol=1e-6, rtol=0)
    assert float(a.abs().max()) > 0 and a.grad is None and not a.requires_grad


@pytest.mark.parametrize("size", [1e-30, 1e-3, 1e30])
def test_a_step_is_as_long_whatever_the_gradient(size: float) -> None:
    gradient = size * torch.tensor([[3.0, -4.0], [0.0, 0.0]]).reshape(1, 1, 2, 2)
    wanted = torch.tensor([[1.2, -1.6], [0.0, 0.0]]).reshape(1, 1, 2, 2)
    torch.testing.assert_close(direction(gradient), wanted)
    assert not direction(torch.zeros(2, 1, 3, 3)).any()
