"""What is done to pixels between the steps, by hand."""

from math import exp

import pytest
import torch
from torch import Tensor

from pellucid.make.regularisers import (
    Blur,
    Decay,
    Regulariser,
    SmallContribution,
    SmallGradient,
    SmallNorm,
    regularisers,
)

ALL = regularisers("decay 0.1; blur 0.8 1; small_norm 30; small_contribution 30; small_gradient 30")


def random(number: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(number))


def test_decay_takes_a_share_back() -> None:
    pixels = random(0, 2, 3, 4, 5)
    torch.testing.assert_close(Decay(0.25)(pixels, pixels, 1), 0.75 * pixels)


@pytest.mark.parametrize("sigma", [0.5, 1.0])
def test_blur_is_a_weighted_mean_mirrored_at_the_rim(sigma: float) -> None:
    pixels = random(1, 1, 2, 9, 11)
    reach = round(4 * sigma)
    weights = [exp(-(d**2) / (2 * sigma**2)) for d in range(-reach, reach + 1)]

    def mirrored(place: int, length: int) -> int:
        place = abs(place)
        return place if place < length else 2 * (length - 1) - place

    wanted = torch.zeros_like(pixels)
    for y in range(9):
        for x in range(11):
            for down, a in enumerate(weights):
                for right, b in enumerate(weights):
                    row, column = mirrored(y + down - reach, 9), mirrored(x + right - reach, 11)
                    wanted[..., y, x] += a * b * pixels[..., row, column]
    wanted /= sum(weights) ** 2
    torch.testing.assert_close(Blur(sigma, 1)(pixels, pixels, 1), wanted, atol=1e-5, rtol=0)


def test_blur_comes_every_few_steps() -> None:
    pixels = random(2, 1, 1, 8, 8)
    blurred = [step for step in range(1, 13) if Blur(1, 4)(pixels, pixels, step) is not pixels]
    assert blurred == [4, 8, 12]


def test_blur_reaches_no_further_than_the_picture() -> None:
    pixels = random(3, 1, 1, 3, 4)
    made = Blur(5, 1)(pixels, pixels, 1)
    assert made.shape == pixels.shape and float(made.std()) < float(pixels.std())
    assert torch.equal(Blur(5, 1)(pixels[..., :1], pixels[..., :1], 1), pixels[..., :1])


def test_small_pixels_are_clipped_by_hand() -> None:
    """Of four pixels with two colours the half that says least."""
    pixels = torch.tensor([[[[3.0, 0.1, -2.0, 1.0]], [[4.0, 0.2, 0.0, -1.0]]]])
    gradient = torch.tensor([[[[0.1, 5.0, 0.0, 1.0]], [[-0.1, 5.0, 0.3, 1.0]]]])
    # Norms 5, 0.22, 2, 1.41.
    kept = SmallNorm(50)(pixels, gradient, 1) != 0
    assert kept[0, :, 0].any(0).tolist() == [True, False, True, False]
    # |Sums of pixel x gradient|: 0.1, 1.5, 0, 0.
    kept = SmallContribution(50)(pixels, gradient, 1) != 0
    assert kept[0, :, 0].any(0).tolist() == [True, True, False, False]
    # Norms of the gradient 0.14, 7.1, 0.3, 1.41.
    kept = SmallGradient(50)(pixels, gradient, 1) != 0
    assert kept[0, :, 0].any(0).tolist() == [False, True, False, True]
    made = SmallNorm(50)(pixels, gradient, 1)
    assert torch.equal(made[..., [0, 2]], pixels[..., [0, 2]])


@pytest.mark.parametrize("kind", [SmallNorm, SmallContribution, SmallGradient])
def test_so_many_per_cent_are_clipped(kind: type[Regulariser]) -> None:
    pixels, gradient = random(4, 2, 3, 10, 20), random(5, 2, 3, 10, 20)
    for percent, count in [(0, 0), (10, 20), (50, 100), (99.5, 199), (100, 200)]:
        made = kind(percent)(pixels, gradient, 1)
        gone = (made == 0).all(1).flatten(1).sum(1).tolist()
        assert gone == [count, count]
        assert torch.equal(made[made != 0], pixels[made != 0])


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_each_picture_by_itself_and_none_in_place(kind: Regulariser) -> None:
    pixels, gradient = random(6, 3, 3, 9, 7), random(7, 3, 3, 9, 7)
    given = pixels.clone(), gradient.clone()
    together = kind(pixels, gradient, 1)
    assert torch.equal(pixels, given[0]) and torch.equal(gradient, given[1])
    for number in range(3):
        place = slice(number, number + 1)
        alone = kind(pixels[place], gradient[place], 1)
        torch.testing.assert_close(together[place], alone, atol=1e-6, rtol=0)


def test_nothing_is_cut_from_a_picture_of_one_shade() -> None:
    """Of equal pixels none is the smallest."""
    flat = torch.ones(1, 3, 4, 4)
    assert torch.equal(SmallNorm(50)(flat, flat, 1), flat)
    assert not SmallNorm(100)(flat, flat, 1).any()
