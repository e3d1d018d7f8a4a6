"""Writing files whole or not at all."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from pellucid.errors import PellucidError


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all, also when interrupted."""
    write_together({path: content})


def write_together(contents: dict[Path, bytes]) -> None:
    """Writes files, all of them whole or none at all, also when interrupted."""
    mark = f".{secrets.token_hex(4)}.part"
    parts = {path: path.with_name(f".{path.name[:200]}{mark}") for path in contents}
    path = Path()
    try:
        for path, content in contents.items():
            with parts[path].open("xb") as file:
                file.write(content)
        for path, part in parts.items():
            os.replace(part, path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PellucidError(f"cannot write {path}: {reason}") from None
    finally:
        for part in parts.values():
            with suppress(OSError, ValueError):
                part.unlink(missing_ok=True)
