"""Exact search equals a loop over the formula; agreement and pixels on known cases."""

import pytest
import torch

from atlas import collection
from pellucid.atlas import nearest as module
from pellucid.atlas.agreement import agreement
from pellucid.atlas.nearest import nearest
from pellucid.atlas.pixel_space import as_seen, pixels
from pellucid.errors import PellucidError, Unknown
from pellucid.images import open_image


def slow(query: torch.Tensor, items: torch.Tensor, metric: str) -> list[tuple[float, int]]:
    """Distance and row of every item, sorted."""
    found = []
    for row, item in enumerate(items.double()):
        one = query.double()
        if metric == "l2":
            far = float((one - item).square().sum().sqrt())
        else:
            sizes = float(one.norm() * item.norm())
            far = 1 - float(one @ item) / sizes if sizes else 1.0
        found.append((round(far, 10), row))
    return sorted(found)


@pytest.mark.parametrize("metric", ["cosine", "l2"])
@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.uint8])
def test_the_same_as_a_loop(
    metric: module.Metric, kind: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With copies, rows of zeros and numbers far from zero, in parts that do not divide evenly."""
    monkeypatch.setattr(module, "ROWS", 17)
    monkeypatch.setattr(module, "BLOCK", 300)
    random = torch.Generator().manual_seed(0)
    items = (torch.rand(80, 7, generator=random) * 9 + 40).to(kind)
    items[20:60] = items[3]  # more copies than there are spare candidates
    items[70] = 0
    queries = torch.cat([items[[3, 5, 70]].float(), torch.rand(4, 7, generator=random) + 40])
    far, rows = nearest(queries, items, 12, metric)
    for number, query in enumerate(queries):
        expected = slow(query, items, metric)[:12]
        assert rows[number].tolist() == [row for _, row in expected]
        torch.testing.assert_close(
            far[number], torch.tensor([one for one, _ in expected]).double(), atol=1e-6, rtol=1e-5
        )


def test_one_does_not_count_itself_and_there_are_no_more_than_there_are() -> None:
    items = torch.eye(5)
    _, rows = nearest(items[:3], items, 9, "l2", torch.tensor([0, 4, -1]))
    assert rows.tolist() == [[1, 2, 3, 4], [1, 0, 2, 3], [2, 0, 1, 3]]
    far, _ = nearest(torch.empty(0, 5), items, 2)
    assert far.shape == (0, 2)


def test_what_cannot_be_searched() -> None:
    items = torch.eye(3)
    with pytest.raises(Unknown, match="did you mean 'cosine'"):
        nearest(items, items, 1, "cosin")  # type: ignore[arg-type]
    with pytest.raises(PellucidError, match="at least 1 neighbour can be asked for, not 0"):
        nearest(items, items, 0)
    with pytest.raises(PellucidError, match="has 3 numbers, not 4"):
        nearest(torch.eye(4), items, 1)
    with pytest.raises(PellucidError, match="the query has numbers that are infinite or NaN"):
        nearest(items * torch.inf, items, 1)
    with pytest.raises(PellucidError, match="the features have numbers that are infinite or NaN"):
        nearest(items, items / 0, 1)


def test_agreement_of_a_known_case() -> None:
    """Two groups on a line, one of them with a stranger in it; whoever has no label is no one's."""
    where = torch.tensor([0.0, 1.0, 2.1, 10.0, 11.0, 12.1, 1.1])[:, None]
    labels = ["a", "a", "a", "b", "b", "a", ""]
    found = agreement(where, labels, "l2", (1, 2, 50))
    # 0: 1, 2; 1: 0, 2; 2: 1, 0; 10: 11, 12.1; 11: 10, 12.1; 12.1: 11, 10
    assert found.shares == {1: pytest.approx(5 / 6), 2: pytest.approx((3 + 0.5 + 0.5) / 6)}
    assert found.chance == pytest.approx((4 * 3 + 2 * 1) / (6 * 5))
    assert (found.asked, found.among) == (6, 6)
    assert agreement(where, labels, "l2", (1,), sample=3).asked == 3
    with pytest.raises(PellucidError, match="two images with labels"):
        agreement(where, ["a", *[""] * 6])


def test_pixels_are_those_of_the_squeezed_photo() -> None:
    photo = open_image(torch.cat([torch.zeros(3, 64, 64), torch.ones(3, 64, 64)], 2))
    row = pixels(photo).reshape(3, 32, 32)
    assert int(row[:, :, :15].max()) == 0 and int(row[:, :, 17:].min()) == 255
    same = as_seen(open_image(collection.photo(1, 300, 400)))
    direct = pixels(open_image(collection.photo(1, 300, 400))).float()
    assert float((same[0] - direct).abs().mean()) < 3
