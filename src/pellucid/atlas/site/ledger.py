"""Ledger: which pictures of a site are finished, and of what they were made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pellucid.errors import PellucidError
from pellucid.writing import write_together

NAME = "site.json"
MARK = "pellucid atlas site"


class Ledger:
    """A text file in the site's folder, by piece of work what it was made from and its files.

    A picture counts as finished where its piece stands here with just the same origin, and the
    file is what was written: so a site goes on where it was killed, and another setting, network
    or version makes anew what depends on it and nothing else.

    Args:
        folder: of the site; made where it is not there.
        network: the hash of its weights.
        force: take over a folder with something else in it.

    Raises:
        PellucidError: it holds something else, or the site of another network.
    """

    def __init__(self, folder: Path, network: str, force: bool = False) -> None:
        self.folder = folder
        before: dict[str, Any] = {}
        if folder.exists() and not folder.is_dir():
            raise PellucidError(f"{folder} is a file; the site is written into a folder")
        if (folder / NAME).is_file():
            before = _read(folder / NAME)
        if folder.is_dir() and any(folder.iterdir()) and not force:
            if before.get("mark") != MARK:
                raise PellucidError(
                    f"{folder} holds something that is not a site of units; --force (force=True) "
                    f"writes into it all the same"
                )
            if before.get("network") != network:
                raise PellucidError(
                    f"{folder} is the site of a network with the weights {before.get('network')}, "
                    f"not {network}; --force (force=True) makes it anew"
                )
        same = before.get("mark") == MARK and before.get("network") == network
        pieces = before.get("pieces") if same else None
        self.pieces: dict[str, Any] = pieces if isinstance(pieces, dict) else {}
        self.network = network
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PellucidError(f"no folder {folder} can be made: {error.strerror}") from None
        self._write()  # before any page, so that a site killed early is known as one

    def get(self, piece: str, origin: Mapping[str, Any]) -> dict[str, Any] | None:
        """The facts of a finished piece; None where it has to be made."""
        known = self.pieces.get(piece)
        try:
            if known is None or known["origin"] != _digest(origin):
                return None
            for name, digest in known["files"].items():
                path = self.folder / name
                # Only what lies in the folder: the file may have come from anywhere.
                if ".." in Path(name).parts or not path.is_file() or _sum(path) != digest:
                    return None
            facts: dict[str, Any] = known["facts"]
            return facts
        except (KeyError, TypeError, AttributeError, OSError):  # somebody has written in it
            return None

    def put(
        self,
        piece: str,
        origin: Mapping[str, Any],
        files: Mapping[str, bytes],
        facts: Mapping[str, Any],
    ) -> None:
        """Writes the files of a piece, and then that they are finished."""
        for folder in {(self.folder / name).parent for name in files}:
            folder.mkdir(parents=True, exist_ok=True)
        write_together({self.folder / name: content for name, content in files.items()})
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        self.pieces[piece] = {"origin": _digest(origin), "files": digests, "facts": dict(facts)}
        self._write()

    def _write(self) -> None:
        data = {"mark": MARK, "network": self.network, "pieces": self.pieces}
        text = json.dumps(data, ensure_ascii=False, indent=0, sort_keys=True)
        write_together({self.folder / NAME: text.encode()})


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except (ValueError, OSError):
        return {}
    return data if isinstance(data, dict) else {}


def _digest(origin: Mapping[str, Any]) -> str:
    text = json.dumps(origin, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
