"""Photos in: with `pictures` and `ink` the only file that knows Pillow."""

import hashlib
import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torch.nn import functional as F

from pellucid import stock
from pellucid.endings import PICTURES
from pellucid.errors import PellucidError, existing
from pellucid.fingerprint import mark
from pellucid.notebook import figure
from pellucid.pictures import file_bytes

MOST_PIXELS = 100_000_000
MOST_BYTES = 200_000_000
SHOWN, SMALL, QUALITY = 800, 128, 90  # of a photo in a notebook: px at most and least, JPEG
# What photos come as. Pillow knows more, some of which (EPS) starts other programs.
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP", "JPEG2000", "PPM", "ICO")


@dataclass(frozen=True, eq=False, repr=False)
class Photo:
    """One photo as 8-bit pixels, and where it came from.

    Attributes:
        pixels: (3, height, width) uint8, RGB, upright; transparency laid over white.
        source: a path, "photo:NAME", or "" for pixels that came without a name.
    """

    pixels: UInt8[Tensor, "3 height width"]
    source: str = field(default="")

    def __repr__(self) -> str:
        height, width = self.size
        return f"<Photo {self.source or 'without a name'}, {width} x {height} px>"

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[1], self.pixels.shape[2]

    @property
    def hash(self) -> str:
        """SHA-256 of the pixels and their shape, hexadecimal, 16 digits."""
        marks = mark(self.pixels)
        known: tuple[object, str] = vars(self).get("_known", (None, ""))
        if known[0] != marks:
            digest = hashlib.sha256(repr(tuple(self.pixels.shape)).encode())
            digest.update(self.pixels.numpy().tobytes())
            known = marks, digest.hexdigest()[:16]
            vars(self)["_known"] = known
        return known[1]

    def floats(self) -> Float[Tensor, "3 height width"]:
        """The pixels as float32 from 0 to 1."""
        return self.pixels.float() / 255

    def _repr_jpeg_(self) -> bytes:
        return thumbnail(self, SHOWN, QUALITY)

    def _repr_html_(self) -> str:
        small = "" if max(self.size) >= SMALL else f"width:{SMALL}px;image-rendering:pixelated"
        return figure(self._repr_jpeg_(), "jpeg", repr(self)[1:-1], style=small)


def open_image(source: Any) -> Photo:
    """Opens a photo, whatever it comes as.

    Args:
        source: a path, "photo:NAME" (see `photos()`), a Pillow image, a (3, H, W) or (1, H, W)
            tensor, or an (H, W, 3) or (H, W) array, uint8 or float from 0 to 1; the bytes of an
            image file; a Photo comes back as it is.

    Returns:
        The photo, turned upright as its EXIF says, in RGB; of an animation the first frame.

    Raises:
        PellucidError: empty, truncated, not an image, or too large to be decoded safely.
    """
    if isinstance(source, Photo):
        return source
    if isinstance(source, Image.Image):
        with _clear_errors("the image"):
            return Photo(_upright_rgb(source, "the image"))
    if isinstance(source, Tensor | np.ndarray):
        return Photo(_from_array(source))
    if not isinstance(source, str | bytes | os.PathLike):
        raise PellucidError(
            f"a photo is a path, photo:NAME, a Pillow image, a tensor or an array, "
            f"not {type(source).__name__}"
        )
    if isinstance(source, bytes) and b"\0" in source:  # no path has that
        return from_bytes(source, "the image")
    text = os.fsdecode(source)
    if text.startswith("photo:"):
        return Photo(_decode(stock.path(text.removeprefix("photo:")), text), text)
    return Photo(_decode(existing("photo", Path(text), PICTURES), text), text)


def from_bytes(content: bytes, name: str) -> Photo:
    """A photo from what stands in its file.

    Args:
        name: what it is called, in errors and as its source.

    Raises:
        PellucidError: empty, truncated, not an image, or too large to be decoded safely.
    """
    if not content:
        raise PellucidError(f"{name} is an empty file")
    if len(content) > MOST_BYTES:
        raise PellucidError(f"{name} is larger than {MOST_BYTES // 1_000_000} MB")
    return Photo(_decode(io.BytesIO(content), name), name)


def thumbnail(photo: Photo, longer: int, quality: int = 80) -> bytes:
    """A photo as a small JPEG file in memory, its longer side at most `longer` px."""
    pixels, share = photo.pixels, longer / max(photo.size)
    if share < 1:
        size = [max(1, round(side * share)) for side in photo.size]
        # torch's takes half of the time of Pillow's.
        (pixels,) = F.interpolate(pixels[None], size, mode="bicubic", antialias=True)
    return file_bytes(pixels, quality=quality)


def _decode(file: Path | io.BytesIO, name: str) -> UInt8[Tensor, "3 height width"]:
    if isinstance(file, Path) and file.stat().st_size > MOST_BYTES:
        raise PellucidError(f"{name} is larger than {MOST_BYTES // 1_000_000} MB")
    Image.init()
    formats = [known for known in FORMATS if known in Image.OPEN]
    with _clear_errors(name), Image.open(file, formats=formats) as opened:
        return _upright_rgb(opened, name)


@contextmanager
def _clear_errors(name: str) -> Iterator[None]:
    """What Pillow raises and warns of, said in one sentence."""
    try:
        with warnings.catch_warnings():
            # Pillow warns at half of its own limit of pixels and of odd metadata; ours is checked
            # before decoding, and metadata do not matter.
            warnings.simplefilter("ignore")
            yield
    except PellucidError:
        raise
    except UnidentifiedImageError:
        raise PellucidError(f"{name} is not an image that can be read") from None
    except Image.DecompressionBombError as error:
        raise PellucidError(f"{name} is too large to decode safely: {error}") from None
    except Exception as error:  # damaged files raise nearly anything
        reason = str(error) or type(error).__name__
        raise PellucidError(f"{name} is damaged: {reason}") from None


def _upright_rgb(opened: Image.Image, name: str) -> UInt8[Tensor, "3 height width"]:
    width, height = opened.size
    if not 0 < width * height <= MOST_PIXELS:
        raise PellucidError(f"{name} is {width} x {height}: not 1 to {MOST_PIXELS:,} pixels")
    opened.load()
    try:
        turned = opened.getexif().get(ExifTags.Base.Orientation, 1) != 1
        upright = ImageOps.exif_transpose(opened) if turned else opened
    except Exception:  # a damaged EXIF block turns nothing
        upright = opened
    if upright.mode.startswith("I") or upright.mode == "F":
        # PNG and PPM of this kind have 16 bits; elsewhere the values must tell.
        sixteen = opened.mode.startswith("I;16") or opened.format in ("PNG", "PPM")
        upright = _eight_bits(upright, name, sixteen)
    if upright.has_transparency_data:
        clear = upright.convert("RGBA")
        white = Image.new("RGBA", clear.size, "white")
        upright = Image.alpha_composite(white, clear)
    colours = upright if upright.mode == "RGB" else upright.convert("RGB")
    return torch.from_numpy(np.array(colours)).permute(2, 0, 1).contiguous()


def _eight_bits(image: Image.Image, name: str, sixteen: bool) -> Image.Image:
    """More than 8 bits to 8. Pillow itself would clip everything above 255 to white."""
    values = np.asarray(image).astype(np.float64)
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 65535):  # false for NaN, too
        raise PellucidError(
            f"{name} has values from {low:.4g} to {high:.4g}: give it 8 or 16 bits, or 0 to 1"
        )
    whole = 1 if image.mode == "F" and high <= 1 else 65535 if sixteen or high > 255 else 255
    clear = image.info.get("transparency")  # one grey value
    if isinstance(clear, int):
        values[values == clear] = whole
    return Image.fromarray((values / whole * 255).round().astype(np.uint8))


def _from_array(values: Tensor | NDArray[Any]) -> UInt8[Tensor, "3 height width"]:
    if isinstance(values, np.ndarray):
        if values.dtype != np.uint8 and not np.issubdtype(values.dtype, np.floating):
            raise PellucidError(f"a photo is uint8 or float from 0 to 1, not {values.dtype}")
        plain = values.astype(np.uint8 if values.dtype == np.uint8 else np.float32)
        tensor = torch.from_numpy(plain.copy())
        tensor = tensor.permute(2, 0, 1) if tensor.ndim == 3 else tensor
    else:
        tensor = values.detach().cpu()
    tensor = tensor[0] if tensor.ndim == 4 and len(tensor) == 1 else tensor
    tensor = tensor[None] if tensor.ndim == 2 else tensor
    if tensor.ndim != 3 or tensor.shape[0] not in (1, 3) or not tensor.numel():
        raise PellucidError(
            f"a photo has shape (3, H, W) or (1, H, W) as a tensor, (H, W, 3) or (H, W) as an "
            f"array; this one has {tuple(values.shape)}"
        )
    if tensor.shape[1] * tensor.shape[2] > MOST_PIXELS:
        raise PellucidError(f"a photo has at most {MOST_PIXELS // 1_000_000} megapixels")
    if tensor.is_floating_point():
        tensor = tensor.float()
        if not bool(tensor.isfinite().all()):
            raise PellucidError("the photo has values that are not numbers or are infinite")
        if tensor.min() < -1e-3 or tensor.max() > 1 + 1e-3:
            raise PellucidError(
                f"a photo of floats has values from 0 to 1; this one has "
                f"{float(tensor.min()):.3g} to {float(tensor.max()):.3g}"
            )
        tensor = (tensor.clamp(0, 1) * 255).round().byte()
    elif tensor.dtype != torch.uint8:
        raise PellucidError(f"a photo is uint8 or float from 0 to 1, not {tensor.dtype}")
    # A copy: a photo that shared its pixels would change with them.
    return tensor.expand(3, -1, -1).clone(memory_format=torch.contiguous_format)
