"""Reel: the frames of a video, in and out, one at a time."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from pellucid.errors import PellucidError, existing
from pellucid.movies import CRF, writer

ENDINGS = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg"}
FINE = 90_000  # parts of a second that a frame's time is told in


class Frame(NamedTuple):
    """One frame.

    Attributes:
        pixels: (3, height, width), 8 bits, upright.
        time: seconds from the video's beginning.
    """

    pixels: UInt8[Tensor, "3 height width"]
    time: Fraction


def is_video(source: Any) -> bool:
    """Whether a name is that of a video, by its ending."""
    return isinstance(source, str | os.PathLike) and Path(source).suffix.lower() in ENDINGS


def frames(path: Path) -> Iterator[tuple[int, Frame]]:
    """The frames of a video in order, each with how many there will be in all, about.

    Raises:
        PellucidError: no such file, nothing here to read it with, damaged, or without a frame.
    """
    av = writer()
    file = existing("video", path)
    found = 0
    try:
        with av.open(str(file)) as opened:
            if not opened.streams.video:
                raise PellucidError(f"{file} has no video in it")
            stream = opened.streams.video[0]
            total = stream.frames or _guessed(stream)
            for frame in opened.decode(stream):
                found += 1
                pixels = np.rot90(
                    frame.to_ndarray(format="rgb24"), getattr(frame, "rotation", 0) // 90
                )
                at = Fraction(frame.time or 0).limit_denominator(FINE)
                ready = torch.from_numpy(pixels.copy()).permute(2, 0, 1)
                yield max(total, found), Frame(ready, at)
    except PellucidError:
        raise
    except (av.FFmpegError, OSError, ValueError) as error:
        raise PellucidError(f"{file} cannot be read as a video: {error}") from None
    if not found:
        raise PellucidError(f"{file} is a video without a frame")


@contextmanager
def written(path: Path, text: str) -> Iterator[Callable[[Frame], None]]:
    """Writes an MP4, whole or not at all; gives what takes the frames one after another.

    Of an odd number of rows or columns the last is left out.

    Args:
        text: put inside, as a comment.

    Raises:
        PellucidError: it cannot be written, or a frame is smaller than 2 x 2.
    """
    av = writer()
    part = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}.part")
    streams: list[Any] = []
    try:
        with av.open(
            str(part), "w", format="mp4",
            options={"movflags": "use_metadata_tags", "fflags": "+bitexact"},
        ) as opened:  # fmt: skip
            opened.metadata["comment"] = text

            def put(frame: Frame) -> None:
                height, width = (side // 2 * 2 for side in frame.pixels.shape[1:])
                if not height * width:
                    raise PellucidError("a video has at least 2 x 2 px")
                if not streams:
                    made = opened.add_stream("libx264", options={"crf": CRF, "threads": "1"})
                    made.width, made.height, made.pix_fmt = width, height, "yuv420p"
                    made.codec_context.time_base = Fraction(1, FINE)
                    streams.append(made)
                pixels = frame.pixels[:, :height, :width].permute(1, 2, 0).contiguous().numpy()
                picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                picture.pts, picture.time_base = round(frame.time * FINE), Fraction(1, FINE)
                for packet in streams[0].encode(picture):
                    opened.mux(packet)

            yield put
            if not streams:
                raise PellucidError(f"there is no frame to put into {path}")
            for stream in streams:
                for packet in stream.encode():
                    opened.mux(packet)
        os.replace(part, path)
    except (av.FFmpegError, OSError) as error:
        raise PellucidError(f"cannot write {path}: {error}") from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _guessed(stream: Any) -> int:
    """Frames, from how long the video is."""
    if not stream.duration or not stream.average_rate:
        return 0
    return int(stream.duration * stream.time_base * stream.average_rate)
