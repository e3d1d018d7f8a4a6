"""Patches: the same as a brute-force pass finds, cut where the field says."""

from pathlib import Path

import pytest
import torch
from torch import nn

import pellucid as pl
from conftest import attentive, awkward
from pellucid.atlas.crops import boxes
from pellucid.atlas.patches import searching, top_patches
from pellucid.box import Box
from pellucid.images import open_image
from pellucid.patches import GREY, Patches, cut
from pellucid.pictures import text_inside
from pellucid.progress import finished
from residual import residual
from strided import deep


class Dense(nn.Module):
    """Each convolution sees what all before it have put out, rectified by functions."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 4, 3, stride=2, padding=1)
        self.third = nn.Conv2d(8, 4, 3, padding=1)
        self.head = nn.Linear(12, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        one = torch.relu(self.first(x))
        two = torch.cat([nn.functional.avg_pool2d(one, 2), self.second(one)], 1)
        three = torch.cat([two, self.third(torch.relu(two))], 1)
        return self.head(three.mean((2, 3)))


def dense() -> pl.Network:
    torch.manual_seed(4)
    return pl.Network(Dense(), size=(24, 16), resize=28)


def grey() -> pl.Network:
    return pl.Network(awkward(), size=(20, 28), mean=[0.4], std=[0.3])


def transformer() -> pl.Network:
    return pl.Network(attentive(), size=(20, 28), mean=[0.4], std=[0.3])


NETWORKS = {
    "residual": (residual, "conv2"),
    "residual sum": (residual, "relu#2"),
    "dense": (dense, "third"),
    "strided": (deep, "5"),
    "grey": (grey, "block"),
    "transformer": (transformer, "norm"),
    "scores": (residual, "head"),
}


def photos(count: int = 12) -> list[torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    made = []
    for number in range(count):
        coarse = torch.rand(1, 3, 5 + number % 3, 7, generator=random)
        size = (40 + 5 * (number % 4), 60 - 7 * (number % 3))
        made.append(nn.functional.interpolate(coarse, size, mode="bicubic")[0].clamp(0, 1))
    return made


def brute(net: pl.Network, layer: str, sign: int = 1) -> list[list[tuple[float, int, int]]]:
    """Of each channel (value, photo, place), the greatest of each photo, sorted."""
    found: list[list[tuple[float, int, int]]] = []
    for number, photo in enumerate(photos()):
        inputs, _ = net.prepare(open_image(photo))
        with net.at_rest(), torch.no_grad(), pl.recording(net, [layer]) as seen:
            net.module(inputs)
        maps = net.layers[layer].layout.maps(seen[layer])[0].flatten(1)
        found = found or [[] for _ in maps]
        for channel, places in enumerate(maps):
            at = int((sign * places).argmax())
            found[channel].append((float(places[at]), number, at))
    return [sorted(rows, key=lambda row: (-sign * row[0], row[1])) for rows in found]


@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_patches_are_those_of_a_brute_force_pass(name: str, negative: bool) -> None:
    made_by, layer = NETWORKS[name]
    net = made_by()
    slow = brute(net, layer, -1 if negative else 1)
    before = pl.Network(net.module).weights_hash
    made = top_patches(net, photos(), layer, keep=3, negative=negative)
    assert pl.Network(net.module).weights_hash == before
    assert made.channels == tuple(range(len(slow))) and made.values.shape == (len(slow), 3)
    grid = net.layers[layer].layout.grid
    for channel in made:
        # A value of zero tells nothing of a photo, and what is not below zero is not negative.
        wanted = [row for row in slow[channel][:3] if (row[0] < 0 if negative else row[0] != 0)]
        values = made.values[channel]
        heights = [row[0] for row in wanted]
        assert values[~values.isnan()].tolist() == pytest.approx(heights, abs=1e-5)
        # A value may be that of several places to the last digit or so: of these any.
        for patch, (value, number, at) in zip(made[channel], wanted, strict=True):
            assert patch.value == pytest.approx(value, abs=1e-5)
            if slow[channel][0][0] - slow[channel][-1][0] > 1e-4 and value != 0:
                assert (patch.row, patch.place) == (number, (at // grid[1], at % grid[1]))
            photo = open_image(photos()[patch.row])
            frame = net.preprocess.frame(photo.size)
            field = net.layers[layer].field
            whole = field is None or field.status == "whole"
            seen = Box(0, 0, *net.preprocess.size) if whole else field.box(*patch.place)
            box = frame.box(Box(*map(float, seen)))
            assert patch.box == pytest.approx(box) and made.status == (
                "whole" if whole else made.status
            )
            assert torch.equal(patch.pixels, cut(photo.pixels, box))
    assert made.image().shape[0] == 3 and made.outlined().image().shape[0] == 3


def test_nothing_outside_a_crop_matters_to_its_unit() -> None:
    net = deep()
    made = top_patches(net, photos(), "5", channels=[2], keep=4)
    for patch in made[2]:
        photo = photos()[patch.row]
        changed = torch.rand(photo.shape, generator=torch.Generator().manual_seed(9))
        top, left, bottom, right = (round(at) for at in patch.box)
        # What the resizing takes in from beside the box is not the unit's doing.
        rows = slice(max(0, top - 4), bottom + 4), slice(max(0, left - 4), right + 4)
        changed[:, rows[0], rows[1]] = photo[:, rows[0], rows[1]]
        inputs, _ = net.prepare(open_image(changed))
        with torch.no_grad(), pl.recording(net, ["5"]) as seen:
            net.module(inputs)
        value = float(seen["5"][0, 2][patch.place])
        assert value == pytest.approx(patch.value, abs=0.02)


def test_a_photo_may_come_several_times() -> None:
    net = deep()
    made = top_patches(net, photos(2), "5", channels=0, keep=6, per_image=3)
    rows = [patch.row for patch in made[0]]
    assert sorted(rows) == [0, 0, 0, 1, 1, 1]
    assert len({(patch.row, patch.place) for patch in made[0]}) == 6


def test_fewer_photos_than_places_to_keep() -> None:
    made = top_patches(deep(), photos(2), "5", channels=[1, 4], keep=5)
    assert made.values.shape == (2, 5) and [len(row) for row in made.found] == [2, 2]
    assert bool(made.values[:, 2:].isnan().all()) and made.image().shape[0] == 3
    assert made.data()["channels"].keys() == {"1", "4"}
    with pytest.raises(KeyError):
        made[2]


def test_what_lies_beyond_the_photo_is_grey() -> None:
    pixels = torch.arange(48, dtype=torch.uint8).reshape(3, 4, 4)
    part = cut(pixels, Box(-1.0, 2.0, 2.0, 6.0))
    assert part.shape == (3, 3, 4)
    assert torch.equal(part[:, 1:, :2], pixels[:, :2, 2:])
    grey = round(255 * GREY)
    assert bool((part[:, 0] == grey).all()) and bool((part[:, :, 2:] == grey).all())
    assert bool((cut(pixels, Box(9.0, 9.0, 11.0, 10.0)) == grey).all())
    assert cut(pixels, Box(1.2, 1.2, 1.4, 1.3)).shape == (3, 1, 1)
    net = pl.Network(deep().module, size=64, resize=32)  # the photo is padded all around
    made = top_patches(net, photos(), "5", channels=range(8), keep=9)
    shown = [patch for row in made.found for patch in row]
    assert {patch.outside for patch in shown} == {True, False}
    for patch in shown:
        assert patch.outside == bool(
            patch.box.top < -0.5 or patch.box.left < -0.5
            or patch.box.bottom > patch.size[0] + 0.5 or patch.box.right > patch.size[1] + 0.5
        )  # fmt: skip


def test_a_window_at_the_edge_is_larger_than_its_box() -> None:
    layer = deep().layers["5"]
    box, window = boxes(layer, (0, 0), (64, 64))
    assert box[:2] == (0, 0) and window[:2] == (-12, -12) and window[2:] == box[2:]
    box, window = boxes(layer, (4, 4), (64, 64))
    assert box == window and box.bottom - box.top == 25
    tiny = layer.field
    assert tiny is not None and boxes(layer, (0, 0), (20, 20))[1] == Box(0, 0, 20, 20)


@pytest.mark.parametrize("name", ["residual", "grey", "transformer"])
def test_guided_gradients_are_those_of_the_unit_in_the_same_box(name: str) -> None:
    made_by, layer = NETWORKS[name]
    net = made_by()
    made = top_patches(net, photos(), layer, channels=[0, 1], keep=2, guided=True)
    for channel in made:
        for patch in made[channel]:
            y, x = patch.place
            photo = open_image(photos()[patch.row])
            grid = pl.guided(net, photo, target=f"{layer}:{channel}@{y},{x}", reduce="colour")
            box, _ = boxes(net.layers[layer], patch.place, net.preprocess.size)
            part = grid.values[0][:, box.top : box.bottom, box.left : box.right]
            assert patch.guided is not None
            assert torch.allclose(patch.guided, part, atol=1e-6)
            outside = grid.values[0].clone()
            outside[:, box.top : box.bottom, box.left : box.right] = 0
            assert not bool(outside.any())  # the field is where the gradient is
    assert made.image().shape[1] > top_patches(net, photos(), layer, [0, 1], 2).image().shape[1]


def test_from_files_with_steps_and_a_recipe(tmp_path: Path) -> None:
    for number, photo in enumerate(photos(5)):
        pl.Picture(values=photo).save(tmp_path / f"{number}.png")
    (tmp_path / "broken.png").write_bytes(b"no image")
    steps = searching(deep(), str(tmp_path), "5", [3], 2, guided=True)
    texts = []
    made = finished(steps, lambda step: texts.append(step.text))
    assert isinstance(made, Patches) and any("cutting" in text for text in texts)
    assert made[3][0].source.endswith(".png") and "broken" not in made[3][0].source
    saved = made.save(tmp_path.parent / "patches.png", force=True)
    assert '"top_patches"' in text_inside(saved)
    outline = made.outlined()
    assert outline.values is made.values and not torch.equal(outline.image(), made.image())


def test_an_outline_is_where_the_box_is() -> None:
    made = top_patches(deep(), photos(), "5", channels=[0], keep=1)
    patch = made[0][0]
    drawn = patch.outlined(max(patch.size))
    plain = patch.photo.float() / 255
    changed = (drawn - plain).abs().amax(0) > 1e-3
    rows, columns = changed.nonzero().T
    ends = [int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1]
    most = (*patch.size, *patch.size)
    wanted = [min(max(at, 0), end) for at, end in zip(patch.box, most, strict=True)]
    assert ends == pytest.approx(wanted, abs=2)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"layer": "55"}, "no layer '55'"),
        ({"channels": [8]}, "channels 0 to 7, not 8"),
        ({"channels": []}, "no channel is named"),
        ({"keep": 0}, "keep is 1 or more"),
        ({"negative": True, "guided": True}, "guided gradients show what raises a unit"),
        ({"photos": []}, "no image"),
    ],
)
def test_wrong_requests(wrong: dict[str, object], says: str) -> None:
    given = {"photos": photos(2), "layer": "5"} | wrong
    with pytest.raises(pl.PellucidError, match=says):
        top_patches(deep(), **given)
