"""Agreement: how often neighbours bear the same label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from pellucid.atlas.nearest import Metric, nearest
from pellucid.errors import PellucidError

COUNTS = (1, 5, 10)  # neighbours
SAMPLE = 10_000  # images that are asked about, of more


@dataclass(frozen=True)
class Agreement:
    """Of an image's neighbours, the share with its own label; the mean over the images.

    Attributes:
        shares: by the number of neighbours.
        chance: of images drawn at random.
        asked: images that were asked about.
        among: images that have a label, the neighbours.
    """

    shares: dict[int, float]
    chance: float
    asked: int
    among: int


def numbered(labels: Sequence[str]) -> Int[Tensor, "images"]:
    """A number for each label, in the order of the alphabet; -1 for none."""
    known = {label: number for number, label in enumerate(sorted({*labels} - {""}))}
    return torch.tensor([known.get(label, -1) for label in labels], dtype=torch.long)


def agreement(
    features: Shaped[Tensor, "images numbers"],
    labels: Sequence[str],
    metric: Metric = "cosine",
    counts: Sequence[int] = COUNTS,
    sample: int = SAMPLE,
    seed: int = 0,
) -> Agreement:
    """Each labelled image is left out in turn, and its neighbours among the others are counted.

    Raises:
        PellucidError: fewer than two images have a label.
    """
    all_labels = numbered(labels)
    having = (all_labels >= 0).nonzero()[:, 0]
    if len(having) < 2:
        raise PellucidError("label agreement needs two images with labels at least")
    own, items = all_labels[having], features[having]
    asked = sampled(len(having), sample, seed)
    counts = [count for count in counts if count < len(having)]
    _, rows = nearest(items[asked].float(), items, max(counts), metric, asked)
    same = (own[rows] == own[asked][:, None]).double()
    sizes = torch.bincount(own).double()
    chance = float((sizes * (sizes - 1)).sum() / (len(own) * (len(own) - 1)))
    shares = {count: float(same[:, :count].mean()) for count in counts}
    return Agreement(shares, chance, len(asked), len(having))


def sampled(count: int, most: int, seed: int) -> Int[Tensor, "rows"]:
    """All of so many, or as many of them as may be, at random."""
    if count <= most:
        return torch.arange(count)
    random = torch.Generator().manual_seed(seed)
    return torch.randperm(count, generator=random)[:most].sort().values
