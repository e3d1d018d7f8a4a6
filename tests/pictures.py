"""Files of pictures, right ones and wrong ones."""

import struct
import zlib
from pathlib import Path

from PIL import Image

RED, BLUE = (255, 0, 0), (0, 0, 255)


def scene(width: int = 6, height: int = 4) -> Image.Image:
    """Red, its upper left quarter blue: every turn and flip of it looks different."""
    picture = Image.new("RGB", (width, height), RED)
    picture.paste(BLUE, (0, 0, width // 2, height // 2))
    return picture


def saved(picture: Image.Image, path: Path, **options: object) -> Path:
    picture.save(path, **options)
    return path


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, header: bytes, data: bytes, *more: bytes) -> bytes:
    start = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">II", width, height) + header)
    body = png_chunk(b"IDAT", zlib.compress(data))
    return start + b"".join(more) + body + png_chunk(b"IEND", b"")
