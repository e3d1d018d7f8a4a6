"""Groups: photos that look alike to a network, found on a map of their features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.errors import PellucidError

COMPONENTS = 50  # of PCA in front of the map, as in the paper
PERPLEXITY = 30.0  # of t-SNE: about how many neighbours count; fewer where there are few photos
LEAST = 10  # photos for a map by t-SNE: of fewer, PCA's plane is the map
FEW = 3  # photos that are one group where no number is asked for
MOST_GROUPS = 8  # that are tried where no number is asked for
NEARLY = (
    0.02  # of silhouette, from -1 to 1: fewer groups are taken that lie as well apart but for it
)
EXACT = 400  # photos up to which t-SNE is the exact one


@dataclass(frozen=True)
class Groups:
    """Photos on a map, in groups; the largest group is the first.

    Attributes:
        places: (photos, 2), where each lies on the map.
        number: (photos,), the group of each, from 0.
        centres: (groups, 2), on the map.
    """

    places: Float[Tensor, "photos 2"]
    number: Int[Tensor, "photos"]
    centres: Float[Tensor, "groups 2"]

    @property
    def sizes(self) -> list[int]:
        """Photos in each group."""
        counts: list[int] = torch.bincount(self.number, minlength=len(self.centres)).tolist()
        return counts

    def nearest(self, group: int, count: int) -> list[int]:
        """The photos of a group, up to so many, the nearest to its centre first."""
        inside = (self.number == group).nonzero()[:, 0]
        far = (self.places[inside] - self.centres[group]).norm(dim=1)
        order: list[int] = inside[far.argsort(stable=True)][:count].tolist()
        return order


def grouped(features: Float[Tensor, "photos numbers"], count: int | None, seed: int) -> Groups:
    """Features -> PCA -> t-SNE -> k-means (Nguyen, Yosinski, Clune 2016).

    Args:
        features: one row for each photo.
        count: of groups; None: as few as lie nearly as well apart on the map as any number of them
            (by their mean silhouette: Rousseeuw 1987).
        seed: of t-SNE and k-means.

    Raises:
        PellucidError: more groups than photos, or scikit-learn is not installed.
    """
    flat = principal(features.double(), COMPONENTS)
    # Not told apart by the last bit of rounding.
    distinct = len((flat / flat.abs().max().clamp(min=1e-12)).round(decimals=6).unique(dim=0))
    if count is not None and count > distinct:
        raise PellucidError(
            f"{count} facets need at least {count} photos that differ, and here are {distinct}"
        )
    if count == 1 or (count is None and distinct <= FEW):
        places = _plane(flat)
        return _ordered(places, torch.zeros(len(flat), dtype=torch.long))
    seed %= 2**32  # more is no seed to numpy
    places = _map(flat, seed)
    number = _means(places, count, seed) if count is not None else _best(places, distinct, seed)
    return _ordered(places, number)


def principal(
    rows: Float[Tensor, "photos numbers"], most: int
) -> Float[Tensor, "photos components"]:
    """Rows in their principal components, the widest first; the sign of each is fixed."""
    rows = rows - rows.mean(0)
    left, sizes, _ = torch.linalg.svd(rows, full_matrices=False)
    found = (left * sizes)[:, :most]
    signs = found.gather(0, found.abs().argmax(0, keepdim=True)).sign()
    turned: Tensor = found * signs.where(signs != 0, 1)
    return turned


def _plane(flat: Float[Tensor, "photos components"]) -> Float[Tensor, "photos 2"]:
    missing = max(0, 2 - flat.shape[1])
    return torch.nn.functional.pad(flat[:, :2], (0, missing))


def _map(flat: Float[Tensor, "photos components"], seed: int) -> Float[Tensor, "photos 2"]:
    """Two numbers for each photo, such that neighbours stay neighbours."""
    plane = _plane(flat)
    spread = plane[:, 0].std()
    if len(flat) < LEAST or not spread > 0:
        return plane
    start = plane / spread * 1e-4  # as openTSNE and scikit-learn begin
    tsne = learning().manifold.TSNE(
        perplexity=min(PERPLEXITY, (len(flat) - 1) / 3),
        init=start.numpy(),
        method="exact" if len(flat) <= EXACT else "barnes_hut",
        random_state=seed,
    )
    return torch.from_numpy(tsne.fit_transform(flat.numpy())).double()


def _means(places: Float[Tensor, "photos 2"], count: int, seed: int) -> Int[Tensor, "photos"]:
    means = learning().cluster.KMeans(count, n_init=10, random_state=seed)
    return torch.from_numpy(means.fit_predict(places.numpy())).long()


def _best(places: Float[Tensor, "photos 2"], distinct: int, seed: int) -> Int[Tensor, "photos"]:
    """As few groups as lie nearly best apart, of about five photos at least, where there are."""
    most = max(2, min(MOST_GROUPS, distinct // 5))
    tried = [_means(places, count, seed) for count in range(2, most + 1)]
    apart = [silhouette(places, number) for number in tried]
    return next(
        number for number, found in zip(tried, apart, strict=True) if found >= max(apart) - NEARLY
    )


def silhouette(places: Float[Tensor, "photos 2"], number: Int[Tensor, "photos"]) -> float:
    """How well groups lie apart: 1 far apart, 0 side by side; 0 where nothing can be said."""
    if not 2 <= len(set(number.tolist())) < len(number):
        return 0.0
    return float(learning().metrics.silhouette_score(places.numpy(), number.numpy()))


def _ordered(places: Float[Tensor, "photos 2"], number: Int[Tensor, "photos"]) -> Groups:
    sizes = torch.bincount(number)
    order = sizes.argsort(descending=True, stable=True)
    order = order[sizes[order] > 0]
    number = (number[:, None] == order).int().argmax(1)
    centres = torch.stack([places[number == group].mean(0) for group in range(len(order))])
    return Groups(places, number, centres)


def learning() -> Any:
    """scikit-learn, imported where it is needed.

    Raises:
        PellucidError: it is not installed.
    """
    try:
        import sklearn
        import sklearn.cluster
        import sklearn.manifold
        import sklearn.metrics
    except ImportError:
        raise PellucidError(
            "facets needs scikit-learn for its map and groups: pip install 'pellucid[facets]'"
        ) from None
    return sklearn
