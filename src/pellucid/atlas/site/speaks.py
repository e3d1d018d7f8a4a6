"""Speaks: which classes a unit speaks for, from the collection alone and from the classifier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.network import Network
from pellucid.record import recording

LEAST = 5  # images of a class, below which nothing is said of it


@dataclass(frozen=True, eq=False)
class Speech:
    """How each unit answers to each class against the rest.

    Attributes:
        classes: with at least `LEAST` images.
        effect: (units, classes), the class's mean minus the mean of all other images, in standard
            deviations of all images; 0 of a unit that never changes.
        inside, outside: (units, classes), the two means.
    """

    classes: list[str]
    effect: Float[Tensor, "units classes"]
    inside: Float[Tensor, "units classes"]
    outside: Float[Tensor, "units classes"]

    def best(self, unit: int, count: int) -> list[tuple[str, float, float, float]]:
        """Classes that the unit speaks for, most first: name, effect, mean inside and outside."""
        order = self.effect[unit].argsort(descending=True, stable=True)[:count].tolist()
        tables = self.effect, self.inside, self.outside
        return [
            (self.classes[at], *(float(table[unit, at]) for table in tables))
            for at in order
            if self.effect[unit, at] > 0
        ]


def speech(features: Float[Tensor, "images units"], classes: Sequence[str]) -> Speech:
    """What the answers over a collection say, without any gradient.

    Args:
        classes: of each image; "" where it has none, which counts among the rest.
    """
    counts = Counter(name for name in classes if name)
    names = sorted(
        name for name, count in counts.items() if count >= LEAST and count < len(classes)
    )
    number = {name: place for place, name in enumerate(names)}
    values, sizes = features.double(), torch.tensor([counts[name] for name in names])
    rows = torch.tensor([number.get(name, len(names)) for name in classes])
    sums = torch.zeros(len(names) + 1, values.shape[1], dtype=torch.float64)
    sums.index_add_(0, rows, values)
    sums, total = sums[:-1], values.sum(0)
    inside = sums / sizes[:, None]
    outside = (total - sums) / (len(values) - sizes)[:, None]
    spread = values.std(0, correction=0)
    still = spread <= 1e-6 * values.abs().amax(0)
    effect = torch.where(still, 0.0, (inside - outside) / spread.where(~still, 1.0))
    return Speech(names, *(table.T.float() for table in (effect, inside, outside)))


def weights(net: Network, layer: str) -> Float[Tensor, "units classes"] | None:
    """What each unit adds to each class's score, where a linear classifier reads its mean.

    None, where the scores are not a linear function of the layer's means over its places. That is
    tried on a random input, not taken from names.
    """
    known, scores = net.layers[layer], net.layers[""]
    if len(scores.shape) != 1 or not known.layout.channels:
        return None
    linear = [
        (name, part)
        for name, part in net.module.named_modules()
        if isinstance(part, nn.Linear)
        and part.out_features == scores.shape[0]
        and part.in_features == known.layout.channels
        and name in net.layers
    ]
    if not linear or layer == linear[-1][0]:
        return None
    part = linear[-1][1]
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(net.blank().shape, generator=generator).to(net.device, net.dtype)
    with torch.no_grad(), net.at_rest(), recording(net.module, [layer], stop=False) as seen:
        found = net.scores(inputs)
    with torch.no_grad():
        means = known.layout.maps(seen[layer]).mean((2, 3))
        same = torch.allclose(part(means), found, rtol=1e-3, atol=1e-4)
    return part.weight.detach().float().cpu().T if same else None
