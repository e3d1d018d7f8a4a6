"""dream(): the answer is known where the layer is linear; octaves add up; films go closer."""

from collections.abc import Iterator

import pytest
import torch
from slope import slope, some
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.make.amplified import amplified, stations, usual_layer
from pellucid.make.dreaming import zoomed
from pellucid.make.objectives import layer
from pellucid.make.octaves import sizes
from pellucid.make.tiling import Tiled
from pellucid.progress import finished
from pellucid.replay import read
from strided import deep

pytestmark = pytest.mark.usefixtures("all_digits")


def linear(channels: int = 3, size: tuple[int, int] = (6, 9)) -> pl.Network:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(channels * size[0] * size[1], 2))
    return pl.Network(module, size=size, mean=[0.5] * channels, std=[0.25] * channels)


def through() -> pl.Network:
    """A layer that is the picture itself."""
    module = nn.Sequential(nn.Conv2d(3, 3, 1, bias=False), nn.AvgPool2d(8), nn.Flatten())
    with torch.no_grad():
        module[0].weight.copy_(torch.eye(3)[:, :, None, None])
    return pl.Network(module, size=8, mean=[0.5] * 3, std=[0.25] * 3)


@pytest.mark.parametrize("channels", [1, 3])
def test_of_a_linear_score_a_step_is_the_weight(channels: int) -> None:
    net = linear(channels)
    weight = net.module[1].weight[1].detach().reshape(channels, 6, 9)
    photo = pl.open_image(some(6, 9).mean(0, keepdim=True).expand(3, -1, -1))
    made = pl.dream(net, photo, "class:1", octaves=1, steps=2, rate=0.03, jitter=0)
    moved = made.values - photo.floats()[:channels]
    torch.testing.assert_close(moved, 2 * 0.25 * 0.03 * weight / weight.abs().mean())


@pytest.mark.parametrize("jitter", [0, 5])
def test_of_a_layer_a_step_is_the_layer_itself(jitter: int) -> None:
    """Also when it is moved before each step: it is moved back, to the pixel."""
    photo = pl.open_image(some(13, 21))
    made = pl.dream(through(), photo, "0", octaves=1, steps=3, rate=0.1, jitter=jitter)
    pixels = (photo.floats() - 0.5) / 0.25
    for _ in range(3):
        pixels = pixels + 0.1 * pixels / pixels.abs().mean()
    torch.testing.assert_close(made.values, pixels * 0.25 + 0.5)
    assert made.facts["value before"] == pytest.approx(
        float(((photo.floats() - 0.5) / 0.25).square().mean() / 2)
    )


def test_octaves_are_those_of_the_paper() -> None:
    """A slow twin of the notebook of 2015: base, detail, enlarge, add."""
    net, photo = deep(), pl.open_image(some(70, 90))
    made = pl.dream(net, photo, "4", octaves=3, ratio=1.4, steps=2, rate=0.01, jitter=0)

    def grown(images: Tensor, size: tuple[int, int]) -> Tensor:
        return F.interpolate(images, size, mode="bicubic", antialias=True)

    mean, std = (
        torch.tensor(numbers).view(3, 1, 1) for numbers in (net.preprocess.mean, net.preprocess.std)
    )
    whole = ((photo.floats() - mean) / std)[None]
    detail = torch.zeros(1, 3, 36, 46)
    for size in ((36, 46), (50, 64), (70, 90)):
        base = grown(whole, size) if size != (70, 90) else whole
        pixels = base + (grown(detail, size) if detail.shape[2:] != size else detail)
        for _ in range(2):
            pixels = pixels.detach().requires_grad_()
            (net.module[:5](pixels).square().mean() / 2).backward()
            assert pixels.grad is not None
            pixels = pixels + 0.01 * pixels.grad / pixels.grad.abs().mean()
        detail = pixels.detach() - base
    torch.testing.assert_close(made.values, (whole + detail)[0] * std + mean, atol=2e-4, rtol=0)


def test_sizes_end_at_the_whole_and_never_at_nothing() -> None:
    assert sizes((100, 200), 3, 2.0) == [(25, 50), (50, 100), (100, 200)]
    assert sizes((1, 9), 4, 2.0)[0] == (1, 1)


@pytest.mark.parametrize("size", [(6, 9), (2, 3), (31, 40), (1, 50)])
def test_a_network_of_one_size_only_dreams_at_any(size: tuple[int, int]) -> None:
    net = linear()
    with torch.no_grad():
        net.module[1].weight.abs_()  # wherever it is shown, it wants light
    made = pl.dream(net, some(*size), "class:0", octaves=2, steps=3, size=max(16, *size))
    assert made.facts["value"] > made.facts["value before"]
    assert max(made.values.shape[1:]) == max(16, *size)


def test_photos_are_dreamt_at_their_own_size_within_bounds() -> None:
    few = {"octaves": 1, "steps": 1, "want": "0"}
    assert pl.dream(through(), some(20, 33), **few).values.shape == (3, 20, 33)
    assert pl.dream(through(), some(2, 1280), **few).values.shape == (3, 1, 640)
    assert pl.dream(through(), some(2, 3), size=300, **few).values.shape == (3, 200, 300)


def test_a_transformer_dreams() -> None:
    net = pl.load("timm:vit_tiny_patch16_224", weights="random", device="cpu")
    photo = pl.open_image(some(40, 260))
    made = pl.dream(net, photo, octaves=1, steps=1)
    moved = (made.values - photo.floats()).abs().mean((0, 1))
    assert made.values.shape == (3, 40, 260) and bool((moved > 1e-4).all())  # in every tile


def test_a_channel_grows_where_it_answers() -> None:
    net, pixels = through(), (some(8, 8) - 0.5) / 0.25
    found = slope(net, "0:1", pixels)[0]
    grown = torch.zeros_like(pixels)
    grown[1] = pixels[1].clamp(min=0)
    torch.testing.assert_close(found, grown / grown.abs().mean())
    both = slope(net, "0:1; 0:2", pixels)[0]
    grown[2] = pixels[2].clamp(min=0)
    torch.testing.assert_close(both, grown / grown.abs().mean())


def test_a_guide_draws_each_place_to_the_place_most_like_it() -> None:
    """As in the notebook: the dot product chooses, and what it chose is the gradient."""
    net, guide = through(), pl.open_image(some(8, 8, seed=5))
    pixels = (some(7, 11) - 0.5) / 0.25
    with net.at_rest():
        _, bound = amplified("0", net, guide)
        look = Tiled(net, bound, torch.Generator(), 0, None)
        images = pixels[None].requires_grad_()
        (gradient,) = torch.autograd.grad(look(images).sum(), images)
    others = ((guide.floats() - 0.5) / 0.25).flatten(1)
    wanted = torch.empty(3, 7, 11)
    for row in range(7):
        for column in range(11):
            products = [float(pixels[:, row, column] @ one) for one in others.T]
            wanted[:, row, column] = others[:, products.index(max(products))]
    torch.testing.assert_close(gradient[0], wanted / (3 * 7 * 11))


def test_the_layer_by_itself_is_three_quarters_deep() -> None:
    assert usual_layer(pl.load()) == "relu6"
    net = pl.load("googlenet", weights="random", device="cpu")
    assert usual_layer(net) == "inception4d"
    assert stations(net)[:3] == ["conv1", "conv2", "inception3a"] or "conv3" in stations(net)


def test_objectives_of_all_kinds(tiny: pl.Network, cat: pl.Photo) -> None:
    few = {"octaves": 1, "steps": 2, "size": 60}
    wants = ["block", "stem.1:2", "class:bee", "layer(block) - 0.1 * total_variation", layer("act")]
    for want in wants:
        assert pl.dream(tiny, cat, want, **few).values.shape == (1, 40, 60)
    same = pl.dream(tiny, cat, "stem.1:2", **few).recipe.values
    assert pl.dream(tiny, cat, tiny.unit("stem.1:2"), **few).recipe.values == same


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"want": "relu66"}, "no layer 'relu66'; did you mean 'relu6'"),
        ({"want": "relu6:3@1,1"}, "one place only"),
        ({"want": "relu6:3", "guide": "photo:coins"}, "name layers only"),
        ({"want": "relu6", "tile": 40}, "at least 64 px"),
        ({"want": "layer(relu6) - difference(photo:cat)", "tile": 64}, "seen in tiles"),
        ({"size": 5}, "at least 16"),
    ],
)
def test_what_cannot_be_dreamt(settings: dict, message: str, bundled: pl.Network) -> None:
    with pytest.raises(pl.PellucidError, match=message):
        pl.dream(bundled, "photo:cat", **settings)


def test_a_layer_that_nothing_reaches_says_so() -> None:
    net = through()
    with torch.no_grad():
        net.module[0].weight.zero_()
    with pytest.raises(pl.PellucidError, match="nothing in this photo reaches it"):
        pl.dream(net, some(8, 8), "0", octaves=1, steps=2)


def test_a_film_goes_closer_frame_by_frame() -> None:
    few = {"octaves": 1, "steps": 2, "jitter": 0, "rate": 0.1}
    film = pl.dream(through(), some(12, 18), "0", film=3, zoom=1.5, **few)
    assert isinstance(film, pl.Film)
    assert film.values.shape == (3, 3, 12, 18) and film.values.dtype == torch.uint8
    first = pl.dream(through(), some(12, 18), "0", **few).values
    assert torch.equal(film.values[0], (first * 255).round().byte())
    closer = zoomed(first[None], 1.5)[0].clamp(0, 1)
    second = pl.dream(through(), closer, "0", **few).values
    away = (film.values[1].float() / 255 - second).abs()
    assert float(away.max()) < 0.02  # the photo between was rounded to 8 bits


def test_zoom_keeps_the_middle() -> None:
    images = some(9, 15)[None]
    torch.testing.assert_close(zoomed(images, 1.0), images)
    torch.testing.assert_close(zoomed(images, 1.7)[..., 4, 7], images[..., 4, 7])
    ramp = torch.arange(21.0).expand(1, 1, 9, 21)
    torch.testing.assert_close(zoomed(ramp, 2.0)[0, 0, 4, 5:16], torch.arange(7.5, 13.0, 0.5))


class _Interrupted:
    """Ctrl-C after so many steps."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self, step: pl.Step) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


@pytest.fixture
def few() -> Iterator[dict]:
    yield {"octaves": 2, "steps": 3, "size": 40, "want": "relu1"}


@pytest.mark.parametrize(("after", "film", "frames"), [(2, 0, 0), (4, 3, 1), (6, 3, 1), (13, 3, 2)])
def test_ctrl_c_gives_what_there_is_and_it_can_be_made_again(
    after: int, film: int, frames: int, few: dict, bundled: pl.Network, here: object
) -> None:
    work = pl.dream.steps(bundled, "photo:cat", film=film, **few)
    made = finished(work, _Interrupted(after))
    assert made.recipe.settings["stop"] == after and "stopped" in made.caption
    if film:
        assert len(made.values) == frames
    assert read(made.save("made.png")) == made.recipe
    assert pl.replay("made.png").same
