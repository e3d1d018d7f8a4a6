"""What an inversion asks for: each term is that of the paper's formula."""

import itertools

import pytest
import torch
from mixing import mixing

from pellucid.make.code import Code
from pellucid.make.objective import View
from pellucid.make.prior import Prior, by_depth


def test_the_prior_is_the_formula() -> None:
    """A slow twin, at a size and at the paper's own, where it is that of its code to the letter."""
    net = mixing()
    images = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(2))
    for beta in (2.0, 1.0, 3.0):
        found = Prior(7.0, beta).bind(net).value(View(net, images, {}))
        for picture in range(2):
            x = (images[picture] * 0.25 * 255).double()
            even = far = 0.0
            for c, i, j in itertools.product(range(3), range(4), range(5)):
                down = float(x[c, i + 1, j] - x[c, i, j]) if i < 3 else 0.0
                across = float(x[c, i, j + 1] - x[c, i, j]) if j < 4 else 0.0
                even += (down**2 + across**2) ** (beta / 2) * (20 / 227**2) ** (beta / 2)
                far += float(x[c, i, j]) ** 6
            sigma = 27098**2 * (3 * 4 * 5) / (227 * 227 * 3)
            wanted = -(7.0 / 2 * even + 8e-10 / 2 * far) / sigma
            assert float(found[picture]) == pytest.approx(wanted, rel=1e-3)


def test_the_code_is_the_formula() -> None:
    net = mixing()
    wanted, other = torch.randn(1, 4), torch.randn(2, 4)
    found = Code("", wanted).bind(net).value(View(net, torch.zeros(2, 3, 4, 5), {"": other}))
    for picture in range(2):
        squares = sum(float(a - b) ** 2 for a, b in zip(other[picture], wanted[0], strict=True))
        length = sum(float(a) ** 2 for a in wanted[0])
        assert float(found[picture]) == pytest.approx(-squares / length)
        error = Code("", wanted).error(other[picture : picture + 1])
        assert error == pytest.approx((squares / length) ** 0.5)


def test_weights_grow_with_depth_as_in_the_papers_code() -> None:
    found = [by_depth(number / 20) for number in range(1, 21)]
    assert found == [1.0] * 6 + [10.0] * 6 + [100.0] * 8
