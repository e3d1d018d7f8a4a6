"""The panels of an attack: the photo, the change, the result, and what stands below them."""

import pytest

import pellucid as pl
from pellucid import tiles
from pellucid.panels import COLUMN, TITLE, percent


def test_what_stands_below_the_change_fits(bundled: pl.Network) -> None:
    made = pl.attack(bundled, "photo:cat", size=0.7, way="fgsm")
    for panel in made.panels():
        lines = [tiles.fitted(line, COLUMN, 13) for line in panel.lines]
        assert lines == list(panel.lines)
        assert tiles.fitted(panel.title, COLUMN, TITLE) == panel.title


def test_the_change_is_enlarged_by_a_round_number(bundled: pl.Network) -> None:
    for size, factor in ((1, 50), (2, 50), (20, 5)):
        made = pl.attack(bundled, "photo:cat", size=size, way="fgsm")
        assert made.factor == factor, size
    small, large = (made.image().shape for made in (made.alone(), made))
    assert small == (3, 112, 112) and large[2] > 3 * 224


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "under 0.0001%"), (3.4e-5, "0.003%"), (0.0066, "0.7%"), (0.5, "50%"),
        (0.9951, "99.5%"), (0.99996, "99.996%"), (1.0, "100%"),
    ],
)  # fmt: skip
def test_a_probability_is_told_with_the_digits_that_matter(share: float, text: str) -> None:
    assert percent(share) == text
