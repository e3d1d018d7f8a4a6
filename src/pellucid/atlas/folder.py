"""Folder: where a store lies, on this machine or in object storage, and who may write there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pellucid.atlas.places import absolute, is_remote, storage
from pellucid.errors import PellucidError
from pellucid.writing import write_whole

LOCK = "writer.lock"


class Folder:
    """A place for small text files and Lance data sets.

    Object storage is reached through fsspec for the text and through Lance for the data sets; both
    read AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION.
    """

    def __init__(self, place: str | os.PathLike[str]) -> None:
        self.place = absolute(os.fspath(place)).rstrip("/")
        self.remote = is_remote(self.place)

    def path(self, name: str) -> str:
        """Of something in it."""
        return f"{self.place}/{name}"

    def read(self, name: str) -> str | None:
        """A text file; None where there is none."""
        try:
            if self.remote:
                system = storage(self.place)
                system.invalidate_cache()
                content: bytes = system.cat_file(self.path(name))
            else:
                content = Path(self.path(name)).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise PellucidError(f"{self.path(name)} cannot be read: {error}") from None
        return content.decode("utf-8", "replace")

    def write(self, name: str, text: str) -> None:
        """Writes a text file whole or not at all."""
        if not self.remote:
            write_whole(Path(self.path(name)), text.encode())
            return
        try:
            storage(self.place).pipe_file(self.path(name), text.encode())
        except OSError as error:
            raise PellucidError(f"cannot write {self.path(name)}: {error}") from None

    def make(self) -> None:
        """Makes the folder, where it is not there.

        Raises:
            PellucidError: something else is there, or nothing can be made there.
        """
        if self.remote:
            return
        path = Path(self.place)
        try:
            path.mkdir(exist_ok=True)
        except FileExistsError:
            raise PellucidError(f"{path} is a file, not a folder for an atlas") from None
        except OSError as error:
            raise PellucidError(f"cannot make the folder {path}: {error.strerror}") from None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else writes there inside the `with`.

        The lock is the operating system's: it is gone when its owner is, however that ended. In
        object storage there is none; there `Store` looks before each writing whether it is still
        the only one.

        Raises:
            PellucidError: another one is writing.
        """
        if self.remote:
            yield
            return
        from filelock import FileLock, Timeout

        lock = FileLock(self.path(LOCK))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise PellucidError(f"another survey is writing into {self.place}") from None
        except OSError as error:
            raise PellucidError(f"cannot write into {self.place}: {error.strerror}") from None
        try:
            yield
        finally:
            lock.release()


def lance() -> Any:
    """Lance, imported where it is needed.

    Raises:
        PellucidError: it is not installed.
    """
    # It says of each new data set that there was none before.
    os.environ.setdefault("LANCE_LOG", "error")
    try:
        import lance as found
    except ImportError:
        raise PellucidError("an atlas is stored by Lance: pip install 'pellucid[atlas]'") from None
    return found
