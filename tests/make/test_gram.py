"""Gram matrices: against the sum written out, and over parts of a picture."""

from __future__ import annotations

import pytest
import torch

from pellucid.make.gram import gram, products


def test_each_entry_is_the_mean_product_of_two_channels() -> None:
    maps = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    made = gram(maps)
    for picture in range(2):
        for a in range(3):
            for b in range(3):
                products = [
                    float(maps[picture, a, row, column] * maps[picture, b, row, column])
                    for row in range(4)
                    for column in range(5)
                ]
                assert abs(float(made[picture, a, b]) - sum(products) / 20) < 1e-6


def test_parts_of_a_picture_add_up_to_the_whole() -> None:
    maps = torch.randn(1, 4, 6, 8, generator=torch.Generator().manual_seed(1))
    parts = (gram(maps[..., :2]), 2 / 8), (gram(maps[..., 2:]), 6 / 8)
    torch.testing.assert_close(sum(share * part for part, share in parts), gram(maps))


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("symmetric", [True, False])
def test_the_gradient_is_that_of_the_sum_written_out(
    order: torch.memory_format, symmetric: bool
) -> None:
    """And lies in memory as the maps do."""
    random = torch.Generator().manual_seed(2)
    maps = torch.randn(2, 3, 4, 5, generator=random, dtype=torch.float64)
    slope = torch.randn(2, 3, 3, generator=random, dtype=torch.float64)
    slope = slope + slope.mT if symmetric else slope
    given = maps.contiguous(memory_format=order).requires_grad_()
    plain = maps.clone().requires_grad_()
    wanted = torch.einsum("nahw,nbhw->nab", plain, plain)
    found = products(given)
    torch.testing.assert_close(found, wanted)
    (own,) = torch.autograd.grad((found * slope).sum(), given)
    (other,) = torch.autograd.grad((wanted * slope).sum(), plain)
    torch.testing.assert_close(own, other)
    assert own.is_contiguous(memory_format=order)
