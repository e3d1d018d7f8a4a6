"""Pictures out: as files in memory and as addresses on a page, with the recipe inside."""

import base64
import io
from pathlib import Path
from typing import Literal

from jaxtyping import Float, UInt8
from PIL import Image, PngImagePlugin
from torch import Tensor

from pellucid.errors import PellucidError

TEXT_KEY = "pellucid"
EXIF_TEXT = 0x010E  # description


def to_pillow(image: Float[Tensor, "channels height width"]) -> Image.Image:
    """A picture with values 0 to 1 (1, 3 or 4 channels) as a Pillow image, rounded to 8 bits."""
    eight = (image.detach().cpu().float().clamp(0, 1) * 255).round().byte()
    array = eight.permute(1, 2, 0).numpy()
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


def png_bytes(image: Float[Tensor, "channels height width"], text: str = "") -> bytes:
    """A picture as a PNG file in memory, with `text` (a recipe) inside where given."""
    info = PngImagePlugin.PngInfo()
    if text:
        info.add_itxt(TEXT_KEY, text)
    buffer = io.BytesIO()
    to_pillow(image).save(buffer, "png", pnginfo=info)
    return buffer.getvalue()


def file_bytes(
    pixels: UInt8[Tensor, "3 height width"],
    kind: Literal["jpeg", "png"] = "jpeg",
    quality: int = 85,
) -> bytes:
    """8-bit pixels as a file in memory; `quality` is that of JPEG."""
    buffer = io.BytesIO()
    # Pillow takes colours one after the other, and not as they lie here, three times as long.
    image = Image.merge("RGB", [Image.fromarray(colour) for colour in pixels.numpy()])
    image.save(buffer, kind, quality=quality)
    return buffer.getvalue()


def jpeg_address(image: Float[Tensor, "3 height width"], quality: int = 85) -> str:
    """A picture as a `data:` address for a page: small, without its recipe."""
    eight = (image.detach().cpu().float().clamp(0, 1) * 255).round().byte()
    return "data:image/jpeg;base64," + base64.b64encode(file_bytes(eight, quality=quality)).decode()


def webp_bytes(
    image: Float[Tensor, "channels height width"], quality: int, text: str = ""
) -> bytes:
    """A picture as a WebP file in memory, with `text` (a recipe) inside where given."""
    exif = Image.Exif()
    if text:
        exif[EXIF_TEXT] = text
    buffer = io.BytesIO()
    to_pillow(image).save(buffer, "webp", quality=quality, method=4, exif=exif)
    return buffer.getvalue()


def webp_address(image: Float[Tensor, "3 height width"], quality: int) -> str:
    """A picture as a `data:` address of the smallest kind that every browser shows."""
    return "data:image/webp;base64," + base64.b64encode(webp_bytes(image, quality)).decode()


def text_inside(path: Path) -> str:
    """The recipe text inside a PNG, GIF or WebP file; empty where there is none."""
    try:
        with Image.open(path, formats=["PNG", "GIF", "WEBP"]) as opened:
            opened.load()
            if opened.format == "PNG":
                return str(opened.info.get(TEXT_KEY, ""))
            if opened.format == "GIF":
                return bytes(opened.info.get("comment", b"")).decode("utf-8", "replace")
            return str(opened.getexif().get(EXIF_TEXT, ""))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PellucidError(f"{path} is not a readable PNG, GIF or WebP file ({error})") from None
