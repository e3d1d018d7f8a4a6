"""Standard output, when it takes not every letter, or nothing more."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pellucid.errors import PellucidError


def utf8() -> None:
    """Lets output that cannot show a letter show another in its place, and not fail."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


@contextmanager
def writing() -> Iterator[None]:
    """Says plainly that what is written inside the `with` does not get out, as on a full disk.

    Raises:
        PellucidError: standard output takes nothing more.
    """
    try:
        yield
    except BrokenPipeError:  # who reads has had enough
        raise
    except OSError as error:
        if error.filename is not None:  # of another file
            raise
        _abandon()
        why = error.strerror or error
        raise PellucidError(f"the output cannot be written: {why}") from None


def _abandon() -> None:
    """Leads what is still to be written nowhere: at the end Python would try, and fail, again."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
