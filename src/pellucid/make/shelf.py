"""Shelf: a folder in which finished pictures wait, so that long work goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.recipe import versions
from pellucid.writing import write_whole


class Shelf:
    """Tensors by what they were made from: another network, setting or version is another place.

    Args:
        folder: made where it is not there; None: nothing is kept.
        common: what all that is kept here was made from, as plain data.

    Raises:
        PellucidError: the folder cannot be made.
    """

    def __init__(self, folder: str | None, common: Mapping[str, Any]) -> None:
        self.folder = Path(folder).expanduser() if folder else None
        self.common = {**common, "versions": versions()}
        if self.folder is not None:
            try:
                self.folder.mkdir(exist_ok=True)
            except OSError as error:
                reason = error.strerror or error
                raise PellucidError(f"no folder {folder} can be made: {reason}") from None

    def get(self, name: str) -> dict[str, Tensor] | None:
        """What is kept under a name; None where nothing is, or a damaged file."""
        path = self._path(name)
        if path is None or not path.is_file():
            return None
        try:
            return load(path.read_bytes())
        except (OSError, SafetensorError):
            return None

    def put(self, name: str, tensors: dict[str, Tensor]) -> None:
        """Keeps tensors under a name: whole or not at all, also when killed."""
        path = self._path(name)
        if path is not None:
            kept = {key: tensor.contiguous() for key, tensor in tensors.items()}
            write_whole(path, save(kept, {"pellucid": json.dumps({**self.common, "name": name})}))

    def _path(self, name: str) -> Path | None:
        if self.folder is None:
            return None
        made_from = json.dumps({**self.common, "name": name}, sort_keys=True)
        return self.folder / f"{hashlib.sha256(made_from.encode()).hexdigest()[:24]}.safetensors"
