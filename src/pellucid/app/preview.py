"""Preview: the picture so far, in a file that an image viewer may keep open."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pellucid.method import Step


class Preview:
    """A PNG in a temporary folder, written anew with each picture on the way, gone at the end.

    Attributes:
        path: of the file; None as long as there was no picture.
    """

    def __init__(self) -> None:
        self.folder: tempfile.TemporaryDirectory[str] | None = None
        self.path: Path | None = None

    def step(self, step: Step) -> None:
        """Writes the step's picture, where it has one."""
        if step.picture is None:
            return
        from pellucid.pictures import png_bytes
        from pellucid.writing import write_whole

        if self.folder is None:
            self.folder = tempfile.TemporaryDirectory(prefix="pellucid-")
            self.path = Path(self.folder.name) / "preview.png"
        assert self.path is not None
        write_whole(self.path, png_bytes(step.picture))

    def close(self) -> None:
        """Takes file and folder away."""
        if self.folder is not None:
            self.folder.cleanup()
            self.folder = self.path = None
