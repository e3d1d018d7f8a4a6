"""The painter and its parts, against slow twins written from the formulas."""

import math

import pytest
import torch
from torch.nn import functional as F

from pellucid.errors import PellucidError
from pellucid.make.painting import strips
from pellucid.make.painting.blend import blend, told
from pellucid.make.painting.norm import EPSILON, ConditionalNorm
from pellucid.make.painting.painter import Painter
from pellucid.make.painting.strips import convolved, enlarged, mirrored

NAMES = ("mosaic", "waves", "ink 2")


def painter(styles: int = 3, width: int = 4, blocks: int = 1) -> Painter:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        made = Painter(styles, width, blocks)
        for name, weight in made.named_parameters():
            if "norm" in name:
                weight.data += 0.3 * torch.randn_like(weight)
    return made.requires_grad_(False)


def test_conditional_normalisation_is_what_its_formula_says() -> None:
    """Each channel of each picture: z = γ_s (x - μ) / σ + β_s, place by place."""
    torch.manual_seed(0)
    norm = ConditionalNorm(2, 3)
    norm.scale.data.normal_()
    norm.shift.data.normal_()
    norm.requires_grad_(False)
    maps, mix = torch.randn(2, 3, 4, 5), torch.tensor([[0.0, 1.0], [0.25, 0.75]])
    found = norm(maps, mix)
    for picture in range(2):
        for channel in range(3):
            values = maps[picture, channel].flatten().tolist()
            mean = sum(values) / len(values)
            deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / len(values) + EPSILON)
            gamma = sum(float(mix[picture, s] * norm.scale[s, channel]) for s in range(2))
            beta = sum(float(mix[picture, s] * norm.shift[s, channel]) for s in range(2))
            wanted = [gamma * (v - mean) / deviation + beta for v in values]
            assert found[picture, channel].flatten().tolist() == pytest.approx(wanted, abs=1e-5)


def test_without_gradients_it_is_the_same() -> None:
    norm = ConditionalNorm(1, 2)
    maps = torch.randn(1, 2, 5, 6)
    wanted = norm(maps, torch.ones(1, 1)).detach()
    with torch.no_grad():
        assert torch.allclose(norm(maps.clone(), torch.ones(1, 1)), wanted, atol=1e-6)


@pytest.mark.parametrize(("length", "reach"), [(7, 2), (3, 2), (2, 2), (1, 1), (1, 4)])
def test_the_border_mirrors_or_goes_on(length: int, reach: int) -> None:
    line = torch.arange(length).view(1, 1, length).float()
    mode = "reflect" if length > reach else "replicate"
    wanted = F.pad(line, (reach, reach), mode=mode)[0, 0].long()
    assert mirrored(length, reach, mode).tolist() == wanted.tolist()


SIZES = [(40, 24), (41, 23), (1, 30), (30, 1), (2, 2), (1, 1)]


def border(length: int, reach: int) -> torch.Tensor:
    return mirrored(length, reach, "reflect" if length > reach else "replicate")


@pytest.mark.parametrize("kernel", [3, 9])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", SIZES)
def test_strips_are_the_whole(
    kernel: int, stride: int, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a plain convolution over the bordered maps."""
    torch.manual_seed(0)
    kernels, maps = torch.randn(4, 3, kernel, kernel), torch.randn(2, 3, *size)
    down, right = (border(side, kernel // 2) for side in size)
    wanted = F.conv2d(maps[:, :, down][:, :, :, right], kernels, stride=stride)
    assert torch.allclose(convolved(maps, kernels, stride), wanted, atol=1e-4)
    monkeypatch.setattr(strips, "MOST_NUMBERS", 100)
    with torch.no_grad():
        assert torch.allclose(convolved(maps, kernels, stride), wanted, atol=1e-4)


@pytest.mark.parametrize("size", SIZES)
def test_enlarging_is_repeating_each_place(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nearest neighbours, then the mirrored border, then the convolution; its gradient, too."""
    torch.manual_seed(0)
    kernels, maps = torch.randn(4, 3, 3, 3), torch.randn(2, 3, *size, requires_grad=True)
    big = maps.repeat_interleave(2, 2).repeat_interleave(2, 3)
    down, right = (border(2 * side, 1) for side in size)
    wanted = F.conv2d(big[:, :, down][:, :, :, right], kernels)
    found = enlarged(maps, kernels)
    assert torch.allclose(found, wanted, atol=1e-4)
    slopes = [torch.autograd.grad(one.square().sum(), maps)[0] for one in (found, wanted)]
    assert torch.allclose(*slopes, rtol=1e-3, atol=1e-2)
    monkeypatch.setattr(strips, "MOST_NUMBERS", 100)
    with torch.no_grad():
        assert torch.allclose(enlarged(maps, kernels), wanted, atol=1e-4)


def test_a_large_photo_is_painted_as_a_small_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its means and variances are the whole's, whatever the strips."""
    made, photo, mix = painter(), torch.rand(1, 3, 70, 51), torch.tensor([[0.2, 0.0, 0.8]])
    with torch.no_grad():
        wanted = made(photo, mix)
        monkeypatch.setattr(strips, "MOST_NUMBERS", 3000)
        assert torch.allclose(made(photo, mix), wanted, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 37), (37, 1), (5, 6), (33, 47)])
def test_any_size_comes_back(size: tuple[int, int]) -> None:
    photo = torch.rand(1, 3, *size)
    with torch.no_grad():
        painted = painter()(photo, torch.eye(3)[:1])
    assert painted.shape == photo.shape
    assert bool(((painted >= 0) & (painted <= 1)).all())


def test_each_picture_has_its_own_style_and_nothing_of_its_neighbours() -> None:
    made, photos = painter(), torch.rand(3, 3, 20, 24)
    with torch.no_grad():
        together = made(photos, torch.eye(3))
        alone = [made(photos[n : n + 1], torch.eye(3)[n : n + 1]) for n in range(3)]
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)
    assert not torch.allclose(*(made(photos[:1], torch.eye(3)[n : n + 1]) for n in (0, 1)))


def test_a_style_is_scales_and_shifts_and_nothing_else() -> None:
    """Dumoulin et al.: all other weights are everybody's."""
    shapes = {name: weight.shape for name, weight in painter(5).named_parameters()}
    of_a_style = [name for name, shape in shapes.items() if shape[0] == 5 and len(shape) == 2]
    assert of_a_style == [name for name in shapes if "norm" in name]


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("waves", [0, 1, 0]),
        ("2", [0, 1, 0]),
        ("ink 2", [0, 0, 1]),
        ("ink 2 0.5", [0, 0, 1]),
        ("waves 3; mosaic 1", [0.25, 0.75, 0]),
        ("waves; 1", [0.5, 0.5, 0]),
        ("waves 0.3; waves 0.7", [0, 1, 0]),
        ("waves 1; mosaic 0", [0, 1, 0]),
    ],
)
def test_a_blend_is_read(text: str, shares: list[float]) -> None:
    found = blend(text, NAMES)
    assert found.tolist() == [shares]
    assert torch.equal(blend(told(found, NAMES), NAMES), found)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("wavs", "did you mean 'waves'"),
        ("0", "styles 1 to 3"),
        ("4", "styles 1 to 3"),
        ("waves; ", "between each two"),
        ("", "between each two"),
        ("waves 0", "not all 0"),
        ("waves -1", "0 or more"),
        ("waves inf", "0 or more"),
        ("waves nan", "0 or more"),
    ],
)
def test_a_blend_that_is_none(text: str, says: str) -> None:
    with pytest.raises(PellucidError, match=says):
        blend(text, NAMES)


@pytest.mark.parametrize("side", [5, 9])
@pytest.mark.parametrize("size", [(12, 16), (13, 11), (17, 12)])
def test_a_picture_by_blocks_is_the_picture(side: int, size: tuple[int, int]) -> None:
    random = torch.Generator().manual_seed(0)
    maps = torch.randn(2, 4, *size, generator=random, dtype=torch.float64)
    kernels = torch.randn(3, 4, side, side, generator=random, dtype=torch.float64)
    border = F.pad(maps, (side // 2,) * 4, mode="reflect")
    with torch.no_grad():
        torch.testing.assert_close(strips.convolved(maps, kernels), F.conv2d(border, kernels))
