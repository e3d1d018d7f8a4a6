"""Files that are no photos are refused with the reason, and closed."""

import builtins
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import pellucid as pl
from pellucid import images
from pellucid.images import open_image
from pellucid.pictures import png_bytes
from pictures import png_of, saved, scene


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "jpeg")
    return buffer.getvalue()


def watch_open(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every file that is opened from now on."""
    opened: list[Any] = []
    really = builtins.open

    def noting(*args: Any, **settings: Any) -> Any:
        opened.append(really(*args, **settings))
        return opened[-1]

    monkeypatch.setattr(builtins, "open", noting)
    return opened


NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
BOMB = png_of(60_000, 60_000, b"\x08\x02\0\0\0", b"\0" * 1000)
BIG = png_of(12_000, 12_000, b"\x08\0\0\0\0", b"\0" * 1000)
BAD = {
    "empty.jpg": (lambda: b"", "is an empty file"),
    "cut.jpg": (lambda: _jpeg(Image.fromarray(NOISE))[:-900], "is damaged"),
    "head.jpg": (lambda: _jpeg(Image.fromarray(NOISE))[:150], "damaged|not an image"),
    "cut.png": (
        lambda: png_bytes(torch.from_numpy(NOISE).permute(2, 0, 1) / 255)[:4000],
        "damaged",
    ),
    "crc.png": (lambda: png_of(4, 4, b"\x08\x02\0\0\0", b"no pixels"), "is damaged"),
    "text.png": (lambda: b"hello, this is text\n" * 10, "is not an image"),
    "zeros.png": (lambda: b"\0" * 5000, "is not an image"),
    "page.jpg": (lambda: b"<html><body>404</body></html>", "is not an image"),
    "vector.eps": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
    "bomb.png": (lambda: BOMB, "too large to decode safely"),
    "big.png": (lambda: BIG, "12000 x 12000: not 1 to 100,000,000 pixels"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_and_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    content, reason = BAD[name]
    path = tmp_path / name
    path.write_bytes(content())
    opened = watch_open(monkeypatch)
    with pytest.raises(pl.PellucidError, match=reason) as caught:
        open_image(path)
    assert name in str(caught.value)
    assert name == "empty.jpg" or opened
    assert all(file.closed for file in opened)


def test_a_bomb_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(self: Image.Image) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    (tmp_path / "a.png").write_bytes(BIG)
    assert len(BIG) < 10_000
    with pytest.raises(pl.PellucidError, match="12000 x 12000"):
        open_image(tmp_path / "a.png")


def test_files_that_are_too_long_are_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "MOST_BYTES", 10)
    with pytest.raises(pl.PellucidError, match="is larger than"):
        open_image(saved(scene(), tmp_path / "a.png"))


def test_good_files_are_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [saved(scene(), tmp_path / f"a.{ending}") for ending in ("jpg", "png", "gif", "tiff")]
    opened = watch_open(monkeypatch)
    for path in paths:
        open_image(path)
    assert len(opened) >= 4 and all(file.closed for file in opened)


def test_a_folder_and_a_missing_file(tmp_path: Path) -> None:
    saved(scene(), tmp_path / "my_dog.jpg")
    with pytest.raises(pl.PellucidError, match="is a folder, not a photo"):
        open_image(tmp_path)
    with pytest.raises(pl.Unknown, match=r"did you mean 'my_dog.jpg'"):
        open_image(tmp_path / "my_dgo.jpg")


@pytest.mark.parametrize("source", [None, 3, ["a.png"], object()])
def test_what_is_no_photo_at_all(source: object) -> None:
    with pytest.raises(pl.PellucidError, match="a photo is a path"):
        open_image(source)
