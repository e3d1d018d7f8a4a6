"""Canvases: numbers become pixels as the formula says, and a photo comes back out of them."""

from cmath import exp
from math import pi, sqrt

import pytest
import torch
from torch import Generator, Tensor, nn

import pellucid as pl
from pellucid.make import natural
from pellucid.make.canvas import Canvas, sides
from pellucid.make.fourier import CONTRAST, Fourier, fourier, mixing
from pellucid.make.phase import CONTRAST as STRENGTH
from pellucid.make.phase import Phase, phase
from pellucid.make.pixels import Pixels, pixels

CANVASES = [Pixels(), Fourier(), Phase()]


def blank(size: tuple[int, int] = (6, 5), channels: int = 3) -> pl.Network:
    """A network of which only the preprocessing matters."""
    mean = [0.45, 0.5, 0.55][:channels]
    return pl.Network(nn.Identity(), size=size, mean=mean, std=[0.25] * channels)


def seeded(number: int = 0) -> Generator:
    return torch.Generator().manual_seed(number)


def waves_added(waves: list[list[complex]], width: int) -> Tensor:
    """The sum over all waves at every pixel, written out: a slow inverse transform.

    Of the waves that run the other way across, which real numbers do not need, each is the mirror
    of one that is there.
    """
    height = len(waves)
    plane = torch.zeros(height, width, dtype=torch.float64)
    for y in range(height):
        for x in range(width):
            total = 0.0
            for v in range(height):
                for u, wave in enumerate(waves[v]):
                    turned = wave * exp(2j * pi * (v * y / height + u * x / width))
                    alone = u == 0 or 2 * u == width
                    total += turned.real * (1 if alone else 2)
            plane[y, x] = total / sqrt(height * width)
    return plane


def frequency(v: int, u: int, height: int, width: int) -> float:
    down = min(v, height - v) / height
    return max(sqrt(down**2 + (u / width) ** 2), 1 / max(height, width))


def coloured(planes: list[Tensor], times: float) -> Tensor:
    """Planes of independent numbers, mixed to colours from 0 to 1."""
    mix = times * mixing(len(planes)).double()
    shades = [sum(mix[i, j] * plane for j, plane in enumerate(planes)) for i in range(len(planes))]
    return torch.stack([1 / (1 + torch.exp(-shade)) for shade in shades])


@pytest.mark.parametrize("size", [(6, 5), (5, 6)])
@pytest.mark.parametrize(("channels", "power"), [(3, 1.0), (1, 1.0), (3, 0.0), (1, 2.0)])
def test_waves_against_the_formula(size: tuple[int, int], channels: int, power: float) -> None:
    net = blank(size, channels)
    height, width = size
    numbers = torch.randn(2, channels, height, width // 2 + 1, 2, generator=seeded())
    made = Fourier(power=power).lay(net, numbers).pictures()
    for picture, waves in zip(made, numbers.double().tolist(), strict=True):
        planes = []
        for plane in waves:
            scaled = [
                [
                    complex(*wave) * CONTRAST / frequency(v, u, height, width) ** power
                    for u, wave in enumerate(row)
                ]
                for v, row in enumerate(plane)
            ]
            planes.append(waves_added(scaled, width))
        torch.testing.assert_close(picture.double(), coloured(planes, 1), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("size", "channels"), [((6, 5), 3), ((5, 6), 1)])
def test_phases_against_the_formula(size: tuple[int, int], channels: int) -> None:
    net = blank(size, channels)
    strength = natural.magnitudes(*size, channels).double()
    phases = pi * (2 * torch.rand(1, channels, size[0], size[1] // 2 + 1, generator=seeded()) - 1)
    made = Phase().lay(net, phases).pictures()[0]
    planes = []
    for strong, turn in zip(strength.tolist(), phases[0].double().tolist(), strict=True):
        rows = [
            [r * exp(1j * t) for r, t in zip(*row, strict=True)]
            for row in zip(strong, turn, strict=True)
        ]
        planes.append(waves_added(rows, size[1]))
    torch.testing.assert_close(made.double(), coloured(planes, STRENGTH), atol=1e-5, rtol=0)


def test_pixels_are_the_networks_input() -> None:
    net = blank()
    numbers = torch.randn(2, 3, 6, 5, generator=seeded())
    sheet = Pixels().lay(net, numbers)
    assert torch.equal(sheet.images(), numbers)
    shown = net.preprocess.denormalise(numbers).clamp(0, 1)
    torch.testing.assert_close(sheet.pictures(), shown)
    sheet.settle()
    torch.testing.assert_close(sheet.images(), net.preprocess.normalise(shown))


@pytest.mark.parametrize("canvas", [Pixels(), Fourier(first="zeros")], ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_zeros_are_grey(canvas: Canvas, channels: int) -> None:
    """The mean grey of pixels; of waves, which know no network's mean, the middle."""
    net = blank((17, 23), channels)
    (made,) = canvas.sheet(net, seeded()).pictures()
    wanted = net.preprocess.mean if isinstance(canvas, Pixels) else [0.5] * channels
    torch.testing.assert_close(made, torch.tensor(wanted)[:, None, None].expand(-1, 17, 23))


@pytest.mark.parametrize("canvas", [Pixels(first="noise"), Fourier(), Phase()], ids=str)
def test_noise_goes_by_its_seed_and_is_the_same_for_all(canvas: Canvas) -> None:
    """However many pictures there are, each begins as it would alone."""
    net = blank((17, 23))
    one = canvas.sheet(net, seeded(3)).pictures()
    many = canvas.sheet(net, seeded(3), 4).pictures()
    assert many.shape == (4, 3, 17, 23) and float(one.std()) > 1e-3
    torch.testing.assert_close(many, one.expand(4, -1, -1, -1), atol=1e-6, rtol=0)
    assert not torch.allclose(one, canvas.sheet(net, seeded(4)).pictures())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(24, 32), (17, 23)])
def test_a_photo_to_begin_with_comes_back(size: tuple[int, int], channels: int) -> None:
    net = blank(size, channels)
    begins = torch.stack([net.preprocess.crop(pl.open_image(f"photo:{name}"))[0] for name in
                          ("cat", "coffee")])  # fmt: skip
    back = Pixels().sheet(net, seeded(), begins=begins).pictures()
    torch.testing.assert_close(back, begins, atol=1e-6, rtol=0)
    for power in (0.0, 1.0, 2.0):
        back = Fourier(power=power).sheet(net, seeded(), begins=begins).pictures()
        # A sigmoid never comes to quite black or white.
        torch.testing.assert_close(back, begins.clamp(0.02, 0.98), atol=1e-4, rtol=0)
    # The strengths of the waves are those of other photos: the shapes stay, the shades do not.
    back = Phase().sheet(net, seeded(), begins=begins).pictures()
    for made, photo in zip(back, begins, strict=True):
        alike = torch.corrcoef(torch.stack([made.mean(0).flatten(), photo.mean(0).flatten()]))
        assert float(alike[0, 1]) > 0.6


def test_the_phases_of_a_photo_are_kept() -> None:
    net = blank((17, 23))
    begin = torch.rand(3, 17, 23, generator=seeded()) * 0.8 + 0.1
    sheet = Phase().sheet(net, seeded(), begins=begin[None])
    plain = torch.linalg.solve(mixing(3), sheet.pictures()[0].logit().flatten(1))
    found = torch.fft.rfft2(plain.reshape(3, 17, 23))
    wanted = sheet.parameters[0][0]
    strong = found.abs() > 1e-2
    assert strong.sum() > strong.numel() - 10
    turn = torch.polar(torch.ones(()), found.angle() - wanted)[strong]
    torch.testing.assert_close(turn.real, torch.ones_like(turn.real), atol=1e-3, rtol=0)


def test_a_photo_of_another_size_or_in_grey_is_made_to_fit() -> None:
    begins = torch.rand(1, 1, 40, 40, generator=seeded())
    made = Pixels("20x30").sheet(blank(), seeded(), begins=begins).pictures()
    assert made.shape == (1, 3, 20, 30)
    torch.testing.assert_close(made[:, :1].expand_as(made), made, atol=1e-6, rtol=0)
    photo = pl.open_image("photo:cat")
    net = blank((8, 8), 1)
    made = Pixels().sheet(net, seeded(), begins=blank((8, 8)).preprocess.crop(photo)[0][None])
    torch.testing.assert_close(made.pictures()[0], net.preprocess.crop(photo)[0])


def test_sizes() -> None:
    own = (20, 28)
    assert sides("", own) == own
    assert sides("40", own) == (40, 56)
    assert sides("96X128", own) == (96, 128)
    assert Fourier("17x23").shape(blank()) == (3, 17, 23)
    assert Fourier("64", power=2).sized("32") == Fourier("32", power=2)
    assert (pixels(128), fourier((96, 128)), phase("64")) == (
        Pixels("128"), Fourier("96x128"), Phase("64")
    )  # fmt: skip
    for wrong in ("0x3", "-4", "big", "1x2x3", "3x", "2.5"):
        with pytest.raises(pl.PellucidError, match="a size is 128, or 96x128"):
            sides(wrong, own)


@pytest.mark.parametrize("canvas", CANVASES, ids=str)
@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.bfloat16])
def test_numbers_are_exact_and_the_network_gets_its_own_kind(
    canvas: Canvas, kind: torch.dtype
) -> None:
    net = pl.Network(nn.Conv2d(3, 2, 3).to(kind), size=(17, 23))
    sheet = canvas.sheet(net, seeded(), 2)
    assert all(numbers.dtype == torch.float32 for numbers in sheet.parameters)
    assert sheet.images().dtype == kind and sheet.images().shape == (2, 3, 17, 23)
    assert sheet.pictures().dtype == torch.float32
