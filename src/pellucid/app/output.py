"""Where a result goes: asked before the long work, written after it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from pellucid.results import Arrays, Result

LONGEST = 80  # characters of a name that is made up here


@dataclass(frozen=True)
class Output:
    """The files that a command writes.

    Attributes:
        path: of the picture or film; None, no file.
        arrays: also the numbers, in a file of the same name.
        force: overwrite what is there.
    """

    path: Path | None
    arrays: Arrays | None = None
    force: bool = False

    def files(self) -> list[Path]:
        """All files that `save` writes."""
        if self.path is None:
            return []
        return [self.path, *([self.path.with_suffix(f".{self.arrays}")] if self.arrays else [])]

    def check(self, kind: type[Result] | None = None) -> None:
        """Refuses what could not be written in the end.

        Args:
            kind: of result that will be saved; None: a picture.

        Raises:
            PellucidError: a name that it is not saved as, no such folder, or a file is there
                already.
        """
        from pellucid.movies import writer
        from pellucid.results import Result, check_ending

        if self.path is None:
            if self.arrays:
                raise PellucidError("--arrays saves beside the picture: give --out FILE.png too")
            return
        check_ending(self.path, kind or Result)
        if self.path.suffix.lower() == ".mp4":
            writer()
        check_folder(self.path.parent)
        self._check_vacant()

    def save(self, result: Result) -> list[Path]:
        """Writes the files, each whole or not at all."""
        if self.path is not None:
            self._check_vacant()  # during the work a file may have come
            result.save(self.path, arrays=self.arrays, force=self.force)
        return self.files()

    def _check_vacant(self) -> None:
        for file in self.files():
            if os.path.isdir(file):
                raise PellucidError(f"{file} is a folder, not a file to write")
            if os.path.lexists(file) and not self.force:  # a link to nowhere, too, is there
                raise PellucidError(
                    f"{file} is there already; --force overwrites it, "
                    f"--out FILE{self.path.suffix if self.path else ''} names another"
                )


def check_folder(folder: Path) -> None:
    """Refuses a folder that is not there or cannot be written into."""
    if not folder.is_dir():
        raise PellucidError(f"no folder {folder} to save into")
    if not os.access(folder, os.W_OK):
        raise PellucidError(f"folder {folder} cannot be written into")


def usual_name(words: Iterable[str], ending: str = ".png") -> Path:
    """A file name in this folder, such as saliency-cat.png, from the words of a command."""
    safe = (re.sub(r"[^\w.]+", "-", word).strip("-.") for word in words)
    return Path("-".join(word for word in safe if word)[:LONGEST] + ending)
