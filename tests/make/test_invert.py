"""invert(): linear codes give the photo back, and what is lost does not come back."""

from __future__ import annotations

import itertools

import pytest
import torch
from mixing import mixing, some
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.make.invert import invert
from pellucid.progress import finished


@pytest.mark.parametrize("climb", ["lbfgs", "adam 0.1"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_linear_code_gives_the_photo_back(climb: str, channels: int) -> None:
    photo = pl.open_image(some(12, 15).mean(0, keepdim=True).expand(3, -1, -1))
    made = invert(mixing(channels=channels), photo, layers="0", variation=0, climb=climb, steps=300)
    # The alpha-norm alone keeps the photo from coming back to the last digit.
    assert float(made.psnr) > 35
    assert float(made.errors) < 0.05
    assert float((made.values[0, 0] - made.photo).abs().max()) < 0.1


def test_between_photo_and_smoothness_the_answer_is_known() -> None:
    """The code is the picture itself: what is best is one linear system, solved here."""
    height, width = 12, 15
    identity = nn.Sequential(nn.Conv2d(3, 3, 1, bias=False), nn.AvgPool2d(8), nn.Flatten())
    with torch.no_grad():
        identity[0].weight.copy_(torch.eye(3)[:, :, None, None])
    net = pl.Network(identity, size=(height, width), mean=[0.5] * 3, std=[0.25] * 3)
    # Near the mean grey the alpha-norm is nothing.
    photo = pl.open_image(0.5 + 0.12 * (some(height, width) - 0.5))
    weight = 3000.0
    made = invert(net, photo, layers="0", variation=weight, steps=200)

    rows = []
    for i, j in itertools.product(range(height), range(width)):
        for down, across in ((1, 0), (0, 1)):
            if i + down < height and j + across < width:
                row = torch.zeros(height, width, dtype=torch.float64)
                row[i, j], row[i + down, j + across] = -1, 1
                rows.append(row.flatten())
    uneven = torch.stack(rows)
    wanted = ((photo.floats() - 0.5) / 0.25).double().flatten(1)
    levels = (0.25 * 255) ** 2 * (height * width / 227**2)
    smooth = weight * levels / (2 * 27098**2 / (227 * 227 * 3) * wanted.numel())
    length = wanted.square().sum()
    system = torch.eye(height * width) / length + smooth * uneven.T @ uneven
    best = torch.linalg.solve(system, wanted.T / length).T.reshape(3, height, width)
    assert float((best - wanted.reshape_as(best)).abs().max()) > 0.05
    torch.testing.assert_close(made.values[0, 0].double(), best * 0.25 + 0.5, atol=2e-4, rtol=0)


def test_what_is_lost_does_not_come_back() -> None:
    """Of strided maps less than of the mixed colours, of four scores less still."""
    made = invert(mixing(), pl.open_image(some(12, 15)), layers="0, 2, class", variation=0.01)
    assert [row.name for row in made.rows] == ["0", "2", "class scores"]
    assert made.psnr[0, 0] > made.psnr[1, 0] + 3 > made.psnr[2, 0] + 4
    assert float(made.errors.max()) < 0.2


def test_errors_are_those_of_the_picture_that_is_shown() -> None:
    net, photo = mixing(), pl.open_image(some(12, 15))
    made = invert(net, photo, layers="2", steps=4)
    code = net.module[:3].eval()
    with torch.no_grad():
        wanted = code(net.prepare(photo)[0])
        found = code(net.preprocess.normalise(made.of("2")))
        assert float(made.errors) == pytest.approx(float((found - wanted).norm() / wanted.norm()))
    noise = float((made.values[0, 0] - net.preprocess.crop(photo)[0]).square().mean())
    assert float(made.psnr) == pytest.approx(float(-10 * torch.tensor(noise).log10()), rel=1e-4)


def test_codes_do_not_help_each_other() -> None:
    """A code begins with the noise, not with what came of the one before; so does each start."""
    net, photo = mixing(), pl.open_image(some(12, 15))
    alone = invert(net, photo, layers="class", starts=2, steps=5)
    after = invert(net, photo, layers="0; 2; class", starts=2, steps=5)
    first = invert(net, photo, layers="class", steps=5)
    assert torch.equal(after.of("class scores"), alone.of(""))
    assert torch.equal(first.values[0, 0], alone.values[0, 0])
    assert not torch.equal(alone.values[0, 0], alone.values[0, 1])


@pytest.mark.parametrize("climb", ["plain 1e30", "adam 1e30", "lbfgs"])
def test_what_diverges_leaves_the_last_good_picture(climb: str) -> None:
    class Cliff(nn.Module):
        """Not finite anywhere near to where it should go."""

        def forward(self, x: Tensor) -> Tensor:
            far = x.square().mean((1, 2, 3))
            return torch.where(far < 0.8, torch.nan, far)[:, None] + 1

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cliff, self.flat = Cliff(), nn.Flatten()

        def forward(self, x: Tensor) -> Tensor:
            return self.flat(self.cliff(x))

    net = pl.Network(Net(), size=(12, 15), mean=[0.5] * 3, std=[0.25] * 3)
    white = pl.open_image(torch.ones(3, 12, 15) * 0.98)
    made = invert(net, white, layers="cliff", climb=climb, variation=100, steps=200)
    assert bool(made.values.isfinite().all())
    if climb == "lbfgs":
        assert "went too far, the best is kept: cliff" in made.caption
        assert made.facts["diverged"] == ["cliff"]


def test_stopped_it_gives_what_it_has_and_replays(here: object) -> None:
    net, photo = pl.load(device="cpu"), pl.open_image("photo:cat")
    work = invert.steps(net, photo, layers="relu1; relu2", steps=4)
    for step in work:
        if step.done == 6:
            break
    with pytest.raises(StopIteration) as end:
        work.throw(KeyboardInterrupt())
    made = end.value.value
    assert made.recipe.settings["stop"] == 6 and "(stopped)" in made.caption
    assert made.values.shape[:2] == (2, 1)
    made.save("stopped.png")
    assert pl.replay("stopped.png").same
    early = invert.steps(net, photo, layers="relu1", starts=3, steps=4)
    for step in early:
        if step.done == 5:
            break
    with pytest.raises(StopIteration) as end:
        early.throw(KeyboardInterrupt())
    assert end.value.value.values.shape[:2] == (1, 2)


@pytest.mark.parametrize(
    ("layers", "says"),
    [
        ("relu9", "did you mean"),
        ("relu1,,relu2", "between each two"),
        ("", "between each two"),
        ("relu1:3", "its layer is 'relu1'"),
    ],
)
def test_bad_layers_are_told(bundled: pl.Network, cat: pl.Photo, layers: str, says: str) -> None:
    with pytest.raises(pl.PellucidError, match=says):
        invert(bundled, cat, layers=layers, steps=1)


def test_a_silent_layer_is_told_and_left_out_where_it_was_not_named() -> None:
    class Silent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.dead = nn.Conv2d(3, 6, 3), nn.ReLU()
            self.last = nn.Linear(6, 3)

        def forward(self, x: Tensor) -> Tensor:
            x = self.first(x)
            return self.last(self.dead(-x.abs() - 1).mean((2, 3)) + x.mean((2, 3)))

    net = pl.Network(Silent(), size=16)
    with pytest.raises(pl.PellucidError, match="dead: all of it is zero"):
        invert(net, some(20, 20), layers="dead", steps=1)
    made = invert(net, some(20, 20), layers="all", steps=1)
    assert "dead" not in [row.name for row in made.rows]


@pytest.mark.parametrize(
    "name",
    ["resnet18", "vgg11", "mobilenet_v2", "timm:vit_tiny_patch16_224", "swin_t", "squeezenet1_1"],
)
def test_works_on_every_kind_of_network(name: str, cat: pl.Photo) -> None:
    net = pl.load(name, weights="random", device="cpu")
    layers = list(net.layers)
    deep = next(layer for layer in reversed(layers) if layer and len(net.layers[layer].shape) > 1)
    wanted = [layers[len(layers) // 3]] if name == "vgg11" else [deep]
    # A transformer's scores are all zero before it has learned anything.
    wanted += ["class"] if name in ("resnet18", "squeezenet1_1") else []
    made = invert(net, cat, layers="; ".join(wanted), steps=1)
    assert made.values.shape == (len(wanted), 1, 3, *net.preprocess.size)
    assert bool(made.errors.isfinite().all()) and bool(made.values.isfinite().all())


@pytest.mark.parametrize("size", [(1, 40), (40, 1), (1, 1), (301, 77)])
def test_photos_of_any_shape(bundled: pl.Network, size: tuple[int, int]) -> None:
    made = invert(bundled, some(*size), layers="relu2", steps=2)
    assert made.values.shape == (1, 1, 3, 112, 112)


def test_all_are_the_stages_and_a_handful_of_them_is_usual(
    bundled: pl.Network, cat: pl.Photo
) -> None:
    whole = invert(bundled, cat, layers="all", steps=1)
    assert [row.layer for row in whole.rows] == [*(f"relu{n}" for n in range(1, 8)), ""]
    few = invert(bundled, cat, steps=1)
    assert [row.layer for row in few.rows] == ["relu1", "relu3", "relu4", "relu5", "relu7", ""]
    depths = [row.depth for row in few.rows]
    assert depths == sorted(depths) and depths[-1] == 1
    listed = few.data()["codes"]
    assert [row["name"] for row in listed][-1] == "class scores"
    assert listed[0]["variation"] == 1 and listed[-1]["variation"] == 100


def test_deeper_layers_keep_less(bundled: pl.Network) -> None:
    made = invert(bundled, "photo:motorcycle", layers="relu1, relu3, class", steps=40)
    first, second, last = made.psnr[:, 0].tolist()
    assert first > 24 and second > 17 and last < 15
    assert float(made.errors.max()) < 0.3


def test_several_starts_stand_below_each_other(bundled: pl.Network, cat: pl.Photo) -> None:
    one = invert(bundled, cat, layers="relu1", steps=1).image()
    three = invert(bundled, cat, layers="relu1", starts=3, steps=1).image()
    assert three.shape[1] > 2.5 * one.shape[1] and three.shape[2] == one.shape[2]
    assert F.relu(three).max() <= 1


def test_asking_in_steps_ends_with_the_result(bundled: pl.Network, cat: pl.Photo) -> None:
    steps = []
    made = finished(invert.steps(bundled, cat, layers="relu1", steps=25), steps.append)
    assert [step.picture is not None for step in steps if step.done % 10 == 0] == [True, True]
    assert steps[-1].done == steps[-1].total == 25
    assert made.caption.startswith("cat back from its codes: relu1")
