"""Atlas: a collection of photos as a network sees it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.atlas import stream as streams
from pellucid.atlas.best import NONE, Best
from pellucid.atlas.gauge import Reading
from pellucid.atlas.item import Opened
from pellucid.atlas.listing import Images
from pellucid.atlas.readings_table import read
from pellucid.atlas.reread import reread
from pellucid.atlas.rows import column
from pellucid.atlas.store import IMAGES, PATCHES, STATISTICS, Store
from pellucid.atlas.tally import Statistics
from pellucid.counted import counted
from pellucid.errors import PellucidError, Unknown
from pellucid.images import Photo
from pellucid.network import Network
from pellucid.notebook import strip, table
from pellucid.progress import follow
from pellucid.zoo import load

if TYPE_CHECKING:
    from pellucid.atlas.map import Map
    from pellucid.atlas.projections import Projection
    from pellucid.neighbours import Neighbours


class Atlas:
    """What one pass over a collection has found; everything is read from it.

    Example:
        >>> atlas = Atlas.build("flowers.atlas", net, "flowers/", layers=["relu7"])
        >>> atlas.features("relu7").shape, atlas.best("relu7").values.shape
    """

    def __init__(self, store: Store, net: Network | None, photos: Any) -> None:
        self.store = store
        self._net = net
        self._photos = None if photos is None else streams.stream(photos)

    def __repr__(self) -> str:
        name = self.store.manifest.network["name"]
        return f"<Atlas {self.path}: {counted(len(self), 'image')} through {name}>"

    def _repr_html_(self) -> str:
        rows = [round(n * (len(self) - 1) / 23) for n in range(24)] if len(self) > 24 else None
        shown = self.thumbnails(rows or range(len(self)))
        facts = [("layers", ", ".join(self.layers)), ("maps", ", ".join(self.maps) or "none yet")]
        facts += [("could not be read", str(len(self.unread)))] if self.unread else []
        return f"<p>{escape(repr(self))}</p>{strip(shown)}{table('what it knows', ('', ''), facts)}"

    def __len__(self) -> int:
        return self.store.manifest.images

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        net: Network | None = None,
        *,
        photos: Any = None,
    ) -> Atlas:
        """The atlas in a folder, to read.

        Args:
            net: its network; where none is given, it is loaded when it is needed.
            photos: the data set that its images came from, where no file holds them.

        Raises:
            PellucidError: there is none, it is damaged, or of another network.
        """
        store = Store.open(path)
        if net is not None:
            store.manifest.check(net, store.folder.place)
        return cls(store, net, photos)

    @classmethod
    def build(cls, path: str | os.PathLike[str], net: Network, photos: Any, **more: Any) -> Atlas:
        """Surveys a collection into a new folder, or goes on with one that was interrupted.

        Args:
            path: of the folder, also an address in object storage.
            photos: whatever `stream` takes.
            more: `layers`, `keep`, `per_image`, `negative`, `whole`, `precision`, `batch` of
                `Plan`, `workers` that decode, and `engine`: "ray" for a cluster.

        Raises:
            PellucidError: there is a finished atlas, or one of another network, plan or
                collection; no image can be read; the disk is full.
        """
        from pellucid.atlas.building import building

        return follow(building(path, net, photos, **more))

    def append(self, photos: Any, **more: Any) -> Atlas:
        """Surveys the images of a collection that are not in the atlas yet.

        Raises:
            PellucidError: as `build`.
        """
        from pellucid.atlas.building import appending

        return follow(appending(self.path, self.network(), photos, **more))

    @property
    def path(self) -> str:
        """The folder."""
        return self.store.folder.place

    @property
    def layers(self) -> tuple[str, ...]:
        """That were surveyed."""
        return self.store.manifest.plan.layers

    @property
    def classes(self) -> list[str]:
        """The network's class names, which `images.predicted` counts."""
        net = self.network()
        return net.labels if len(net.layers[""].shape) == 1 else []

    @cached_property
    def images(self) -> Images:
        """Everything small that is known of each image."""
        return Images.of(self.store)

    def network(self) -> Network:
        """The network that it is of, loaded where none was given.

        Raises:
            PellucidError: it cannot be loaded, or its weights are others now.
        """
        if self._net is None:
            facts = self.store.manifest.network
            spec = facts["spec"]
            if not isinstance(spec, dict) or not spec.get("name"):
                raise PellucidError(
                    f"{self.path} is of {facts['name']}, a module of your own: give it, "
                    f"Atlas.open(…, net)"
                )
            if ".py:" in str(spec["name"]):
                raise PellucidError(
                    f"{self.path} is of the code in {spec['name']}, which is not run unasked: give "
                    f"the network, Atlas.open(…, net) or --network"
                )
            net = load(**spec)
            self.store.manifest.check(net, self.path)
            self._net = net
        return self._net

    def thumbnails(self, rows: Sequence[int]) -> list[bytes]:
        """Images as small JPEG files, their longer side 128 px, by their rows."""
        found: list[bytes] = self.store.rows(rows, ["thumbnail"])["thumbnail"].to_pylist()
        return found

    def photo(self, row: int) -> Photo:
        """An image itself, read again.

        Raises:
            PellucidError: there is no such row, or the image is no longer there.
        """
        return self.opened(row).photo

    def opened(self, row: int) -> Opened:
        """An image read again, with what its file holds now; raises as `photo` does."""
        return reread(self, row, self._photos)

    def features(self, layer: str) -> Float[Tensor, "images numbers"]:
        """What a layer says of each image: of each channel the mean over its places.

        Raises:
            Unknown: the layer was not surveyed.
        """
        name = column(self._number(layer))
        values = self.store.table(IMAGES, [name])[name].combine_chunks()
        flat = values.flatten().to_numpy(zero_copy_only=False)
        return torch.from_numpy(flat.astype("float32")).reshape(len(values), -1)

    def best(self, layer: str, negative: bool = False) -> Best:
        """Of each channel the places where it answers most; images are rows of the atlas.

        Raises:
            Unknown: the layer was not surveyed.
            PellucidError: the most negative places were not surveyed.
        """
        reading = self._reading(layer)
        best = reading.worst if negative else reading.best
        if best is None:
            raise PellucidError(
                f"{self.path} was made without the most negative places: build it with "
                f"--negative (negative=True)"
            )
        rows = torch.searchsorted(self.images.numbers, best.images)
        return Best(best.values, torch.where(best.images < 0, NONE, rows), best.places)

    def statistics(self, layer: str) -> Statistics:
        """How a layer's channels answer to the collection.

        Raises:
            Unknown: the layer was not surveyed.
        """
        tally = self._reading(layer).tally
        if tally is None:
            raise PellucidError(f"{self.path} holds no image")
        return tally.statistics()

    @cached_property
    def unread(self) -> list[tuple[str, str]]:
        """Images that were set aside, and why."""
        if not self.store.failures:
            return []
        table = self.store.table("failed").to_pydict()
        return list(zip(table["uri"], table["reason"], strict=True))

    @property
    def maps(self) -> list[str]:
        """Names of the maps that were made of it."""
        return sorted(self.store.manifest.maps)

    def neighbours(self, asked: Any, **settings: Any) -> Neighbours:
        """The images nearest to a photo, a row, a vector or a unit, or to several of these.

        Args:
            asked: see `neighbours.neighbours`, which also says what may go wrong.
            settings: `count`, `layer`, `metric`, `pixels`.

        Example:
            >>> atlas.neighbours("dog.jpg", count=8)[0].features[0].uri
        """
        from pellucid.atlas import neighbours

        return follow(neighbours.neighbours(self, asked, **settings))

    def map(self, method: Projection = "tsne", **settings: Any) -> Map:
        """All images laid out in the plane; a map is made once and kept.

        Args:
            method: "tsne", "pca", "umap" or "pacmap".
            settings: `layer` and `seed`; see `maps.mapping`.

        Example:
            >>> atlas.map("tsne", seed=0).page("map.html")
        """
        from pellucid.atlas.maps import mapping

        return follow(mapping(self, method, **settings))

    def write_map(
        self, name: str, points: Float[Tensor, "images 2"], facts: dict[str, Any]
    ) -> None:
        """Keeps a map of the images under a name."""
        import pyarrow as pa

        table = pa.table({"x": points[:, 0].numpy(), "y": points[:, 1].numpy()})
        with self.store.folder.alone():
            self.store.refresh()
            part = f"map-{name}"
            versions = self.store.manifest.versions | {part: self.store.put(part, table)}
            maps = self.store.manifest.maps | {name: facts}
            self.store.set(self.store.manifest.but(versions=versions, maps=maps))

    def read_map(self, name: str) -> tuple[Float[Tensor, "images 2"], dict[str, Any]]:
        """A map by its name, and how it was made.

        Raises:
            Unknown: there is no such map.
        """
        if name not in self.maps:
            raise Unknown("map", name, self.maps, f"(of {self.path})")
        table = self.store.table(f"map-{name}")
        points = torch.stack([torch.from_numpy(table[axis].to_numpy().copy()) for axis in "xy"], 1)
        return points, self.store.manifest.maps[name]

    def _number(self, layer: str) -> int:
        if layer not in self.layers:
            raise Unknown("surveyed layer", layer, self.layers, f"(in {self.path})")
        return self.layers.index(layer)

    def _reading(self, layer: str) -> Reading:
        self._number(layer)
        return self._readings[layer]

    @cached_property
    def _readings(self) -> dict[str, Reading]:
        manifest = self.store.manifest
        tables = self.store.table(PATCHES), self.store.table(STATISTICS)
        return read(*tables, manifest.plan, manifest.grids)
