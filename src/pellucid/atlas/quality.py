"""Quality: what a map keeps of the features that it is of."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.atlas.agreement import agreement, numbered, sampled
from pellucid.atlas.nearest import nearest

NEIGHBOURS = 10
ASKED = 2_000  # images whose neighbours are compared, of more
PAIRED = 1_000  # images whose distances are compared, of more


def quality(
    features: Float[Tensor, "images numbers"],
    points: Float[Tensor, "images 2"],
    labels: Sequence[str] = (),
    seed: int = 0,
) -> dict[str, float]:
    """Four numbers, Euclidean in both spaces; of large collections on a sample, of all neighbours.

    "neighbours kept": share of an image's 10 nearest in features that are so on the map.
    "trustworthiness": 1 - a penalty for those near on the map alone, by how far down they are in
    features (Venna, Kaski 2001). "distance correlation": Spearman's, over pairs of images.
    "same label nearby": share of the 10 nearest on the map with an image's own label; beside it
    "same label in features".
    """
    count = len(points)
    found: dict[str, float] = {}
    near = min(NEIGHBOURS, (count - 1) // 2)
    if near >= 1:
        asked = sampled(count, ASKED, seed)
        own = features[asked].float(), points[asked].float()
        _, before = nearest(own[0], features, near, "l2", asked)
        _, after = nearest(own[1], points, near, "l2", asked)
        found["neighbours kept"] = kept(before, after)
        found["trustworthiness"] = trustworthiness(features, asked, after)
    if count >= 3:
        some = sampled(count, PAIRED, seed)
        far = [torch.pdist(rows[some].double()) for rows in (features, points)]
        found["distance correlation"] = spearman(far[0], far[1])
    if int((numbered(labels) >= 0).sum()) > NEIGHBOURS:
        for name, rows in (("same label nearby", points), ("same label in features", features)):
            shares = agreement(rows, labels, "l2", (NEIGHBOURS,), ASKED, seed).shares
            found[name] = shares[NEIGHBOURS]
    return found


def kept(before: Int[Tensor, "images near"], after: Int[Tensor, "images near"]) -> float:
    """Share of the neighbours before that are neighbours after."""
    return float((before[:, :, None] == after[:, None, :]).any(2).double().mean())


def trustworthiness(
    features: Float[Tensor, "images numbers"],
    asked: Int[Tensor, "asked"],
    after: Int[Tensor, "asked near"],
) -> float:
    """Whether those near on the map are near in features; 1 where all are.

    Args:
        asked: images, whose neighbours on the map are `after`.
    """
    count, near = len(features), after.shape[1]
    penalty = 0.0
    for images, close in zip(torch.split(asked, 256), torch.split(after, 256), strict=True):
        # As distances are compared with each other, all come out of the same product.
        far = torch.cdist(features[images].double(), features.double())
        far[torch.arange(len(images)), images] = -1.0
        rank = torch.searchsorted(far.sort(dim=1).values, far.gather(1, close))
        penalty += float((rank - near).clamp(min=0).sum())
    return 1 - penalty * 2 / (len(asked) * near * (2 * count - 3 * near - 1))


def spearman(one: Float[Tensor, "pairs"], other: Float[Tensor, "pairs"]) -> float:
    """Correlation of ranks, equal numbers sharing theirs; 0 where all are equal."""
    ranks = torch.stack([_ranks(one), _ranks(other)])
    ranks = ranks - ranks.mean(1, keepdim=True)
    sizes = ranks.norm(dim=1)
    return float((ranks[0] * ranks[1]).sum() / sizes.prod()) if bool((sizes > 0).all()) else 0.0


def _ranks(numbers: Float[Tensor, "pairs"]) -> Float[Tensor, "pairs"]:
    _, where, counts = torch.unique(numbers, return_inverse=True, return_counts=True)
    ends = counts.cumsum(0).double()
    ranks: Tensor = (ends - (counts.double() - 1) / 2)[where]
    return ranks
