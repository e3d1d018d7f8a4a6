"""Photos as they come: read rightly, or refused with the reason."""

import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import pellucid as pl
from pellucid import images
from pellucid.images import open_image
from pellucid.pictures import png_bytes, text_inside
from pictures import BLUE, RED, png_chunk, png_of, saved, scene


def colour(photo: images.Photo, row: int, column: int) -> tuple[int, ...]:
    return tuple(photo.pixels[:, row, column].tolist())


@pytest.mark.parametrize("ending", ["png", "bmp", "gif", "webp", "tiff", "ppm"])
def test_common_files_are_read(tmp_path: Path, ending: str) -> None:
    options = {"lossless": True} if ending == "webp" else {}
    photo = open_image(saved(scene(), tmp_path / f"a.{ending}", **options))
    assert photo.size == (4, 6) and photo.pixels.dtype == torch.uint8
    assert colour(photo, 0, 0) == BLUE and colour(photo, 3, 5) == RED


def test_the_source_is_kept_and_the_hash_is_of_the_pixels(tmp_path: Path) -> None:
    one, other = saved(scene(), tmp_path / "a.png"), saved(scene(), tmp_path / "b.bmp")
    assert open_image(one).source == str(one)
    assert open_image(one).hash == open_image(other).hash
    assert open_image(one).hash != open_image(scene().transpose(Image.Transpose.ROTATE_90)).hash
    photo = open_image(one)
    assert open_image(photo) is photo


def test_a_path_may_be_bytes(tmp_path: Path) -> None:
    assert open_image(os.fsencode(saved(scene(), tmp_path / "a.png"))).size == (4, 6)


def test_one_pixel(tmp_path: Path) -> None:
    photo = open_image(saved(Image.new("RGB", (1, 1), BLUE), tmp_path / "a.png"))
    assert photo.size == (1, 1) and colour(photo, 0, 0) == BLUE


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_every_orientation_of_a_camera_comes_out_upright(
    tmp_path: Path, orientation: int, ending: str
) -> None:
    # What the camera would have stored: the opposite of the turn that the number asks for.
    turn = Image.Transpose
    undo = {
        2: turn.FLIP_LEFT_RIGHT,
        3: turn.ROTATE_180,
        4: turn.FLIP_TOP_BOTTOM,
        5: turn.TRANSPOSE,
        6: turn.ROTATE_90,
        7: turn.TRANSVERSE,
        8: turn.ROTATE_270,
    }
    upright = scene(48, 32)
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = open_image(saved(stored, tmp_path / f"a.{ending}", exif=exif))
    assert photo.size == (32, 48)
    away = photo.pixels.int() - open_image(upright).pixels.int()
    assert away[:, 4:12, 4:20].abs().max() < 40  # blue stays blue, up to the compression
    assert away[:, 20:, 28:].abs().max() < 40


def test_a_damaged_exif_block_turns_nothing(tmp_path: Path) -> None:
    path = saved(scene(), tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f" + b"\xff" * 40)
    assert open_image(path).size == (4, 6)


def test_cmyk_jpeg(tmp_path: Path) -> None:
    picture = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    red, green, blue = colour(open_image(saved(picture, tmp_path / "a.jpg", quality=95)), 4, 4)
    assert red > 240 and green < 15 and blue < 15


@pytest.mark.parametrize(("ending", "order"), [("png", "<u2"), ("tiff", "<u2"), ("tiff", ">u2")])
def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path: Path, ending: str, order: str) -> None:
    values = np.array([[0, 100, 25700], [32768, 51400, 65535]], order)
    picture = Image.fromarray(values)
    photo = open_image(saved(picture, tmp_path / f"a.{ending}"))
    assert photo.pixels[0].tolist() == [[0, 0, 100], [128, 200, 255]]


def test_sixteen_bit_big_endian_pillow_image() -> None:
    values = np.array([[0, 25700, 65535]], ">u2")
    picture = Image.frombytes("I;16B", (3, 1), values.tobytes())
    assert open_image(picture).pixels[1].tolist() == [[0, 100, 255]]


def test_a_dark_sixteen_bit_photo_stays_dark(tmp_path: Path) -> None:
    picture = Image.fromarray(np.full((2, 2), 200, np.uint16))
    assert open_image(saved(picture, tmp_path / "a.png")).pixels.max() == 1


def test_sixteen_bit_ppm(tmp_path: Path) -> None:
    path = tmp_path / "a.pgm"
    path.write_bytes(b"P5 3 1 65535\n" + struct.pack(">3H", 0, 25700, 65535))
    assert open_image(path).pixels[0].tolist() == [[0, 100, 255]]


def test_sixteen_bit_colour(tmp_path: Path) -> None:
    line = b"\0" + struct.pack(">6H", 65535, 25700, 0, 0, 51400, 65535)
    path = tmp_path / "a.png"
    path.write_bytes(png_of(2, 1, b"\x10\x02\0\0\0", line))
    photo = open_image(path)
    assert colour(photo, 0, 0) == (255, 100, 0) and colour(photo, 0, 1) == (0, 200, 255)


def test_sixteen_bit_grey_with_a_transparent_value(tmp_path: Path) -> None:
    line = b"\0" + struct.pack(">2H", 500, 25700)
    clear = png_chunk(b"tRNS", struct.pack(">H", 500))
    path = tmp_path / "a.png"
    path.write_bytes(png_of(2, 1, b"\x10\0\0\0\0", line, clear))
    assert open_image(path).pixels[0].tolist() == [[255, 100]]


def test_palette_with_and_without_transparency(tmp_path: Path) -> None:
    picture = scene().convert("P", palette=Image.Palette.ADAPTIVE)
    plain = open_image(saved(picture, tmp_path / "a.png"))
    assert colour(plain, 0, 0) == BLUE and colour(plain, 3, 5) == RED
    blue = picture.getpixel((0, 0))
    clear = open_image(saved(picture, tmp_path / "b.png", transparency=blue))
    assert colour(clear, 0, 0) == (255, 255, 255) and colour(clear, 3, 5) == RED
    half = bytes([128 if number == blue else 255 for number in range(256)])
    mixed = open_image(saved(picture, tmp_path / "c.png", transparency=half))
    assert colour(mixed, 0, 0) == (127, 127, 255) and colour(mixed, 3, 5) == RED


@pytest.mark.parametrize(("mode", "ink"), [("LA", (0, 128)), ("RGBA", (0, 0, 0, 128))])
def test_transparency_lies_over_white(tmp_path: Path, mode: str, ink: tuple[int, ...]) -> None:
    picture = Image.new(mode, (3, 2), ink)
    picture.putpixel((0, 0), (*ink[:-1], 0))
    photo = open_image(saved(picture, tmp_path / "a.png"))
    assert colour(photo, 0, 0) == (255, 255, 255)
    assert colour(photo, 1, 2) == (127, 127, 127)


@pytest.mark.parametrize("ending", ["gif", "webp", "png", "tiff"])
def test_of_an_animation_the_first_frame(tmp_path: Path, ending: str) -> None:
    frames = [Image.new("RGB", (5, 4), RED), Image.new("RGB", (5, 4), BLUE)]
    options = {"lossless": True} if ending == "webp" else {}
    path = saved(
        frames[0], tmp_path / f"a.{ending}", save_all=True, append_images=frames[1:], **options
    )
    with Image.open(path) as opened:
        assert opened.n_frames == 2
    assert colour(open_image(path), 2, 2) == RED


@pytest.mark.parametrize("mode", ["1", "L", "YCbCr", "LAB", "HSV", "CMYK", "RGBX", "PA", "I", "F"])
def test_pillow_images_of_odd_modes(mode: str) -> None:
    grey = Image.new("L", (4, 4), 255)
    picture = grey.convert("RGB") if mode in ("LAB", "HSV", "YCbCr", "CMYK", "RGBX") else grey
    if mode == "LAB":
        picture = Image.merge("LAB", [Image.new("L", (4, 4), value) for value in (255, 128, 128)])
    photo = open_image(picture.convert(mode) if picture.mode != mode else picture)
    assert photo.size == (4, 4) and photo.pixels.min() > 250


def test_floats_of_pillow_from_0_to_1() -> None:
    values = np.array([[0, 0.5, 1]], np.float32)
    assert open_image(Image.fromarray(values)).pixels[0].tolist() == [[0, 128, 255]]


@pytest.mark.parametrize("values", [[0.0, float("nan")], [-5.0, 1.0], [0.0, 1e9]])
def test_floats_of_pillow_that_are_no_pixels(values: list[float]) -> None:
    with pytest.raises(pl.PellucidError, match="has values from"):
        open_image(Image.fromarray(np.array([values], np.float32)))


def test_a_pillow_image_without_pixels() -> None:
    with pytest.raises(pl.PellucidError, match="0 x 5: not 1 to"):
        open_image(Image.new("RGB", (0, 5)))


def test_the_pillow_image_is_left_as_it_was() -> None:
    picture = Image.new("RGBA", (3, 2), (0, 0, 0, 128))
    before = picture.tobytes()
    open_image(picture)
    assert picture.mode == "RGBA" and picture.tobytes() == before


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.full((3, 4, 6), 0.2),
        lambda: torch.full((1, 4, 6), 0.2),
        lambda: torch.full((4, 6), 0.2, dtype=torch.float64),
        lambda: torch.full((1, 3, 4, 6), 51, dtype=torch.uint8),
        lambda: torch.full((3, 4, 6), 0.2, dtype=torch.float16, requires_grad=True),
        lambda: np.full((4, 6, 3), 0.2),
        lambda: np.full((4, 6), 51, np.uint8),
        lambda: np.full((4, 6, 3), 0.2, ">f4"),
        lambda: np.full((8, 6, 3), 51, np.uint8)[::-2],
    ],
)
def test_tensors_and_arrays(make: Callable[[], object]) -> None:
    photo = open_image(make())
    assert photo.pixels.shape == (3, 4, 6) and bool((photo.pixels == 51).all())


def test_a_photo_does_not_share_its_pixels() -> None:
    values = torch.zeros(3, 4, 6, dtype=torch.uint8)
    photo = open_image(values)
    values += 9
    assert photo.pixels.max() == 0


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (torch.full((3, 4, 6), float("nan")), "not numbers"),
        (torch.full((3, 4, 6), float("inf")), "not numbers"),
        (torch.full((3, 4, 6), 200.0), "from 0 to 1"),
        (torch.full((3, 4, 6), -1.0), "from 0 to 1"),
        (torch.zeros(4, 4, 6), "has shape"),
        (torch.zeros(4, 6, 3), "has shape"),
        (torch.zeros(2, 3, 4, 6), "has shape"),
        (torch.zeros(3, 0, 6), "has shape"),
        (torch.zeros(5), "has shape"),
        (torch.zeros(3, 4, 6, dtype=torch.int64), "torch.int64"),
        (torch.zeros(3, 4, 6, dtype=torch.bool), "torch.bool"),
        (np.zeros((4, 6, 3), np.uint16), "uint16"),
        (np.zeros((4, 6, 3), object), "object"),
        (np.zeros((4, 6, 4), np.uint8), "has shape"),
    ],
)
def test_tensors_that_are_no_photos(values: object, reason: str) -> None:
    with pytest.raises(pl.PellucidError, match=reason):
        open_image(values)


def test_png_text_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png_bytes(torch.rand(3, 4, 4), "猫 and {json}"))
    assert text_inside(path) == "猫 and {json}"
    assert text_inside(saved(scene(), tmp_path / "b.png")) == ""
    for bad in (saved(scene(), tmp_path / "c.jpg"), tmp_path / "none.png"):
        with pytest.raises(pl.PellucidError, match="not a readable PNG"):
            text_inside(bad)


def test_the_hash_of_a_photo_follows_its_pixels() -> None:
    """It is kept, and worked out anew after any change, also behind torch's back."""
    photo = pl.open_image(torch.rand(3, 9, 7))
    hashes = [photo.hash, photo.hash]
    photo.pixels[0, 0, 0] += 1
    hashes.append(photo.hash)
    photo.pixels.data[1, 2, 3] += 1
    hashes.append(photo.hash)
    photo.pixels.numpy()[2, 8, 6] += 1
    hashes.append(photo.hash)
    assert len(set(hashes)) == 4 and hashes[0] == hashes[1]
    assert photo.hash == pl.open_image(photo.pixels).hash
    with torch.inference_mode():
        assert pl.open_image(photo.pixels).hash == photo.hash


def test_the_bytes_of_a_file_are_a_photo(tmp_path: Path) -> None:
    photo = pl.open_image(torch.rand(3, 9, 7))
    Image.fromarray(photo.pixels.permute(1, 2, 0).numpy()).save(tmp_path / "a.png")
    again = pl.open_image((tmp_path / "a.png").read_bytes())
    assert torch.equal(again.pixels, photo.pixels)
    with pytest.raises(pl.PellucidError) as told:
        pl.open_image(b"\0" * 9000)
    assert len(str(told.value)) < 200
    assert pl.open_image(bytes(tmp_path / "a.png")).source.endswith("a.png")
