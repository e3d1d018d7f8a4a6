"""Wire: messages between the page and its worker, as JSON with bytes behind it; nothing is run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

HEAD = 4  # bytes that say how long the JSON is


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes:
        facts: plain JSON data.
        blobs: contents of files.
    """

    facts: dict[str, Any]
    blobs: tuple[bytes, ...] = ()


def send(stream: IO[bytes], facts: dict[str, Any], blobs: Sequence[bytes] = ()) -> None:
    """Writes one message; the other end must be there.

    Raises:
        OSError: it is not.
    """
    head = json.dumps([facts, [len(blob) for blob in blobs]]).encode()
    stream.write(b"".join([len(head).to_bytes(HEAD, "big"), head, *blobs]))
    stream.flush()


def receive(stream: IO[bytes]) -> Message | None:
    """The next message; None where the other end has gone, also in the middle of one."""
    length = stream.read(HEAD)
    if len(length) < HEAD:
        return None
    head = stream.read(int.from_bytes(length, "big"))
    try:
        facts, sizes = json.loads(head)
    except ValueError:
        return None
    blobs = tuple(stream.read(size) for size in sizes)
    if [len(blob) for blob in blobs] != sizes:
        return None
    return Message(facts, blobs)
