"""Photos of a wall: how they are opened and what is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pellucid.atlas.wall.squares import Open
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from pellucid.atlas.atlas import Atlas


@dataclass(frozen=True)
class Photos:
    """A collection, as far as its wall needs it; every list has an entry for each photo.

    Attributes:
        opened: gives the photo of a row.
        uris: where each is found.
        labels: "" where there is none.
        predicted: what the network calls each, "" for nothing; empty: nothing is known.
        shares: the probability of that, 0 to 1.
        sizes: height and width in pixels; empty: not known.
        network: its name.
    """

    opened: Open
    uris: Sequence[str]
    labels: Sequence[str] = field(default=())
    predicted: Sequence[str] = field(default=())
    shares: Sequence[float] = field(default=())
    sizes: Sequence[tuple[int, int]] = field(default=())
    network: str = ""

    def __post_init__(self) -> None:
        if not self.uris:
            raise PellucidError("a wall needs a photo")
        for name in ("labels", "predicted", "shares", "sizes"):
            given = getattr(self, name)
            if given and len(given) != len(self.uris):
                raise PellucidError(f"{len(self.uris)} photos have {len(given)} {name}")

    @classmethod
    def of(cls, atlas: Atlas) -> Photos:
        """Those of an atlas; without predictions where its network is not at hand."""
        images = atlas.images
        try:
            names = atlas.classes
        except PellucidError:
            names = []
        guesses = [names[at] if 0 <= at < len(names) else "" for at in images.predicted.tolist()]
        return cls(
            opened=atlas.photo,
            uris=images.uris,
            labels=images.labels,
            predicted=guesses,
            shares=images.probability.nan_to_num().tolist(),
            sizes=[(height, width) for height, width in images.sizes.tolist()],
            network=str(atlas.store.manifest.network["name"]),
        )

    def __len__(self) -> int:
        return len(self.uris)
