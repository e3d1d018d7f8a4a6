"""The index finds what exact search finds, and says how much of it."""

from pathlib import Path
from typing import Any

import lance
import numpy as np
import pyarrow as pa
import pytest
import torch

from pellucid.atlas import index
from pellucid.atlas.nearest import nearest
from pellucid.errors import PellucidError


def rows(count: int, wide: int, seed: int = 0) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    centres = 2 * torch.randn(12, wide, generator=random)
    drawn = torch.randint(12, (count,), generator=random)
    return (centres[drawn] + torch.randn(count, wide, generator=random)).half().float()


def table(values: torch.Tensor) -> Any:
    flat = pa.array(values.numpy().astype(np.float16).ravel())
    return pa.table({"vectors": pa.FixedSizeListArray.from_arrays(flat, values.shape[1])})


@pytest.mark.parametrize(("wide", "metric"), [(16, "cosine"), (16, "l2"), (10, "l2")])
def test_it_finds_what_exact_search_finds(tmp_path: Path, wide: int, metric: Any) -> None:
    values, place = rows(1500, wide), tmp_path / "a.lance"
    lance.write_dataset(table(values[:900]), place)
    made = lance.write_dataset(table(values[900:]), place, mode="append")
    found = index.build(made, "vectors", metric)
    assert found.recall >= index.RECALL and found.rows == 1500 and found.asked == 100
    opened = lance.dataset(place)
    assert index.known(opened, "vectors", metric) == found
    assert index.known(opened, "vectors", "l2" if metric == "cosine" else "cosine") is None
    queries = values[::15] + 0.1
    far, exact = nearest(queries, values, 10, metric)
    got_far, got = found.nearest(opened, queries, 10)
    assert index.recall(got, exact) >= index.RECALL
    same = got == exact
    torch.testing.assert_close(got_far[same], far[same])


def test_images_that_came_later_are_found(tmp_path: Path) -> None:
    values, place = rows(600, 16), tmp_path / "a.lance"
    made = lance.write_dataset(table(values), place)
    found = index.build(made, "vectors", "l2")
    later = rows(5, 16, seed=9) + 30
    added = lance.write_dataset(table(later), place, mode="append")
    _, got = found.nearest(added, later.half().float(), 1)
    assert got[:, 0].tolist() == [600, 601, 602, 603, 604]


def test_a_scan_is_exact(tmp_path: Path) -> None:
    values, place = rows(50, 6), tmp_path / "a.lance"
    lance.write_dataset(table(values[:20]), place)
    made = lance.write_dataset(table(values[20:]), place, mode="append")
    own = torch.tensor([3, 33, -1])
    far, got = index.scanned(made, "vectors", values[[3, 33, 7]], 60, "cosine", own)
    for query, left_out in enumerate(own.tolist()):
        exact_far, exact = nearest(values[[3, 33, 7]][[query]], values, 49, "cosine", own[[query]])
        assert left_out not in got[query].tolist()
        assert torch.equal(got[query], exact[0])
        torch.testing.assert_close(far[query], exact_far[0])


def test_recall_of_a_known_case() -> None:
    exact = torch.tensor([[1, 2], [3, 4]])
    assert index.recall(torch.tensor([[2, 9], [4, 3]]), exact) == 0.75


def test_few_images_need_none(tmp_path: Path) -> None:
    made = lance.write_dataset(table(rows(3, 16)), tmp_path / "a.lance")
    with pytest.raises(PellucidError, match="for many images, and here are 3"):
        index.build(made, "vectors")
