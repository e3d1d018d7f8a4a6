"""Similarity of maps against scipy and scikit-image."""

import pytest
import torch
from scipy.stats import spearmanr
from skimage.metrics import structural_similarity

from pellucid.explain.similarity import rank_correlation, ssim


def maps(seed: int, *shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    one = torch.randn(*shape, generator=random)
    return one, 0.6 * one + torch.randn(*shape, generator=random)


@pytest.mark.parametrize("levels", [None, 3])
def test_rank_correlation_is_that_of_scipy(levels: int | None) -> None:
    """With and without equal numbers, which share a rank."""
    for seed in range(3):
        one, other = maps(seed, 9, 14)
        if levels:
            one, other = (one * levels / 2).round(), (other * levels / 2).round()
        wanted = spearmanr(one.flatten().numpy(), other.flatten().numpy()).statistic
        assert rank_correlation(one, other) == pytest.approx(wanted, abs=1e-12)


def test_rank_correlation_where_the_answer_is_known() -> None:
    one = torch.tensor([[3.0, 1.0], [2.0, 9.0]])
    flat = torch.zeros(2, 2)
    assert rank_correlation(one, one.exp()) == pytest.approx(1)  # only the order counts
    assert rank_correlation(one, -one) == pytest.approx(-1)
    assert rank_correlation(flat, flat + 4) == 1
    assert rank_correlation(one, flat) == rank_correlation(flat, one) == 0


@pytest.mark.parametrize("shape", [(7, 7), (20, 31)])
def test_ssim_is_that_of_scikit_image(shape: tuple[int, int]) -> None:
    for seed in range(3):
        spread = [(one - one.min()) / (one.max() - one.min()) for one in maps(seed, *shape)]
        one, other = (values.double().numpy() for values in spread)
        wanted = structural_similarity(one, other, data_range=1.0)
        assert ssim(spread[0], 5 * spread[1] - 2) == pytest.approx(wanted, abs=1e-5)


def test_ssim_of_maps_smaller_than_a_window() -> None:
    one = torch.arange(6.0).reshape(2, 3)
    assert ssim(one, 7 * one + 1) == pytest.approx(1)
    assert ssim(one, -one) < 0
    assert ssim(torch.ones(1, 1), torch.zeros(1, 1)) == 1
