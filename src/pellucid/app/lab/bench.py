"""Bench: what a worker has at hand: networks, photos, the atlas."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid import images
from pellucid.errors import PellucidError, Unknown
from pellucid.images import Photo, open_image
from pellucid.network import Network
from pellucid.zoo import load

if TYPE_CHECKING:
    from pellucid.app.lab.shelf import Shelf
    from pellucid.atlas.atlas import Atlas

KEPT = 2  # networks in memory at a time


@dataclass
class Bench:
    """What a worker has at hand.

    Attributes:
        specs: arguments of `load` by the names that the page knows; no other network is loaded.
        device: for all of them.
        folder: that uploads lie in; no other file is opened as a photo.
        pixels: most of a photo; set for the whole process by the worker.
        place: of the atlas; empty for none.
    """

    specs: dict[str, dict[str, Any]]
    device: str
    folder: str
    pixels: int
    place: str = ""
    _kept: OrderedDict[str, Network] = field(default_factory=OrderedDict)

    def network(self, name: str) -> Network:
        """A network by its name, kept for the next job.

        Raises:
            Unknown: it is not among those of the page.
            PellucidError: it cannot be loaded.
        """
        if name not in self.specs:
            raise Unknown("network", name, self.specs)
        if name not in self._kept:
            while len(self._kept) >= KEPT:
                self._kept.popitem(last=False)
            self._kept[name] = load(**self.specs[name], device=self.device)
        self._kept.move_to_end(name)
        return self._kept[name]

    def photo(self, source: str, called: str = "") -> Photo:
        """A bundled photo by its name, or an uploaded one.

        Args:
            called: the name that the file had where it came from.

        Raises:
            PellucidError: it is none, too large, or outside of the folder of uploads.
        """
        if source.startswith("photo:"):
            return open_image(source)
        name = called or Path(source).name
        path, home = Path(source).resolve(), Path(self.folder).resolve()
        if home not in path.parents or not path.is_file():
            raise PellucidError(f"{name} is not among the photos that were uploaded here")
        return images.from_bytes(path.read_bytes(), name)

    @cached_property
    def atlas(self) -> Atlas:
        """The atlas, its network that of the page where it has the same name.

        Raises:
            PellucidError: there is none.
        """
        from pellucid.atlas.atlas import Atlas

        if not self.place:
            raise PellucidError("the lab was started without an atlas: pellucid lab ATLAS")
        atlas = Atlas.open(self.place)
        name = (atlas.store.manifest.network["spec"] or {}).get("name")
        if name in self.specs:
            # Under one name may be other weights: then the atlas finds its own.
            with suppress(PellucidError):
                return Atlas.open(self.place, self.network(name))
        return atlas

    @cached_property
    def shelf(self) -> Shelf:
        """What the page shows of the atlas."""
        from pellucid.app.lab.shelf import Shelf

        return Shelf(self.atlas, Path(self.folder))
