"""Gram matrices: against the sum written out, and over parts of a picture."""

from __future__ import annotations

import torch

from pellucid.make.gram import gram


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
