"""Changes of view against pixels put there by hand."""

from math import cos, pi, sin

import pytest
import torch
from torch import Generator, Tensor

from pellucid.make.transforms import (
    Crop,
    Jitter,
    Noise,
    Pad,
    Rotate,
    Scale,
    Transform,
    seen,
    transforms,
)

ALL = transforms("jitter 0.2; scale 0.3; rotate 30; crop 0.5 0.8; noise 0.1; pad 0.1")


def seeded(number: int = 0) -> Generator:
    return torch.Generator().manual_seed(number)


def images(count: int = 2, height: int = 17, width: int = 23) -> Tensor:
    return torch.randn(count, 3, height, width, generator=seeded(9))


def looked_up(image: Tensor, places: Tensor) -> Tensor:
    """An image at places (row, column) between its pixels, each of four weighed; 0 beyond."""
    _, height, width = image.shape
    made = torch.zeros(len(image), *places.shape[:2])
    for y in range(places.shape[0]):
        for x in range(places.shape[1]):
            row, column = places[y, x].tolist()
            top, left = int(row // 1), int(column // 1)
            for down in (0, 1):
                for right in (0, 1):
                    r, c = top + down, left + right
                    weight = (1 - abs(row - r)) * (1 - abs(column - c))
                    if 0 <= r < height and 0 <= c < width:
                        made[:, y, x] += weight * image[:, r, c]
    return made


def around(height: int, width: int) -> Tensor:
    """(row, column) of each pixel, from the middle of the image."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([rows - (height - 1) / 2, columns - (width - 1) / 2], -1).double()


def drawn(number: int = 0) -> float:
    """The number from 0 to 1 that a transform draws with this seed."""
    return float(torch.rand((), generator=seeded(number)))


def test_jitter_rolls_by_whole_pixels() -> None:
    given = torch.arange(12.0).reshape(1, 1, 3, 4)
    found = {tuple(Jitter(0.4)(given, seeded(n)).flatten().tolist()) for n in range(60)}
    rolls = [
        [given[0, 0, (y - down) % 3, (x - right) % 4].item() for y in range(3) for x in range(4)]
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    ]
    assert found == set(map(tuple, rolls))


def test_jitter_of_less_than_a_pixel_does_nothing() -> None:
    given = images()
    assert Jitter(0.05)(given, seeded()) is given


@pytest.mark.parametrize("number", [0, 1, 2])
def test_scale_against_the_formula(number: int) -> None:
    """Enlarged around the middle: a pixel's place is nearer to it by that factor."""
    given = images(1)
    times = 1 + 0.3 * (2 * drawn(number) - 1)
    places = around(17, 23) / times + torch.tensor([8.0, 11.0])
    made = Scale(0.3)(given, seeded(number))
    torch.testing.assert_close(made[0], looked_up(given[0], places), atol=1e-4, rtol=0)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_rotate_against_the_formula(number: int) -> None:
    """Turned in pixels, so that also an image that is not square stays what it is."""
    given = images(1)
    angle = 40 * (2 * drawn(number) - 1) * pi / 180
    down, across = around(17, 23).unbind(-1)
    places = torch.stack(
        [
            cos(angle) * down + sin(angle) * across + 8,
            -sin(angle) * down + cos(angle) * across + 11,
        ],
        -1,
    )
    made = Rotate(40)(given, seeded(number))
    torch.testing.assert_close(made[0], looked_up(given[0], places), atol=1e-4, rtol=0)


def test_a_quarter_turn_is_one() -> None:
    given = images(1, 16, 16)
    turn = 90 / (2 * drawn() - 1)
    made = _unchecked(Rotate, degrees=turn)(given, seeded())
    torch.testing.assert_close(made, given.rot90(1, (2, 3)), atol=1e-4, rtol=0)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_crop_against_the_formula(number: int) -> None:
    """A part that lies inside of the image, enlarged to the whole."""
    given = images(1)
    random = seeded(number)
    part, across, down = (float(torch.rand((), generator=random)) for _ in range(3))
    part = 0.4 + 0.3 * part
    middle = [8 + (1 - part) * (2 * down - 1) * 8.5, 11 + (1 - part) * (2 * across - 1) * 11.5]
    places = around(17, 23) * part + torch.tensor(middle)
    # Between the middles of the first and the last pixel, or in half a pixel at the rim.
    assert bool((places >= -0.5).all() and (places[..., 0] <= 16.5).all())
    assert bool((places[..., 1] <= 22.5).all())
    made = Crop(0.4, 0.7)(given, seeded(number))
    torch.testing.assert_close(made[0], looked_up(given[0], places), atol=1e-4, rtol=0)


def test_noise_has_its_deviation_and_is_the_same_on_all() -> None:
    given = images(3, 60, 70)
    added = Noise(0.3)(given, seeded()) - given
    torch.testing.assert_close(added, added[:1].expand_as(added), atol=1e-6, rtol=0)
    assert abs(float(added[0].std()) - 0.3) < 0.01 and abs(float(added[0].mean())) < 0.01


def test_pad_lays_grey_around() -> None:
    given = images(1, 10, 20)
    made = Pad(0.2)(given, seeded())
    assert made.shape == (1, 3, 14, 24)
    assert torch.equal(made[:, :, 2:-2, 2:-2], given)
    assert float(made.abs().sum()) == pytest.approx(float(given.abs().sum()))


@pytest.mark.parametrize("kind", [Scale(0.3), Rotate(40)], ids=str)
def test_the_other_way_brings_it_back(kind: Transform) -> None:
    """The inverse of a change, by its formula, undoes it."""
    smooth = torch.nn.functional.interpolate(images(1, 4, 5), (48, 60), mode="bicubic")
    there = kind(smooth, seeded(1))
    name, value = next(iter(vars(kind).items()))
    share = 2 * drawn(1) - 1
    # Scaling by s is undone by 1 / s, turning by an angle by the other.
    wanted = 1 / (1 + value * share) - 1 if isinstance(kind, Scale) else -value * share
    inverse = _unchecked(type(kind), **{name: wanted / share})
    back = inverse(there, seeded(1))
    middle = (slice(None), slice(None), slice(16, 32), slice(20, 40))
    away = float((there - smooth)[middle].abs().mean())
    assert float((back - smooth)[middle].abs().mean()) < 0.1 * away


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_goes_by_its_seed_and_moves_all_alike(kind: Transform) -> None:
    """A picture does not depend on those beside it."""
    given = images(3)
    together = kind(given, seeded(5))
    for number in range(3):
        alone = kind(given[number : number + 1], seeded(5))
        torch.testing.assert_close(together[number : number + 1], alone, atol=1e-6, rtol=0)
    assert torch.equal(together, kind(given, seeded(5)))
    if not isinstance(kind, Pad):
        assert not torch.equal(together, kind(given, seeded(6)))
    assert torch.equal(given, images(3))


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_lets_gradients_through(kind: Transform) -> None:
    given = images(1).requires_grad_()
    kind(given, seeded()).square().sum().backward()
    assert given.grad is not None and float((given.grad != 0).float().mean()) > 0.2


@pytest.mark.parametrize("kind", ALL, ids=str)
@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float64])
def test_half_precision_is_rounded_once(kind: Transform, precision: torch.dtype) -> None:
    """What is moved is the same up to its own roundings: no places are rounded."""
    given = images(1).to(precision)
    made = kind(given, seeded())
    assert made.dtype == precision
    wanted = kind(given.double(), seeded())
    close = {torch.bfloat16: 2e-2, torch.float64: 1e-6}[precision]
    torch.testing.assert_close(made.double(), wanted, atol=close, rtol=close)


def test_one_after_the_other() -> None:
    given = images()
    random = seeded(4)
    wanted = Rotate(10)(Jitter(0.2)(given, random), random)
    assert torch.equal(seen(given, (Jitter(0.2), Rotate(10)), seeded(4)), wanted)
    assert seen(given, (), seeded()) is given


def test_neighbours_that_turn_and_stretch_are_joined() -> None:
    """Each place is followed back through all of them, and the pixels are mixed once."""
    given = images(1)
    some = (Scale(0.3), Rotate(40), Crop(0.5, 0.8))
    random = seeded(3)
    scale, turn, part, across, down = (float(torch.rand((), generator=random)) for _ in range(5))
    part = 0.5 + 0.3 * part
    middle = torch.tensor([(1 - part) * (2 * down - 1) * 8.5, (1 - part) * (2 * across - 1) * 11.5])
    rows, columns = (around(17, 23) * part + middle).unbind(-1)
    angle = 40 * (2 * turn - 1) * pi / 180
    turned = torch.stack(
        [cos(angle) * rows + sin(angle) * columns, cos(angle) * columns - sin(angle) * rows], -1
    )
    places = turned / (1 + 0.3 * (2 * scale - 1)) + torch.tensor([8.0, 11.0])
    made = seen(given, some, seeded(3))
    torch.testing.assert_close(made[0], looked_up(given[0], places), atol=1e-4, rtol=0)


def test_what_stands_between_two_keeps_them_apart() -> None:
    given = images()
    random = seeded(4)
    wanted = Rotate(10)(Jitter(0.2)(Scale(0.2)(given, random), random), random)
    some = (Scale(0.2), Jitter(0.2), Rotate(10))
    torch.testing.assert_close(seen(given, some, seeded(4)), wanted)


def _unchecked(kind: type[Transform], **values: float) -> Transform:
    """A transform of a size that nobody may ask for."""
    made = object.__new__(kind)
    for name, value in values.items():
        object.__setattr__(made, name, value)
    return made
