"""Listing: everything small that a store knows of each image."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.atlas.store import IMAGES, Store


@dataclass(frozen=True, eq=False)
class Images:
    """What is known of each image, in the order of the collection.

    Attributes:
        uris: where each is found again.
        labels: the name of its class; "" where there is none.
        sizes: (images, 2), height and width in pixels.
        predicted: (images,), the network's most probable class; -1 where it has no classes.
        probability: (images,), of that class.
        numbers: (images,), its place in the collection, unread ones counted.
        checksums: of its file.
    """

    uris: list[str]
    labels: list[str]
    sizes: Int[Tensor, "images 2"]
    predicted: Int[Tensor, "images"]
    probability: Float[Tensor, "images"]
    numbers: Int[Tensor, "images"]
    checksums: list[str]

    @classmethod
    def of(cls, store: Store) -> Images:
        """Read from a store."""
        names = (
            "uri", "label", "height", "width", "predicted", "probability", "number", "checksum"
        )  # fmt: skip
        table = store.table(IMAGES, names)
        numbers = {name: torch.from_numpy(table[name].to_numpy().copy()) for name in names[2:7]}
        return cls(
            table["uri"].to_pylist(),
            table["label"].to_pylist(),
            torch.stack([numbers["height"], numbers["width"]], 1).long(),
            numbers["predicted"].long(),
            numbers["probability"],
            numbers["number"],
            table["checksum"].to_pylist(),
        )
