"""Unit map: units laid out so that those with like answers lie together."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

FEW = 30  # units, below which neighbourhoods say too little for t-SNE
COMPONENTS = 50
PERPLEXITY = 15


def unit_map(
    profiles: Float[Tensor, "images units"], seed: int = 0
) -> tuple[Float[Tensor, "units 2"], str]:
    """A place for each unit, from 0 to 1 across and down, and the method's name.

    The units' profiles over the collection (see `alike.profiles`) through PCA, of more than a few
    units then t-SNE (van der Maaten and Hinton 2008) from there, openTSNE's.
    """
    points = _components(profiles, COMPONENTS)
    name = "PCA"
    if len(points) >= FEW:
        with suppress(ImportError):  # an extra
            points, name = _tsne(points, seed), "t-SNE"
    points = points[:, :2]
    low, high = points.amin(0), points.amax(0)
    return (points - low) / (high - low).clamp(min=1e-12), name


def _components(
    profiles: Float[Tensor, "images units"], count: int
) -> Float[Tensor, "units count"]:
    """The units' principal components; the sign of each is that of its greatest number."""
    rows = profiles.T.double()
    centred = rows - rows.mean(0)
    values, vectors = torch.linalg.eigh(centred @ centred.T)
    count = max(2, min(count, len(rows)))
    values, vectors = values.flip(0)[:count], vectors.flip(1)[:, :count]
    found: Tensor = vectors * values.clamp(min=0).sqrt()
    if found.shape[1] < 2:
        found = torch.cat([found, torch.zeros(len(found), 2 - found.shape[1])], 1)
    largest = found.gather(0, found.abs().argmax(0, keepdim=True))
    signs: Tensor = torch.where(largest < 0, -1.0, 1.0)
    return (found * signs).float()


def _tsne(points: Float[Tensor, "units dimensions"], seed: int) -> Float[Tensor, "units 2"]:
    from openTSNE import TSNE

    start = points[:, :2].numpy().astype(np.float64)
    start = start / max(1e-12, float(start[:, 0].std())) * 1e-4
    method: Any = TSNE(
        perplexity=min(PERPLEXITY, (len(points) - 1) / 3),
        initialization=start,
        random_state=seed,
        neighbors="exact",
        n_jobs=1,
    )
    made: list[list[float]] = np.asarray(method.fit(points.numpy())).tolist()
    return torch.tensor(made)
