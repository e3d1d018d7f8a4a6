"""Numbers made ready for the eye: every kind of number, the odd ones first."""

import pytest
import torch

from pellucid import colour

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("values", "scale", "wanted"),
    [
        ([2, 3, 4], "range", [0, 0.5, 1]),
        ([1, 2, 4], "positive", [0.25, 0.5, 1]),
        ([-1, 0, 4], "signed", [0.375, 0.5, 1]),
        ([-4, 0, 1], "positive", [0, 0, 1]),
        ([5, 5, 5], "range", [0, 0, 0]),
        ([5, 5, 5], "positive", [1, 1, 1]),
        ([0, 0, 0], "signed", [0.5, 0.5, 0.5]),
        ([-3, -2, -1], "positive", [0, 0, 0]),
        ([1, 1 + 1e-7, 1], "range", [0, 0, 0]),
        ([1e-30, 3e-30, 2e-30], "range", [0, 1, 0.5]),
        ([-3e38, 0, 3e38], "range", [0, 0.5, 1]),
        ([NAN, 0, 2], "range", [NAN, 0, 1]),
        ([NAN, NAN, NAN], "range", [NAN, NAN, NAN]),
        ([-INF, 0, 1], "range", [0, 0, 1]),
        ([INF, NAN, -INF], "signed", [1, NAN, 0]),
        ([INF, 3, 3], "range", [1, 0, 0]),
    ],
)
def test_ranged(values: list[float], scale: colour.Scale, wanted: list[float]) -> None:
    found = colour.ranged(torch.tensor(values, dtype=torch.float32), scale)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, torch.tensor(wanted, dtype=torch.float32), equal_nan=True)


def test_nothing_at_all() -> None:
    assert colour.ranged(torch.zeros(0)).shape == (0,)


def test_clip_saturates_a_share_of_both_ends() -> None:
    found = colour.ranged(torch.arange(101.0), clip=0.1)
    assert int((found == 0).sum()) == int((found == 1).sum()) == 11
    assert float(found[50]) == 0.5


def test_clip_leaves_something_of_a_map_that_is_nearly_empty() -> None:
    values = torch.zeros(1000)
    values[3], values[4] = 1, 2
    assert colour.ranged(values, "positive", clip=0.01)[:5].tolist() == [0, 0, 0, 0.5, 1]


def test_maps_run_from_end_to_end() -> None:
    line = torch.tensor([0.0, 0.5, 1.0, -3.0, 7.0])
    assert torch.equal(colour.grey(line), line.clamp(0, 1).expand(3, -1))
    middle = colour.signed(line)[:, 1]
    assert float(middle.max() - middle.min()) == 0 and float(middle.min()) > 0.95
    for name, colours in colour.MAPS.items():
        shade = colours(torch.linspace(0, 1, 65)).mean(0).diff()
        falling, rising = bool((shade[:32] <= 1e-6).all()), bool((shade[32:] >= -1e-6).all())
        # Of those for numbers of either sign nothing lies in the middle: white, and night.
        assert (falling, rising) == {"signed": (False, False), "frost": (True, True)}.get(
            name, (False, True)
        ), name
    assert torch.equal(colour.frost((line + 1) / 2)[:, :3], colour.heat(line)[:, :3])


def test_no_value_has_its_own_colour() -> None:
    for colours in colour.MAPS.values():
        found = colours(torch.tensor([[NAN, 0.3], [INF, -INF]]))
        assert found.shape == (3, 2, 2)
        torch.testing.assert_close(found[:, 0, 0], torch.tensor(colour.NOTHING))
        torch.testing.assert_close(found[:, 1], colours(torch.tensor([1.0, 0.0])))
