"""Lab: what all parts of the page share."""

from __future__ import annotations

import shutil
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pellucid import stock
from pellucid.app.lab.desk import Desk, News
from pellucid.images import open_image, thumbnail

THUMBNAIL = 240  # px of the longer side
RESULTS = "results"  # folder of what was made
HOUR = 3600.0
SWEEP = 300.0  # s between two rounds


@dataclass
class Lab:
    """What all parts of the page share.

    Attributes:
        desk: takes the jobs.
        networks: names to choose from, the first one first.
        folder: of uploads and results; everything in it is gone when the lab ends.
        place: of the atlas; empty for none.
        kept: s that a file stays in the folder.
        mounts: folders that the page serves, by their address.
    """

    desk: Desk
    networks: list[str]
    folder: Path
    place: str = ""
    kept: float = HOUR
    mounts: dict[str, Path] = field(default_factory=dict)
    _facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)

    def facts(self, network: str) -> dict[str, Any]:
        """Layers and labels of a network; empty as long as others are at work."""
        if network not in self._facts:
            if self.desk.busy:
                return {"layers": [], "labels": [], "input": []}
            last = self.desk.last("facts", {"network": network})
            if last.kind != "done":
                return {"layers": [], "labels": [], "input": [], "problem": last.facts.get("text")}
            self._facts[network] = last.facts
        return self._facts[network]

    def stock(self) -> dict[str, Path]:
        """Small pictures of the photos that are installed here, by name."""
        folder = self.folder / "stock"
        folder.mkdir(exist_ok=True)
        found = {}
        for name in stock.photos():
            file = folder / f"{name.removeprefix('photo:')}.jpg"
            if not file.exists():
                file.write_bytes(thumbnail(open_image(name), THUMBNAIL))
            found[name] = file
        return found

    def keep(self, news: News) -> list[Path]:
        """The files of a result, in a folder of their own."""
        folder = self.folder / RESULTS / uuid.uuid4().hex
        folder.mkdir(parents=True)
        paths = []
        for name, content in news.files.items():
            path = folder / Path(name).name
            path.write_bytes(content)
            paths.append(path)
        return paths

    def sweeping(self) -> None:
        """Begins to delete files that are older than `kept`, round after round."""
        threading.Thread(target=self._sweep, daemon=True).start()

    def sweep(self, before: float) -> None:
        """Deletes files of results and uploads that were last written before a time."""
        for file in list(self.folder.rglob("*")):
            inside = file.relative_to(self.folder).parts[0] not in ("stock", "atlas")
            try:
                if inside and file.is_file() and file.stat().st_mtime < before:
                    file.unlink()
                elif inside and file.is_dir() and file.stat().st_mtime < before:
                    file.rmdir()  # fails where something is in it
            except OSError:
                pass

    def close(self) -> None:
        """Ends the worker and deletes the folder."""
        self._over.set()
        self.desk.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _sweep(self) -> None:
        while not self._over.wait(SWEEP):
            self.sweep(time.time() - self.kept)
