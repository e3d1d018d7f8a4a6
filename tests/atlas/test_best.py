"""What a survey counts, in whatever parts and order."""

import torch

from pellucid.atlas.best import Best
from pellucid.atlas.tally import Scale, Tally


def test_parts_in_any_order_merge_to_the_same() -> None:
    """Best places and tallies of a collection do not depend on how it is cut."""
    draw = torch.Generator().manual_seed(0)
    maps = torch.randint(0, 4, (30, 5, 3, 3), generator=draw).float()  # ties everywhere
    scale = Scale.of(maps[:4].amax((2, 3)))

    def part(rows: range) -> tuple[Best, Tally]:
        some = maps[rows.start : rows.stop]
        best = Best.none(5, 6).updated(some, some.amax((2, 3)), torch.tensor(list(rows)), 2)
        tally = Tally.none(scale, 9)
        return best, tally.updated(
            some.amax((2, 3)), some.mean((2, 3)), (some > 0).float().sum((2, 3))
        )

    whole_best, whole_tally = part(range(30))
    parts = [part(range(low, low + 6)) for low in (12, 0, 24, 18, 6)]
    best, tally = parts[0]
    for other_best, other_tally in parts[1:]:
        best, tally = best.merged(other_best), tally.merged(other_tally)
    for name in ("values", "images", "places"):
        assert torch.equal(getattr(best, name), getattr(whole_best, name)), name
    for name in ("images", "sums", "active", "highest", "lowest", "counts"):
        assert torch.equal(
            torch.as_tensor(getattr(tally, name)), torch.as_tensor(getattr(whole_tally, name))
        ), name


def test_what_is_not_a_number_is_never_best() -> None:
    maps = torch.ones(3, 1, 2, 2)
    maps[1, 0, 1, 1] = torch.nan
    best = Best.none(1, 3).updated(maps, maps.amax((2, 3)), torch.arange(3))
    assert best.images.tolist() == [[0, 2, -1]]
