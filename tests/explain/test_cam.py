"""Class activation maps against their formulas, place by place, and what they refuse."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl

SLOPED = ["gradcam", "gradcam++", "layercam", "hirescam", "xgradcam"]  # by formulas of gradients
WAYS = [*SLOPED, "scorecam", "ablationcam", "eigencam", "guided"]
LAYER = "3"


def network(*, rectified: bool = True) -> pl.Network:
    """Its layer "3" has four channels of 4 x 5 places; behind it something is not linear."""
    torch.manual_seed(1)
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.Tanh(), nn.Conv2d(6, 4, 3),
        nn.ReLU(inplace=True) if rectified else nn.Tanh(),
        nn.Conv2d(4, 5, 3, padding=1), nn.ReLU(inplace=True), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(5 * 2 * 2, 3),
    )  # fmt: skip
    return pl.Network(module.double(), size=(6, 7), mean=[0.4, 0.5, 0.6], std=[0.2, 0.3, 0.4])


def numbers(net: pl.Network, photo: pl.Photo, target: int) -> tuple[Tensor, Tensor]:
    """The layer's output, and by finite differences what each of its numbers does for a score."""
    inputs = net.prepare(photo)[0]
    cut = int(LAYER) + 1
    with torch.no_grad():
        maps = net.module[:cut](inputs)
        slopes = torch.zeros_like(maps)
        for place in range(maps.numel()):
            ends = []
            for step in (1e-6, -1e-6):
                moved = maps.clone()
                moved.view(-1)[place] += step
                ends.append(float(net.module[cut:](moved)[0, target]))
            slopes.view(-1)[place] = (ends[0] - ends[1]) / 2e-6
    return maps[0], slopes[0]


def twin(way: str, maps: Tensor, slopes: Tensor) -> Tensor:
    """The papers' formulas, one number at a time."""
    channels, height, width = maps.shape
    places = [(row, column) for row in range(height) for column in range(width)]
    found = torch.zeros(height, width)
    for here in places:
        total = 0.0
        for k in range(channels):
            a, g = maps[k], slopes[k]
            if way == "gradcam":
                weight = sum(float(g[at]) for at in places) / len(places)
            elif way == "layercam":
                weight = max(0.0, float(g[here]))
            elif way == "hirescam":
                weight = float(g[here])
            elif way == "xgradcam":
                whole = sum(float(a[at]) for at in places)
                weight = sum(float(a[at]) * float(g[at]) for at in places) / whole if whole else 0.0
            else:
                weight = 0.0
                activity = sum(max(0.0, float(a[at])) for at in places)
                for at in places:
                    below = 2 * float(g[at]) ** 2 + activity * float(g[at]) ** 3
                    alpha = float(g[at]) ** 2 / below if below else 0.0
                    weight += alpha * max(0.0, float(g[at]))
            total += weight * float(a[here])
        found[here] = max(0.0, total)
    return found


@pytest.mark.parametrize("rectified", [True, False])
@pytest.mark.parametrize("way", SLOPED)
def test_is_its_formula(way: str, rectified: bool, cat: pl.Photo) -> None:
    net = network(rectified=rectified)
    greatest = []
    for target in range(3):
        wanted = twin(way, *numbers(net, cat, target))
        found = pl.cam(net, cat, target=target, layer=LAYER, way=way).values
        torch.testing.assert_close(found, wanted, atol=1e-7, rtol=1e-4)
        greatest.append(float(wanted.max()))
    assert sorted(greatest)[1] > 1e-3


def test_guided_is_the_product(bundled: pl.Network, cat: pl.Photo) -> None:
    for target in ("cougar_face", "relu6:3"):
        coarse = pl.cam(bundled, cat, target=target, layer="relu5").values
        large = F.interpolate(coarse[None, None], (112, 112), mode="bilinear")[0, 0]
        fine = pl.guided(bundled, cat, target=target).values
        made = pl.cam(bundled, cat, target=target, layer="relu5", way="guided")
        torch.testing.assert_close(made.values, fine * large)
        assert made.caption.endswith("rectifiers overridden")


@pytest.mark.parametrize("way", WAYS)
def test_several_photos_and_targets_are_those_one_by_one(way: str, tiny: pl.Network) -> None:
    photos = ["photo:cat", "photo:rocket"]
    wanted = ["bee", "grouped:2", lambda seen: seen["norm"][:, 1].amax((1, 2))]
    many = pl.cam(tiny, photos, target=wanted, way=way, layer="block")
    assert many.values.shape[:2] == (2, 3)
    for row, photo in enumerate(photos):
        for column, target in enumerate(wanted):
            alone = pl.cam(tiny, photo, target=target, way=way, layer="block")
            torch.testing.assert_close(many[row, column].values, alone.values)
            assert many[row, column].caption == alone.caption or way == "guided"


def test_the_best_class_of_each_photo(bundled: pl.Network) -> None:
    both = pl.cam(bundled, ["photo:cat", "photo:motorcycle"])
    names = [pl.predict(bundled, photo).names[0] for photo in ("photo:cat", "photo:motorcycle")]
    for row, name in enumerate(names):
        alone = pl.cam(bundled, ["photo:cat", "photo:motorcycle"][row], target=name)
        torch.testing.assert_close(both[row, 0].values, alone.values)
        assert name in both[row, 0].caption


def test_several_layers_are_averaged(bundled: pl.Network, cat: pl.Photo) -> None:
    made = pl.cam(bundled, cat, layer="relu7; relu5; relu5", way="layercam")
    single = [pl.cam(bundled, cat, layer=name, way="layercam") for name in ("relu7", "relu5")]
    small, large = (one.values / one.values.max() for one in single)
    small = F.interpolate(small[None, None], (14, 14), mode="bilinear")[0, 0]
    torch.testing.assert_close(made.values, (small + 2 * large) / 3)
    assert "relu7 and relu5" in made.caption


# Requests that make no sense.


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layer": "layre"}, "no layer 'layre'"),
        ({"layer": "classifier"}, "without places in the photo: .*, such as 'relu7'"),
        ({"layer": "avgpool"}, "384 x 1 x 1 numbers without places"),
        ({"layer": "relu7", "target": "relu5:3"}, "'relu7' comes after relu5:3, .*before 'relu5'"),
        ({"layer": "relu7", "target": "relu5:3", "way": "scorecam"}, "comes after relu5:3"),
        ({"layer": "relu7", "target": "relu5:3", "way": "ablationcam"}, "comes after relu5:3"),
        ({"layer": "relu7;"}, "one ';' between each two"),
        ({"layer": "relu7; fc"}, "no layer 'fc'"),
        ({"target": "cta"}, "no class 'cta'"),
        ({"way": "gradcan"}, "no way 'gradcan'"),
    ],
)
def test_a_wrong_request(
    settings: dict[str, str], message: str, bundled: pl.Network, cat: pl.Photo
) -> None:
    with pytest.raises(pl.PellucidError, match=message):
        pl.cam(bundled, cat, **settings)


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_said_to_be_nothing(way: str, cat: pl.Photo) -> None:
    net = network()
    assert "zero" not in pl.cam(net, cat, target=0, layer=LAYER, way=way).caption
    nn.init.zeros_(net.module[8].weight)
    found = pl.cam(net, cat, target=0, layer=LAYER, way=way)
    why = {"ablationcam": "it is the same without any one of the channels"}
    if way not in ("scorecam", "eigencam"):  # there it is the mean of all channels, and no class's
        assert not found.values.any()
        told = why.get(way, "no change there changes it")
        assert found.caption.endswith(f": zero everywhere, {told}")
    nn.init.constant_(net.module[2].bias, -100)  # nothing is left in the layer
    found = pl.cam(net, cat, target=0, layer=LAYER, way=way)
    assert not found.values.any()
    why |= {"eigencam": "all places are alike"}
    assert f": zero everywhere, {why.get(way, 'no')}" in found.caption


def test_values_that_are_no_numbers(cat: pl.Photo) -> None:
    net = network()
    nn.init.constant_(net.module[8].bias, torch.inf)
    for way in WAYS:
        with pytest.raises(pl.PellucidError, match="is inf"):
            pl.cam(net, cat, target=0, layer=LAYER, way=way)


# The known case.


@pytest.mark.parametrize(
    ("layer", "says"),
    [("", "a layer has a name, not ''"), ("conv1; ; conv2", "several layers have one ';'")],
)
def test_a_layer_that_is_none_is_called_a_layer(
    tiny: pl.Network, cat: pl.Photo, layer: str, says: str
) -> None:
    with pytest.raises(pl.PellucidError, match=says):
        pl.cam(tiny, cat, layer=layer)
