"""Rows: what a survey has found of some images, until it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from pellucid.atlas.gauge import Seen
from pellucid.atlas.loading import Loaded, Unread
from pellucid.atlas.plan import Plan

NOTHING = torch.empty(0)


@dataclass(frozen=True)
class Tables:
    """Arrow tables of some images: those that were read, one row for each, and those that were not.

    None where there is none of the kind.
    """

    images: Any = None
    failed: Any = None

    @property
    def uris(self) -> list[str]:
        """Of all images, in their order."""
        found: list[tuple[int, str]] = []
        for table in (self.images, self.failed):
            if table is not None:
                numbers, uris = table["number"].to_pylist(), table["uri"].to_pylist()
                found += zip(numbers, uris, strict=True)
        return [uri for _, uri in sorted(found)]


class Rows:
    """Images in order, their features beside them, and what could not be read.

    Attributes:
        images: without what the network saw of them.
        failed: set aside.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.images: list[Loaded] = []
        self.failed: list[Unread] = []
        self.features: dict[str, list[Any]] = {layer: [] for layer in plan.layers}
        self.predicted: list[int] = []
        self.probability: list[float] = []

    @property
    def count(self) -> int:
        """Images, read and unread."""
        return len(self.images) + len(self.failed)

    def add(self, batch: Sequence[Loaded | Unread], seen: Seen | None) -> None:
        """A batch, and what the network saw of those that could be read; None if none could."""
        self.failed += [one for one in batch if isinstance(one, Unread)]
        images = [one for one in batch if isinstance(one, Loaded)]
        if seen is None:
            return
        self.images += [replace(one, crop=NOTHING.reshape(0, 0, 0)) for one in images]
        kind = np.dtype(self.plan.precision)
        for layer, parts in self.features.items():
            parts.append(seen.features[layer].numpy().astype(kind))
        if seen.predicted is None or seen.probability is None:
            self.predicted += [-1] * len(images)
            self.probability += [0.0] * len(images)
        else:
            self.predicted += seen.predicted.tolist()
            self.probability += seen.probability.tolist()

    def tables(self) -> Tables:
        """As Arrow tables."""
        return Tables(
            self._images() if self.images else None, self._unread() if self.failed else None
        )

    def _images(self) -> Any:
        import pyarrow as pa

        columns: dict[str, Any] = {
            "number": pa.array([one.number for one in self.images], pa.int64()),
            "uri": pa.array([one.uri for one in self.images], pa.string()),
            "label": pa.array([one.label for one in self.images], pa.string()),
            "height": pa.array([one.size[0] for one in self.images], pa.int32()),
            "width": pa.array([one.size[1] for one in self.images], pa.int32()),
            "checksum": pa.array([one.checksum for one in self.images], pa.string()),
            "thumbnail": pa.array([one.small for one in self.images], pa.large_binary()),
            "predicted": pa.array(self.predicted, pa.int32()),
            "probability": pa.array(self.probability, pa.float32()),
        }
        for number, layer in enumerate(self.plan.layers):
            values = np.concatenate(self.features[layer])
            flat = pa.array(values.reshape(-1))
            columns[column(number)] = pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
        return pa.table(columns)

    def _unread(self) -> Any:
        import pyarrow as pa

        return pa.table(
            {
                "number": pa.array([one.number for one in self.failed], pa.int64()),
                "uri": pa.array([one.uri for one in self.failed], pa.string()),
                "reason": pa.array([one.reason for one in self.failed], pa.string()),
            }
        )


def column(number: int) -> str:
    """The column of a plan's layer: a store's columns have no dots in their names."""
    return f"features_{number}"
