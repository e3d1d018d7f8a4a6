"""Map: a collection laid out in the plane, alike photos side by side."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxtyping import Float, Int
from torch import Tensor

from pellucid.atlas.pixel_space import Thumbnails
from pellucid.atlas.projections import NAMES, Projection
from pellucid.errors import PellucidError
from pellucid.page import Language
from pellucid.progress import follow
from pellucid.results import Result
from pellucid.scatter import Groups, scatter

if TYPE_CHECKING:
    from pellucid.atlas.wall.build import Wall

TOLD = (
    "neighbours kept", "trustworthiness", "distance correlation", "same label nearby",
    "same label in features",
)  # fmt: skip


@dataclass(frozen=True)
class New:
    """A photo from outside, placed on a map.

    Attributes:
        place: as the map's values.
        how: its place was found, in words.
    """

    name: str
    place: tuple[float, float]
    how: str


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Map(Result):
    """Photos as points.

    Attributes:
        values: (images, 2), in no unit.
        labels: of each image; "" where it has none.
        predicted: the name of the class that the network sees in it; "" where it has none.
        right: (images,), 1 where label and prediction agree, 0 where not, -1 where the label is
            no class of the network.
        uris: where each image is found.
        how: the projection.
        layer: whose features were projected.
        network: its name.
        kept: where small pictures of the images are.
        seed: that it was made with.
        new: photos that were placed on it later.
    """

    values: Float[Tensor, "images 2"]
    labels: tuple[str, ...]
    predicted: tuple[str, ...]
    right: Int[Tensor, "images"]
    uris: tuple[str, ...]
    how: Projection
    layer: str
    network: str
    kept: Thumbnails
    seed: int = 0
    new: tuple[New, ...] = ()

    @property
    def title(self) -> str:
        """What it is a map of."""
        return f"{len(self.values):,} photos by {self.layer} of {self.network}, {NAMES[self.how]}"

    @property
    def quality(self) -> list[tuple[str, float]]:
        """What is measured of it, by name; see `quality.quality`."""
        return [(name, float(self.facts[name])) for name in TOLD if name in self.facts]

    def image(self) -> Float[Tensor, "3 height width"]:
        """All points coloured by their labels; where there are none, by their predictions."""
        given = any(self.labels)
        groups = Groups.of(self.values, self.labels if given else self.predicted)
        told = ", ".join(f"{name} {value:.1%}" for name, value in self._shares())
        kind = "coloured by label" if given else "coloured by prediction"
        kind = kind if groups.names else "without labels"
        lines = [f"{kind}; {told}" if told else kind]
        marks = [(one.place, Path(one.name).name) for one in self.new]
        return scatter(self.values, groups, self.title, lines, marks)

    def _shares(self) -> list[tuple[str, float]]:
        return [(name, value) for name, value in self.quality if name != "distance correlation"]

    def data(self) -> dict[str, Any]:
        """With what it is of; the places are in `values`."""
        new = [{"name": one.name, "place": list(one.place), "how": one.how} for one in self.new]
        about = {"layer": self.layer, "method": self.how, "network": self.network}
        return super().data() | about | {"new": new}

    def page(
        self, path: str | os.PathLike[str], *, lang: Language = "en", force: bool = False
    ) -> Path:
        """Writes a page to look around in it: one file that works without a network connection.

        Raises:
            PellucidError: not an .html name, no such folder, a file is there already, or Bokeh is
                not installed.
        """
        from pellucid.atlas.page.page import write

        return write(self, Path(path), lang, force)

    def wall(
        self, path: str | os.PathLike[str], *, lang: Language = "en", force: bool = False
    ) -> Wall:
        """Writes the photos themselves, side by side by their places: a folder with a page to zoom.

        Raises:
            PellucidError: as `wall.build.wall`; or the map is of no atlas, such as one replayed.
        """
        from pellucid.atlas.atlas import Atlas
        from pellucid.atlas.wall.build import wall
        from pellucid.atlas.wall.photos import Photos

        if not isinstance(self.kept, Atlas):
            raise PellucidError("this map is of no atlas: a wall needs the photos themselves")
        photos = Photos.of(self.kept)
        return follow(wall(path, photos, self.values, lang=lang, force=force))
