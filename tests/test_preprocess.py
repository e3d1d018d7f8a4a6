"""Preprocessing: the pixels that torchvision gives, and a geometry that can be undone."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from torchvision import models

import pellucid as pl
from pellucid.box import Box
from pellucid.images import Photo, open_image
from pellucid.preprocess import Frame, Interpolation, Preprocess

SIZES = {
    "portrait": (320, 200),
    "landscape": (233, 401),
    "square": (256, 256),
    "tiny": (20, 31),
    "long": (1000, 20),
    "wide": (7, 300),
}


def photo_of(size: tuple[int, int], seed: int = 0) -> Photo:
    """Coarse and fine noise together, so that every filter has something to do."""
    generator = torch.Generator().manual_seed(seed)
    height, width = size
    coarse = torch.rand(1, 3, 9, 9, generator=generator)
    image = F.interpolate(coarse, size, mode="nearest")[0]
    fine = torch.rand(3, height, width, generator=generator)
    return open_image(0.7 * image + 0.3 * fine)


def plain(photo: Photo, resized: tuple[int, int], mode: str) -> torch.Tensor:
    """The whole photo resized by torch."""
    smooth = mode != "nearest"
    mode = mode if smooth else "nearest-exact"
    return F.interpolate(
        photo.floats()[None],
        resized,
        mode=mode,
        antialias=smooth,
        align_corners=False if smooth else None,
    ).clamp(0, 1)[0]


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize(
    "preset",
    [
        models.ResNet50_Weights.IMAGENET1K_V2,  # 232, 224
        models.ViT_B_16_Weights.IMAGENET1K_V1,  # 256, 224
        models.Swin_T_Weights.IMAGENET1K_V1,  # bicubic
        models.EfficientNet_B1_Weights.IMAGENET1K_V1,  # bicubic, 256, 240
        models.Inception_V3_Weights.IMAGENET1K_V1,  # 342, 299
    ],
    ids=str,
)
def test_the_same_input_as_torchvision(preset: models.WeightsEnum, shape: str) -> None:
    transforms = preset.transforms()
    ours = Preprocess(
        (transforms.crop_size[0],) * 2,
        transforms.resize_size[0],
        tuple(transforms.mean),
        tuple(transforms.std),
        transforms.interpolation.value,
    )
    photo = photo_of(SIZES[shape])
    image, _ = ours.crop(photo)
    theirs = ours.denormalise(transforms(photo.pixels))
    assert image.shape == theirs.shape
    assert float((image - theirs).abs().max()) <= 2 / 255


@pytest.mark.parametrize("name", ["resnet50", "swin_t", "inception_v3", "efficientnet_b1"])
def test_networks_by_name_have_the_preset_of_their_weights(name: str) -> None:
    from pellucid.zoo import _find

    transforms = models.get_model_weights(name).DEFAULT.transforms()
    options = _find(name).options
    assert options["size"] == transforms.crop_size[0]
    assert options["resize"] == transforms.resize_size[0]
    assert options["interpolation"] == transforms.interpolation.value


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
@pytest.mark.parametrize("shape", SIZES)
def test_resizing_a_part_equals_resizing_the_whole(shape: str, mode: Interpolation) -> None:
    photo = photo_of(SIZES[shape])
    ours = Preprocess((48, 64), 72, interpolation=mode)
    image, frame = ours.crop(photo)
    top, left = frame.offset
    assert top >= 0 and left >= 0
    whole = plain(photo, frame.resized, mode)
    assert torch.allclose(image, whole[:, top : top + 48, left : left + 64], atol=1e-4)


def test_a_photo_as_thin_as_a_hair_does_not_explode() -> None:
    for size in ((1, 50_000), (50_000, 1)):
        photo = photo_of(size)
        image, frame = Preprocess(size=(224, 224), resize=256).crop(photo)
        assert max(frame.resized) == 12_800_000
        # The middle 224/256 of a pixel: between the two pixels beside the centre.
        middle = photo.floats().flatten(1)[:, 24_999:25_001]
        assert image.shape == (3, 224, 224)
        low, high = middle.amin(1)[:, None, None], middle.amax(1)[:, None, None]
        assert bool(((image >= low - 1e-5) & (image <= high + 1e-5)).all())
        drawn = frame.to_photo(torch.ones(5, 5))
        assert drawn.shape == size and int(drawn.isfinite().sum()) == 1


def test_a_thin_photo_equals_the_plain_way() -> None:
    photo = photo_of((3, 3000))
    for mode in ("bilinear", "bicubic"):
        image, frame = Preprocess((16, 16), 20, interpolation=mode).crop(photo)
        whole = plain(photo, frame.resized, mode)
        left = frame.offset[1]
        assert torch.allclose(image, whole[:, 2:18, left : left + 16], atol=1e-4)


def marked(size: tuple[int, int], box: Box) -> Photo:
    """White, with a black square."""
    pixels = torch.ones(3, *size)
    pixels[:, int(box.top) : int(box.bottom), int(box.left) : int(box.right)] = 0
    return open_image(pixels)


def centre(dark: torch.Tensor) -> tuple[float, float]:
    """Centre of mass in pixels, the first pixel's centre at 0.5."""
    dark = dark.nan_to_num(0).double()
    rows = (dark.sum(1) * (torch.arange(dark.shape[0]) + 0.5)).sum() / dark.sum()
    columns = (dark.sum(0) * (torch.arange(dark.shape[1]) + 0.5)).sum() / dark.sum()
    return float(rows), float(columns)


WAYS = {
    "crop": (Preprocess((64, 64), 80), (120, 210), Box(50, 90, 62, 102)),
    "portrait": (Preprocess((64, 64), 72), (301, 150), Box(140, 60, 160, 80)),
    "enlarged": (Preprocess((64, 64), 64), (20, 33), Box(8, 14, 12, 18)),
    "pad": (Preprocess((64, 96), 40), (120, 210), Box(30, 150, 42, 162)),
    "exact": (Preprocess((64, 96), (64, 96)), (301, 150), Box(140, 60, 160, 80)),
    "exact, then cropped": (Preprocess((64, 64), (80, 72)), (90, 300), Box(30, 140, 50, 160)),
    "not square": (Preprocess((48, 96), 96), (200, 260), Box(90, 120, 110, 140)),
    "as it is": (Preprocess((64, 64), 64), (64, 64), Box(10, 40, 20, 50)),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_mark_comes_back_to_its_place(way: str) -> None:
    preprocess, size, box = WAYS[way]
    image, frame = preprocess.crop(marked(size, box))
    assert image.shape == (3, *preprocess.size)
    dark = 1 - image[0]
    if way == "pad":
        dark[: -frame.offset[0]] = dark[-max(1, -frame.offset[0]) :] = 0  # black borders
        dark[:, : max(0, -frame.offset[1])] = dark[:, 96 - max(0, -frame.offset[1]) :] = 0
    wanted = ((box.top + box.bottom) / 2, (box.left + box.right) / 2)
    row, column = centre(dark)
    point = frame.box(Box(row, column, row, column))
    assert point.top == pytest.approx(wanted[0], abs=0.5)
    assert point.left == pytest.approx(wanted[1], abs=0.5)
    drawn = frame.to_photo(dark)
    assert drawn.shape == size
    assert centre(drawn) == pytest.approx(wanted, abs=0.5)


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_drawn_outside_of_the_view(way: str) -> None:
    preprocess, size, _ = WAYS[way]
    frame = preprocess.frame(size)
    view = frame.view()
    drawn = frame.to_photo(torch.rand(2, 3, 7, 7))
    assert drawn.shape == (2, 3, *size)
    inside = torch.zeros(size, dtype=torch.bool)
    inside[int(view.top) : int(view.bottom), int(view.left) : int(view.right)] = True
    assert bool((drawn.isfinite() == inside).all())
    whole = frame.box(Box(0, 0, *preprocess.size))
    seen = (max(0, whole.top), max(0, whole.left), min(size[0], whole.bottom))
    assert view[:3] == pytest.approx(seen, abs=0.5)
    assert view.right == pytest.approx(min(size[1], whole.right), abs=0.5)


def test_a_coarse_map_lies_over_its_part_of_the_photo() -> None:
    frame = Preprocess((64, 64), 64).frame((64, 128))
    maps = torch.zeros(4, 4)
    maps[1, 3] = 1  # input rows 16 to 32, columns 48 to 64; photo columns 80 to 96
    drawn = frame.to_photo(maps)
    row, column = divmod(int(drawn.nan_to_num(-1).argmax()), 128)
    assert 16 <= row < 32 and 80 <= column < 96
    assert drawn[:, :32].isnan().all() and drawn[:, 96:].isnan().all()


def test_box_of_a_known_frame() -> None:
    frame = Frame(photo=(100, 200), resized=(50, 100), offset=(5, 30), size=(40, 40))
    assert frame.box(Box(0, 0, 40, 40)) == (10, 60, 90, 140)
    assert frame.view() == (10, 60, 90, 140)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (2, 300)])
def test_the_smallest_photos(size: tuple[int, int]) -> None:
    image, frame = Preprocess().crop(photo_of(size))
    assert image.shape == (3, 224, 224) and bool(image.isfinite().all())
    view = frame.view()
    assert view.bottom > view.top and view.right > view.left
    assert int(frame.to_photo(image[0]).isfinite().sum()) >= 1


def test_grey_networks_see_grey() -> None:
    preprocess = Preprocess((8, 8), 8, mean=(0.5,), std=(0.25,))
    assert preprocess.channels == 1
    pixels = torch.zeros(3, 8, 8)
    pixels[1] = 1
    image, _ = preprocess.crop(open_image(pixels))
    assert image.shape == (1, 8, 8) and image.mean() == pytest.approx(0.587, abs=1e-3)
    assert preprocess.normalise(image).mean() == pytest.approx((0.587 - 0.5) / 0.25, abs=1e-2)


def test_normalising_is_undone() -> None:
    preprocess = Preprocess()
    images = torch.rand(2, 3, 5, 5)
    assert torch.allclose(preprocess.denormalise(preprocess.normalise(images)), images, atol=1e-6)


def test_a_network_without_resize_sees_the_whole_of_a_photo_of_its_proportions() -> None:
    net = pl.Network(torch.nn.Flatten(), size=(32, 64), mean=[0.5], std=[0.5])
    _, frame = net.prepare(photo_of((100, 100)))
    assert frame.view() == (0, 0, 100, 100)  # squashed, not cropped
    _, frame = pl.Network(torch.nn.Flatten(), size=32).prepare(photo_of((60, 100)))
    assert frame.view() == (0, 19, 60, 79)  # 32 of 53 columns


@pytest.mark.parametrize(
    "wrong",
    [
        {"mean": (0.5,), "std": (0.1, 0.2, 0.3)},
        {"mean": (0.5, 0.5), "std": (0.5, 0.5)},
        {"std": (0.0, 1.0, 1.0)},
        {"size": 0},
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(pl.PellucidError, match=r"mean and std|positive"):
        pl.Network(torch.nn.Flatten(), **wrong)


def test_photos_are_not_changed() -> None:
    photo = photo_of((50, 70))
    before = photo.pixels.clone()
    Preprocess((32, 32), 40).crop(photo)
    assert np.array_equal(before.numpy(), photo.pixels.numpy())
