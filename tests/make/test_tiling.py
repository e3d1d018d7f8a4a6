"""Tiles are the whole, without a seam, whatever their margins and mirrors."""

import pytest
import torch
from slope import slope, some

from pellucid.make.amplified import amplified
from pellucid.make.tiling import Tiled, mirrored, parts
from strided import deep

pytestmark = pytest.mark.usefixtures("all_digits")


@pytest.mark.parametrize("size", [(203, 250), (64, 400), (331, 90)])
@pytest.mark.parametrize("jitter", [0, 9])
def test_tiles_are_the_whole(size: tuple[int, int], jitter: int) -> None:
    """Away from the borders of the tiles and at them: no seam."""
    net, pixels = deep(), some(*size)
    whole = slope(net, "6", pixels, jitter=jitter)
    tiled = slope(net, "6", pixels, jitter=jitter, tile=190)
    torch.testing.assert_close(tiled, whole, atol=1e-3, rtol=1e-3)


def test_too_little_margin_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test of the test before this."""
    monkeypatch.setattr("pellucid.make.tiling._field", lambda net, layers: (1, 8))
    net, pixels = deep(), some(203, 250)
    away = (slope(net, "6", pixels, tile=190) - slope(net, "6", pixels)).abs()
    assert float(away.max()) > 0.5
    assert float(away.mean()) < 0.1


def test_small_tiles_leave_no_line_behind() -> None:
    """Where the margin is not enough, borders lie elsewhere in each step: none is to be seen."""
    net, pixels = deep(), some(150, 160)
    _, bound = amplified("6", net)
    look = Tiled(net, bound, torch.Generator().manual_seed(0), 0, 64)
    rows = [look._cut(150, 64)[1] for _ in range(40)]
    borders = [part.low for row in rows for part in row if part.low]
    assert len(set(borders)) > 20
    assert look.field == 25 > 64 // 4
    near = (slope(net, "6", pixels, tile=64) - slope(net, "6", pixels)).abs()
    assert float(near.mean()) < 0.25


def test_parts_cover_the_axis_each_with_its_margin() -> None:
    random = torch.Generator().manual_seed(0)

    def whole(low: int, high: int) -> int:
        return int(torch.randint(low, high, (), generator=random))

    for _ in range(300):
        stride, margin, step = whole(1, 9), whole(0, 30), whole(1, 60)
        tile = step + 2 * margin + stride
        length = tile + stride * whole(1, 40)
        found = parts(length, tile, margin, stride, step, whole(0, step))
        assert [part.low for part in found[1:]] == [part.high for part in found[:-1]]
        assert (found[0].low, found[-1].high) == (0, length)
        for part in found:
            assert part.start % stride == 0 and 0 <= part.start <= length - tile
            assert part.start == 0 or part.low - part.start >= margin
            end = part.start + tile
            assert end == length or end - part.high >= margin


def test_mirrors() -> None:
    assert mirrored(3, 9).tolist() == [2, 1, 0, 0, 1, 2, 2, 1, 0]
    assert mirrored(1, 4).tolist() == [0, 0, 0, 0]
    assert mirrored(4, 4).tolist() == [0, 1, 2, 3]
