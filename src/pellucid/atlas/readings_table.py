"""Readings as Arrow tables, one row for each place and one for each channel, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from pellucid.atlas.best import Best
from pellucid.atlas.gauge import Reading
from pellucid.atlas.plan import Plan
from pellucid.atlas.tally import Scale, Tally


def tables(readings: dict[str, Reading]) -> tuple[Any, Any]:
    """The best places, and the statistics."""
    import pyarrow as pa

    places, counts = [], []
    for layer, reading in readings.items():
        for negative, best in ((False, reading.best), (True, reading.worst)):
            if best is not None:
                places.append(_places(layer, negative, best))
        if reading.tally is not None:
            counts.append(_counts(layer, reading.tally))
    return pa.concat_tables(places), pa.concat_tables(counts or [_no_counts()])


def read(places: Any, counts: Any, plan: Plan, grids: dict[str, list[int]]) -> dict[str, Reading]:
    """The readings of the layers of a plan, from both tables."""
    found = {}
    for layer in plan.layers:
        rows = places.filter(_equal(places, layer))
        shape = (grids[layer][0], plan.keep)
        best = _best(rows, False, shape)
        worst = _best(rows, True, shape) if plan.negative else None
        own = counts.filter(_equal(counts, layer))
        found[layer] = Reading(best, worst, _tally(own) if own.num_rows else None)
    return found


def _equal(table: Any, layer: str) -> Any:
    from pyarrow import compute

    return compute.equal(table["layer"], layer)


def _places(layer: str, negative: bool, best: Best) -> Any:
    import pyarrow as pa

    channels, keep = best.values.shape
    count = channels * keep
    return pa.table(
        {
            "layer": pa.array([layer] * count, pa.string()),
            "negative": pa.array([negative] * count, pa.bool_()),
            "channel": np.repeat(np.arange(channels, dtype=np.int32), keep),
            "rank": np.tile(np.arange(keep, dtype=np.int32), channels),
            "value": best.values.reshape(-1).numpy(),
            "image": best.images.reshape(-1).numpy(),
            "place": best.places.reshape(-1).numpy(),
        }
    )


def _best(rows: Any, negative: bool, shape: tuple[int, int]) -> Best:
    from pyarrow import compute

    own = rows.filter(compute.equal(rows["negative"], negative))
    own = own.sort_by([("channel", "ascending"), ("rank", "ascending")])
    values, images, places = (_tensor(own[name]).reshape(shape) for name in NAMES)
    return Best(values, images, places)


NAMES = ("value", "image", "place")


def _counts(layer: str, tally: Tally) -> Any:
    import pyarrow as pa

    channels = len(tally.sums)
    return pa.table(
        {
            "layer": pa.array([layer] * channels, pa.string()),
            "channel": np.arange(channels, dtype=np.int32),
            "images": np.full(channels, tally.images, np.int64),
            "places": np.full(channels, tally.places, np.int64),
            "exponent": tally.scale.exponent.numpy(),
            "low": tally.scale.low.numpy(),
            "high": tally.scale.high.numpy(),
            "sum": tally.sums.numpy(),
            "active": tally.active.numpy(),
            "highest": tally.highest.numpy(),
            "lowest": tally.lowest.numpy(),
            "histogram": pa.FixedSizeListArray.from_arrays(
                pa.array(tally.counts.reshape(-1).numpy()), tally.counts.shape[1]
            ),
        }
    )


def _no_counts() -> Any:
    none = torch.empty(0)
    scale = Scale(none.long(), none, none)
    return _counts("", Tally.none(scale, 1))


def _tally(rows: Any) -> Tally:
    rows = rows.sort_by("channel")
    scale = Scale(_tensor(rows["exponent"]), _tensor(rows["low"]), _tensor(rows["high"]))
    histogram = rows["histogram"].combine_chunks()
    return Tally(
        scale,
        int(rows["images"][0].as_py()),
        int(rows["places"][0].as_py()),
        _tensor(rows["sum"]),
        _tensor(rows["active"]),
        _tensor(rows["highest"]),
        _tensor(rows["lowest"]),
        torch.from_numpy(histogram.flatten().to_numpy().copy()).reshape(rows.num_rows, -1),
    )


def _tensor(column: Any) -> Tensor:
    return torch.from_numpy(column.to_numpy().copy())
