"""Store: the folder of Lance data sets that a survey fills."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from pellucid.atlas import readings_table
from pellucid.atlas.folder import Folder, lance
from pellucid.atlas.gauge import Reading, empty
from pellucid.atlas.manifest import NAME, Manifest
from pellucid.atlas.rows import Tables
from pellucid.errors import PellucidError
from pellucid.network import Network

IMAGES, PATCHES, STATISTICS, FAILED = "images", "patches", "statistics", "failed"
PARTS = (IMAGES, PATCHES, STATISTICS, FAILED)


class Store:
    """Images with their features, best places, statistics and what could not be read.

    Each is a Lance data set, and each writing makes a new version of it; the manifest, which is
    replaced last, says which versions belong together. Whoever reads sees what the manifest says,
    also while somebody writes, and after a kill.
    """

    def __init__(self, folder: Folder, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self.net: Network | None = None

    @classmethod
    def open(cls, place: str | os.PathLike[str]) -> Store:
        """The store in a folder.

        Raises:
            PellucidError: there is none, or it is damaged.
        """
        folder = Folder(place)
        text = folder.read(NAME)
        if text is None:
            raise PellucidError(f"there is no atlas at {folder.place}")
        lance()
        return cls(folder, Manifest.read(text, folder.place))

    @property
    def failures(self) -> int:
        """Images that could not be read."""
        return self.manifest.failures

    def readings(self) -> dict[str, Reading] | None:
        """What was counted so far, layer by layer; None where nothing was."""
        if PATCHES not in self.manifest.versions:
            return None
        assert self.net is not None, "a store is read on by a writer"
        tables = self.table(PATCHES), self.table(STATISTICS)
        return empty(self.net, self.manifest.plan) | readings_table.read(
            *tables, self.manifest.plan, self.manifest.grids
        )

    def table(self, part: str, columns: Sequence[str] | None = None) -> Any:
        """One of the parts, or some of its columns, as an Arrow table.

        Raises:
            PellucidError: it is damaged or gone.
        """
        with self._told(part):
            return self.dataset(part).to_table(columns=None if columns is None else list(columns))

    def rows(self, numbers: Sequence[int], columns: Sequence[str]) -> Any:
        """Some images, in the order asked for, as an Arrow table."""
        with self._told(IMAGES):
            return self.dataset(IMAGES).take(list(numbers), columns=list(columns))

    def dataset(self, part: str) -> Any:
        """One of the parts in the version that the manifest names, as Lance has it."""
        version = self.manifest.versions.get(part)
        if version is None:
            raise PellucidError(f"{self.folder.place} has no {part}")
        with self._told(part):
            return lance().dataset(self._path(part), version=version)

    @contextmanager
    def writing(self, net: Network) -> Iterator[None]:
        """Alone to write, inside the `with`, from where the manifest stands.

        Raises:
            PellucidError: another network, or another writer.
        """
        self.manifest.check(net, self.folder.place)
        with self.folder.alone():
            self.refresh()
            self.net = net
            for part, version in self.manifest.versions.items():
                found = self.dataset(part)
                latest = lance().dataset(self._path(part))
                if latest.version != version:  # written, but not named before a kill
                    with self._told(part):
                        found.restore()
                        version = lance().dataset(self._path(part)).version
                    self.manifest.versions[part] = version
            yield
            self._cleaned()

    def refresh(self) -> None:
        """The manifest as it is now."""
        text = self.folder.read(NAME)
        if text is not None:
            self.manifest = Manifest.read(text, self.folder.place)

    def write(self, rows: Tables, readings: dict[str, Reading], seen: int) -> None:
        """Some images more, together with what was counted up to them.

        Raises:
            PellucidError: the disk is full, or another one has written meanwhile.
        """
        manifest = self.manifest
        if self.folder.remote:
            self.refresh()
            if self.manifest.seen != manifest.seen:
                raise PellucidError(f"another survey is writing into {self.folder.place}")
        versions = dict(manifest.versions)
        patches, statistics = readings_table.tables(readings)
        versions[PATCHES] = self.put(PATCHES, patches)
        versions[STATISTICS] = self.put(STATISTICS, statistics)
        counts = {IMAGES: manifest.images, FAILED: manifest.failures}
        for part, table in ((FAILED, rows.failed), (IMAGES, rows.images)):
            if table is not None:
                versions[part] = self.put(part, table, append=part in versions)
                counts[part] += table.num_rows
        chain = manifest.chain
        for uri in rows.uris:
            chain = linked(chain, uri)
        self.set(
            manifest.but(
                versions=versions,
                seen=seen,
                images=counts[IMAGES],
                failures=counts[FAILED],
                chain=chain,
            )
        )

    def put(self, part: str, table: Any, *, append: bool = False) -> int:
        """Writes a part anew, or more of it, and gives its version. No manifest names it yet."""
        with self._told(part, "cannot write"):
            mode = "append" if append else "overwrite"
            made = lance().write_dataset(table, self._path(part), mode=mode)
            return int(made.version)

    def set(self, manifest: Manifest) -> None:
        """The manifest that holds from now on."""
        self.folder.write(NAME, manifest.text())
        self.manifest = manifest

    def _path(self, part: str) -> str:
        return self.folder.path(f"{part}.lance")

    def _cleaned(self) -> None:
        """Gives back the room of versions that no manifest names any more."""
        for part, version in self.manifest.versions.items():
            made = lance().dataset(self._path(part))
            if made.version == version:
                with self._told(part, "cannot write"):
                    made.cleanup_old_versions(older_than=timedelta(0), delete_unverified=True)

    @contextmanager
    def _told(self, part: str, what: str = "cannot read") -> Iterator[None]:
        """What Lance raises, in one line."""
        try:
            yield
        except PellucidError:
            raise
        except (OSError, ValueError, RuntimeError) as error:
            text = " ".join(str(error).split(", /")[0].split())[:300]
            hint = "" if what == "cannot write" else " (`pellucid atlas check` says more)"
            raise PellucidError(f"{what} {self._path(part)}: {text}{hint}") from None


def linked(chain: str, uri: str) -> str:
    """What stands for a row of addresses, with one more."""
    return hashlib.sha256(f"{chain}\n{uri}".encode()).hexdigest()[:32]
