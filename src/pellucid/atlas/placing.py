"""Placing: new photos on a map that is there already."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.atlas.nearest import nearest
from pellucid.atlas.projections import (
    COMPONENTS,
    PERPLEXITY,
    Components,
    Projection,
    library,
)
from pellucid.errors import PellucidError

NEAR = 10  # images of the map that say where a new one belongs, where the method does not


def placed(
    new: Float[Tensor, "new length"],
    features: Float[Tensor, "images numbers"],
    points: Float[Tensor, "images 2"],
    how: Projection,
    seed: int = 0,
) -> tuple[Float[Tensor, "new 2"], str]:
    """Where new photos lie among the old ones, which stay where they are.

    By PCA they are projected as the others were. By t-SNE each is drawn to the images that it is
    like and pushed off by the others, as openTSNE's `transform` does (Poličar, Stražar, Zupan
    2019). UMAP and PaCMAP keep nothing that could place a new one: it lies at the mean of its 10
    nearest in features, the nearer ones with more weight.

    Returns:
        Places, and in words how they were found.

    Raises:
        PellucidError: features of another length, or openTSNE is not installed.
    """
    if new.shape[1] != features.shape[1]:
        raise PellucidError(
            f"the map is of {features.shape[1]} numbers for each photo, not {new.shape[1]}"
        )
    if how == "pca":
        plane = Components.of(features, 2)
        found = torch.nn.functional.pad(plane.of_rows(new), (0, 2 - plane.axes.shape[1]))
        return found.float(), "projected as the others were"
    if how == "tsne":
        return _tsne(new, features, points, seed), "moved by t-SNE, the others staying in place"
    return _mean(new, features, points), f"the weighted mean of the {NEAR} nearest in features"


def _tsne(new: Tensor, features: Tensor, points: Tensor, seed: int) -> Tensor:
    library("tsne")
    import openTSNE

    components = Components.of(features, min(COMPONENTS, features.shape[1]))
    perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
    likeness = openTSNE.affinity.PerplexityBasedNN(
        components.of_rows(features).numpy(), perplexity=perplexity, random_state=seed
    )
    there = openTSNE.TSNEEmbedding(points.double().numpy(), likeness, random_state=seed)
    made = there.transform(components.of_rows(new).numpy(), perplexity=min(5.0, perplexity))
    return torch.from_numpy(np.asarray(made, dtype=np.float32).copy())


def _mean(new: Tensor, features: Tensor, points: Tensor) -> Tensor:
    far, rows = nearest(new, features, NEAR, "l2")
    # One that is there already has all the weight.
    weights = 1 / far.clamp(min=1e-9 * float(far.max()) + 1e-12)
    weights = weights / weights.sum(1, keepdim=True)
    return (points[rows].double() * weights[:, :, None]).sum(1).float()
