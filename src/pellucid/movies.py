"""Films as files: GIF, WebP and MP4, a text (a recipe) inside."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from types import ModuleType

from jaxtyping import UInt8
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.pictures import EXIF_TEXT, to_pillow

ENDINGS = (".gif", ".webp", ".mp4")
Frames = UInt8[Tensor, "frames channels height width"]
QUALITY = 90  # of WebP, 100 the best
CRF = "18"  # of MP4: what the eye takes for the original


def film_bytes(frames: Frames, fps: int, ending: str, text: str = "") -> bytes:
    """A film as a file in memory.

    Args:
        ending: ".gif" of 256 colours, which everything shows; ".webp"; ".mp4" (one pixel row or
            column less where their number is odd).
        text: put inside: GIF's comment, WebP's EXIF description, MP4's comment.

    Raises:
        PellucidError: MP4, and there is nothing here to write it with.
    """
    if ending == ".mp4":
        return _mp4(frames, fps, text)
    first, *others = (to_pillow(frame / 255) for frame in frames)
    how = {"save_all": True, "append_images": others, "duration": round(1000 / fps), "loop": 0}
    buffer = io.BytesIO()
    if ending == ".gif":
        first.save(buffer, "gif", comment=text.encode(), **how)
    else:
        exif = first.getexif()
        exif[EXIF_TEXT] = text
        first.save(buffer, "webp", exif=exif, quality=QUALITY, **how)
    return buffer.getvalue()


def film_text(path: Path) -> str:
    """The text inside an MP4 file; empty where there is none.

    Raises:
        PellucidError: there is nothing here to read it with.
    """
    av = writer()
    with av.open(str(path)) as opened:
        return str(opened.metadata.get("comment", ""))


def writer() -> ModuleType:
    """What MP4 is written with.

    Raises:
        PellucidError: it is not installed.
    """
    try:
        import av
    except ImportError:
        raise PellucidError(
            "a film as .mp4 needs PyAV (pip install 'pellucid[film]'); .webp and .gif need nothing"
        ) from None
    module: ModuleType = av
    return module


def _mp4(frames: Frames, fps: int, text: str) -> bytes:
    av = writer()
    height, width = (side // 2 * 2 for side in frames.shape[2:])  # of two by two shares a colour
    if not height * width:
        raise PellucidError(
            f"an .mp4 has at least 2 x 2 px: {tuple(frames.shape[2:])} is too small"
        )
    buffer = io.BytesIO()
    # No dates inside. The encoder itself is not the same to the last bit each time: a replay
    # compares the frames, not the file.
    options = {"movflags": "use_metadata_tags", "fflags": "+bitexact"}
    with av.open(buffer, "w", format="mp4", options=options) as opened:
        opened.metadata["comment"] = text
        stream = opened.add_stream("libx264", rate=fps, options={"crf": CRF, "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number, frame in enumerate(frames[:, :, :height, :width]):
            pixels = frame.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy()
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            picture.pts, picture.time_base = number, Fraction(1, fps)
            for packet in stream.encode(picture):
                opened.mux(packet)
        for packet in stream.encode():
            opened.mux(packet)
    return buffer.getvalue()
