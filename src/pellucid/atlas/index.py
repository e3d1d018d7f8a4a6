"""Index: approximate search on disk, for collections too large to search in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import isqrt
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.atlas.agreement import sampled
from pellucid.atlas.nearest import Metric, nearest
from pellucid.errors import PellucidError

LARGE = 200_000  # images, up to which exact search in memory takes some 25 ms
RECALL = 0.95  # that an index has at least
ASKED, NEIGHBOURS = 100, 10  # that recall is measured with
FIRST_PROBES, REFINE = 8, 4  # where tuning begins
MOST_REFINE = 64
KEY = "pellucid.index"


@dataclass(frozen=True)
class Index:
    """An index over a column of vectors of a Lance data set.

    Attributes:
        column: of the data set.
        metric: that it was made for.
        probes: of its partitions that are looked into.
        refine: times as many candidates as are asked for have their exact distance computed.
        recall: share of the 10 exact neighbours that it finds, measured on `asked` images.
        rows: of the data set, when it was made.
    """

    column: str
    metric: Metric
    probes: int
    refine: int
    recall: float
    asked: int
    rows: int

    def nearest(
        self, dataset: Any, queries: Float[Tensor, "queries numbers"], count: int
    ) -> tuple[Float[Tensor, "queries count"], Int[Tensor, "queries count"]]:
        """As `nearest.nearest`, its candidates from the index; distances are exact ones.

        Rows that came after the index was made are searched without it, and found as well.
        """
        firsts = _firsts(dataset)
        found = [self._one(dataset, query, count, firsts) for query in queries]
        far, rows = zip(*found, strict=True)
        return torch.stack(far), torch.stack(rows)

    def _one(
        self, dataset: Any, query: Float[Tensor, "numbers"], count: int, firsts: dict[int, int]
    ) -> tuple[Float[Tensor, "count"], Int[Tensor, "count"]]:
        asked = {
            "column": self.column,
            "q": query.float().numpy(),
            "k": count,
            "metric": "L2" if self.metric == "l2" else self.metric,
            "nprobes": self.probes,
            "refine_factor": self.refine,
        }
        table = dataset.to_table(
            columns=[self.column, "_distance"], nearest=asked, with_row_id=True
        )
        address = table["_rowid"].to_numpy().astype(np.int64)
        rows = torch.tensor([firsts[one >> 32] + (one & 0xFFFFFFFF) for one in address.tolist()])
        far, order = nearest(query[None], vectors(table[self.column]), len(rows), self.metric)
        return far[0], rows[order[0]]


def build(dataset: Any, column: str, metric: Metric = "cosine", seed: int = 0) -> Index:
    """Makes an index inside a data set, which has a new version then, and tunes it.

    RaBitQ codes (Gao, Long 2024) in the cells of k-means; more cells are looked into, and more
    candidates computed exactly, until the recall is what it has to be.

    Raises:
        PellucidError: hardly any images, vectors that Lance makes no index of, or no room on the
            disk.
    """
    count = dataset.count_rows()
    if count <= NEIGHBOURS:
        raise PellucidError(f"an index is for many images, and here are {count}")
    wide = dataset.schema.field(column).type.list_size
    # Lance's RaBitQ wants whole bytes; of vectors of another length all numbers are kept.
    kind: dict[str, Any] = {"index_type": "IVF_RQ", "num_bits": 1}
    kind = {"index_type": "IVF_FLAT"} if wide % 8 else kind
    cells = max(1, isqrt(count))
    try:
        dataset.create_index(
            column, metric=metric, num_partitions=cells, replace=True, name=_name(column), **kind
        )
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split(", /")[0].split())[:300]
        raise PellucidError(f"no index of {column}: {reason}") from None
    rows = sampled(count, ASKED, seed)
    queries = vectors(dataset.take(rows.tolist(), columns=[column])[column]).float()
    _, exact = scanned(dataset, column, queries, NEIGHBOURS, metric)
    found = _tuned(
        dataset, Index(column, metric, 0, 0, 0.0, len(rows), count), queries, exact, cells
    )
    dataset.update_config({f"{KEY}.{column}": json.dumps(asdict(found))})
    return found


def known(dataset: Any, column: str, metric: Metric) -> Index | None:
    """The index that the data set has of a column; None where it has none for this metric."""
    text = dataset.config().get(f"{KEY}.{column}")
    there = {each.name for each in dataset.describe_indices()} if text else set()
    found = Index(**json.loads(text)) if text and _name(column) in there else None
    return found if found and found.metric == metric else None


def scanned(
    dataset: Any,
    column: str,
    queries: Float[Tensor, "queries numbers"],
    count: int,
    metric: Metric,
    but: Int[Tensor, "queries"] | None = None,
) -> tuple[Float[Tensor, "queries count"], Int[Tensor, "queries count"]]:
    """Exact neighbours by reading the whole column once, a part at a time."""
    far = torch.empty(len(queries), 0, dtype=torch.float64)
    rows = torch.empty(len(queries), 0, dtype=torch.long)
    for first, part in _parts(dataset, column):
        own = torch.full((len(queries),), -1) if but is None else but - first
        own = own.where((own >= 0) & (own < len(part)), -1)
        wanted = min(count + 1, len(part))  # one more, as one may be the query itself
        some_far, some = nearest(queries, part, wanted, metric)
        some_far[some == own[:, None]] = float("inf")
        far, rows = torch.cat([far, some_far], 1), torch.cat([rows, some + first], 1)
        order = far.argsort(dim=1, stable=True)[:, : count + 1]
        far, rows = far.gather(1, order), rows.gather(1, order)
    most = min(count, dataset.count_rows() - (but is not None))
    return far[:, :most], rows[:, :most]


def recall(found: Int[Tensor, "queries count"], exact: Int[Tensor, "queries count"]) -> float:
    """Share of the exact neighbours that were found."""
    return float((exact[:, :, None] == found[:, None, :]).any(2).double().mean())


def _tuned(
    dataset: Any,
    index: Index,
    queries: Float[Tensor, "queries numbers"],
    exact: Int[Tensor, "queries count"],
    cells: int,
) -> Index:
    probes, refine, before = min(FIRST_PROBES, cells), REFINE, -1.0
    while True:
        tried = Index(index.column, index.metric, probes, refine, 0.0, index.asked, index.rows)
        _, found = tried.nearest(dataset, queries, exact.shape[1])
        reached = recall(found, exact)
        if reached >= RECALL or (probes == cells and refine >= MOST_REFINE):
            return Index(**asdict(tried) | {"recall": reached})
        # More cells first; where they hardly help, it is the codes that hide the neighbours.
        if probes < cells and reached > before + 0.005:
            probes = min(2 * probes, cells)
        elif refine < MOST_REFINE:
            refine *= 2
        else:
            probes = min(2 * probes, cells)
        before = reached


def _name(column: str) -> str:
    return f"{column}_index"


def _firsts(dataset: Any) -> dict[int, int]:
    """Of each fragment the row that it begins with, in the order of the data set."""
    firsts, at = {}, 0
    for fragment in dataset.get_fragments():
        firsts[fragment.fragment_id] = at
        at += fragment.count_rows()
    return firsts


def _parts(dataset: Any, column: str) -> Iterator[tuple[int, Tensor]]:
    first = 0
    for batch in dataset.to_batches(columns=[column], batch_size=2**14):
        part = vectors(batch[column])
        yield first, part
        first += len(part)


def vectors(values: Any) -> Float[Tensor, "rows numbers"]:
    """A column of Arrow's lists of one length as rows."""
    whole = values.combine_chunks() if hasattr(values, "combine_chunks") else values
    flat = whole.flatten().to_numpy(zero_copy_only=False)
    return torch.from_numpy(flat.copy()).reshape(len(whole), whole.type.list_size)
