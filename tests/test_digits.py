"""Numbers side by side."""

import math

import pytest

from pellucid.digits import apart


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        ((0.5, 0.25), ["0.5", "0.25"]),
        ((0.27314, 0.27318), ["0.2731", "0.2732"]),
        ((0.27314, 0.27318, 0.27314), ["0.2731", "0.2732", "0.2731"]),
        ((1e-9, 1.0000001e-9), ["1e-09", "1.0000001e-09"]),
        ((0.1 + 0.2, 0.3), ["0.30000000000000004", "0.29999999999999999"]),
        ((2.0, 2.0), ["2", "2"]),
        ((0.0, -0.0), ["0", "-0"]),
        ((math.inf, 1.0), ["inf", "1"]),
    ],
)
def test_as_few_digits_as_tell_them_apart(numbers: tuple[float, ...], texts: list[str]) -> None:
    assert apart(*numbers) == texts


def test_fewer_to_begin_with() -> None:
    assert apart(1.234, 1.3, least=2) == ["1.2", "1.3"]
    assert apart(1.234, 1.235, least=2) == ["1.23", "1.24"]
