"""Nearest: exact search among rows of numbers in memory."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from pellucid.errors import PellucidError, Unknown

Metric = Literal["cosine", "l2"]
METRICS: tuple[Metric, ...] = get_args(Metric)
SPARE = 16  # candidates beyond those asked for, so that rounding leaves none out
BLOCK = 2**24  # distances at a time: 64 MB
ROWS = 2**16  # at a time, as float32, where they are kept as something smaller


def nearest(
    queries: Float[Tensor, "queries length"],
    items: Shaped[Tensor, "items numbers"],
    count: int,
    metric: Metric = "cosine",
    but: Int[Tensor, "queries"] | None = None,
) -> tuple[Float[Tensor, "queries count"], Int[Tensor, "queries count"]]:
    """The items nearest to each query, the nearest first; of equally near ones the first first.

    One product of matrices finds candidates; what is told of these is computed anew in float64,
    so that no rounding decides about order.

    Args:
        items: of any type of numbers; they become float32 in parts.
        metric: "cosine", 1 - cosine of the angle, 1 to a row of zeros; "l2", Euclidean.
        but: of each query the one item that does not count, itself; -1, none.

    Returns:
        Distances (float64) and rows; as many as there are items, where `count` is more.

    Raises:
        PellucidError: numbers that are not finite, or rows of another length.
    """
    if metric not in METRICS:
        raise Unknown("metric", metric, METRICS)
    if count < 1:
        raise PellucidError(f"at least 1 neighbour can be asked for, not {count}")
    if queries.shape[1] != items.shape[1]:
        raise PellucidError(
            f"a vector of this layer has {items.shape[1]} numbers, not {queries.shape[1]}"
        )
    if not bool(queries.isfinite().all()):
        raise PellucidError("the query has numbers that are infinite or NaN")
    alone = but is not None and bool((but >= 0).any())
    count = min(count, len(items) - alone)
    queries = queries.float()
    step = max(1, BLOCK // max(1, len(items)))
    parts = [
        _block(queries[at : at + step], items, count, metric, None if but is None else but[at:])
        for at in range(0, len(queries), step)
    ]
    if not parts:
        return torch.zeros(0, count, dtype=torch.float64), torch.zeros(0, count).long()
    far, rows = zip(*parts, strict=True)
    return torch.cat(far), torch.cat(rows)


def _block(
    queries: Float[Tensor, "queries numbers"],
    items: Shaped[Tensor, "items numbers"],
    count: int,
    metric: Metric,
    but: Int[Tensor, "_"] | None,
) -> tuple[Float[Tensor, "queries count"], Int[Tensor, "queries count"]]:
    rough, slack = _rough(queries, items, metric)
    if but is not None:
        own = (but[: len(queries)] >= 0).nonzero()[:, 0]
        rough[own, but[own]] = float("inf")
    most = min(count + SPARE, len(items))
    near, rows = rough.topk(most, largest=False)
    far = torch.stack(
        [_far(one, items[own], metric) for one, own in zip(queries, rows, strict=True)]
    )
    far[near.isinf()] = float("inf")
    far, rows = _ordered(far, rows)
    if most < len(items):  # where one beyond the candidates might still belong among them
        open_ones = (near[:, -1] <= near[:, count - 1] + slack).nonzero()[:, 0]
        for query in open_ones.tolist():
            within = (rough[query] <= near[query, count - 1] + slack[query]).nonzero()[:, 0]
            all_far = _far(queries[query], items[within], metric)
            ordered = _ordered(all_far[None], within[None])
            far[query, :count], rows[query, :count] = (one[0, :count] for one in ordered)
    return far[:, :count], rows[:, :count]


def _rough(
    queries: Float[Tensor, "queries numbers"],
    items: Shaped[Tensor, "items numbers"],
    metric: Metric,
) -> tuple[Float[Tensor, "queries items"], Float[Tensor, "queries"]]:
    """Cosine distances or squared ones, and by how much rounding may have moved each query's."""
    rough = torch.empty(len(queries), len(items))
    middle = items[:ROWS].float().mean(0) if metric == "l2" else 0  # smaller numbers, less rounding
    asked = _unit(queries) if metric == "cosine" else queries - middle
    size, most = asked.square().sum(1), 1.0
    for at in range(0, len(items), ROWS):
        part = items[at : at + ROWS].float()
        part = _unit(part) if metric == "cosine" else part - middle
        product = asked @ part.T
        if metric == "cosine":
            rough[:, at : at + ROWS] = 1 - product
            continue
        squares = part.square().sum(1)
        most = max(most, float(squares.max()))
        rough[:, at : at + ROWS] = size[:, None] + squares - 2 * product
    if not bool(rough.isfinite().all()):
        raise PellucidError("the features have numbers that are infinite or NaN")
    return rough, 2e-6 * (queries.shape[1] ** 0.5) * (size + most)


def _unit(rows: Float[Tensor, "rows numbers"]) -> Float[Tensor, "rows numbers"]:
    sizes = rows.square().sum(1, keepdim=True).sqrt()
    return rows / sizes.clamp(min=torch.finfo(rows.dtype).tiny)


def _far(
    query: Float[Tensor, "numbers"], rows: Shaped[Tensor, "rows numbers"], metric: Metric
) -> Float[Tensor, "rows"]:
    one, many = query.double(), rows.double()
    if metric == "l2":
        return (many - one).square().sum(1).sqrt()
    return 1 - (_unit(many) * _unit(one[None])).sum(1)


def _ordered(
    far: Float[Tensor, "queries rows"], rows: Int[Tensor, "queries rows"]
) -> tuple[Float[Tensor, "queries rows"], Int[Tensor, "queries rows"]]:
    """By distance, equal ones by row."""
    by_row = rows.argsort(1)
    far, rows = far.gather(1, by_row), rows.gather(1, by_row)
    # Copies of one image differ by no more than the last bits of a sum.
    by_far = (far * 1e12).round().argsort(dim=1, stable=True)
    return far.gather(1, by_far), rows.gather(1, by_far)
