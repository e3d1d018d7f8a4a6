"""Names of units: channels, neurons, tokens and classes."""

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl

LABELS = [
    "tench, Tinca tinca",
    "Tabby",
    "crane, bird",
    "crane, machine",
    "maillot",
    "maillot",
    "7",
    "3",
    "猫",
]


class Small(nn.Module):
    """A map, tokens with two in front, and scores."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, stride=4, padding=1)
        self.tokens = nn.Identity()
        self.odd = nn.Identity()
        self.fc = nn.Linear(4, 9)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        row = x.flatten(2).mT
        row = self.tokens(torch.cat([row[:, :2] * 0 + 7, row], 1))
        self.odd(row[:, :, None, None, :])
        return self.fc(row[:, 2:].mean(1))


@pytest.fixture
def net() -> pl.Network:
    torch.manual_seed(0)
    return pl.Network(Small(), size=(24, 32), labels=LABELS)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("conv:3", pl.Unit("conv", 3)),
        ("conv:0@5,7", pl.Unit("conv", 0, (5, 7))),
        ("tokens:1@5,7", pl.Unit("tokens", 1, (5, 7))),
        ("tokens:1@token1", pl.Unit("tokens", 1, token=1)),
        ("fc:8", pl.Unit("fc", 8)),
        ("fc:8@0,0", pl.Unit("fc", 8, (0, 0))),
        ("class:0", pl.Unit("class", 0, label="tench, Tinca tinca")),
        ("class:tench", pl.Unit("class", 0, label="tench, Tinca tinca")),
        ("Tench, tinca TINCA", pl.Unit("class", 0, label="tench, Tinca tinca")),
        ("tabby", pl.Unit("class", 1, label="Tabby")),
        ("class:TABBY", pl.Unit("class", 1, label="Tabby")),
        ("1", pl.Unit("class", 1, label="Tabby")),
        (1, pl.Unit("class", 1, label="Tabby")),
        (np.int64(1), pl.Unit("class", 1, label="Tabby")),
        (torch.tensor(1), pl.Unit("class", 1, label="Tabby")),
        ("crane, machine", pl.Unit("class", 3, label="crane, machine")),
        ("class:5", pl.Unit("class", 5)),
        ("class:7", pl.Unit("class", 7)),
        ("猫", pl.Unit("class", 8, label="猫")),
    ],
)
def test_names_and_back(net: pl.Network, text: str | int, wanted: pl.Unit) -> None:
    unit = net.unit(text)
    assert unit == wanted
    assert net.unit(str(unit)) == unit
    assert net.unit(unit) == unit


def test_every_class_and_channel_comes_back(net: pl.Network) -> None:
    for number in range(len(LABELS)):
        unit = net.unit(number)
        assert unit.channel == number and net.unit(str(unit)) == unit
    assert str(net.unit(4)) == "class:4"  # two classes are called maillot
    assert str(net.unit(6)) == "class:6"  # its label is the number of another


def test_labels_of_imagenet_come_back() -> None:
    net = pl.load("squeezenet1_1", weights="random", device="cpu")
    assert str(net.unit(281)) == "class:tabby" and net.unit("tabby").channel == 281
    for number in (*range(0, 1000, 40), 134, 517, 638, 639, 999):
        assert net.unit(str(net.unit(number))).channel == number


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cnov:3", "no layer 'cnov'; did you mean 'conv'"),
        ("conv:4", "layer 'conv' has channels 0 to 3, not 4"),
        ("conv:-1", "a unit is LAYER:CHANNEL"),
        ("conv:x", "a unit is LAYER:CHANNEL"),
        ("conv:", "a unit is LAYER:CHANNEL"),
        ("conv", "a unit is LAYER:CHANNEL"),
        ("conv:1@", "a unit is LAYER:CHANNEL"),
        ("conv:1@6,0", "6 x 8 positions, @0,0 to @5,7; @6,0 is outside"),
        ("conv:1@0,8", "@0,8 is outside"),
        ("conv:1@3", "a position is @ROW,COLUMN"),
        ("conv:1@-1,0", "a position is @ROW,COLUMN"),
        ("conv:1@1,2,3", "a position is @ROW,COLUMN"),
        ("conv:1@token0", "has 0 prefix tokens"),
        ("tokens:1@token2", "has 2 prefix tokens"),
        ("odd:0", "layer 'odd' has no channels"),
        ("class:9", "has classes 0 to 8, not 9"),
        (9, "has classes 0 to 8, not 9"),
        (-1, "no class '-1'"),
        (1.5, "no class '1.5'"),
        ("class:tobby", "no class 'tobby'; did you mean 'Tabby'"),
        ("tobby", "did you mean 'Tabby'"),
        ("class:crane", "2 classes are called 'crane': class:2"),
        ("maillot", "2 classes are called 'maillot': class:4 .maillot., class:5"),
        ("²", "no class '²'"),
        ("", "no class ''"),
        (pl.Unit("conv", 99), "has channels 0 to 3, not 99"),
        (pl.Unit("class", 99), "has classes 0 to 8, not 99"),
    ],
)
def test_names_that_mean_nothing(net: pl.Network, text: object, reason: str) -> None:
    with pytest.raises(pl.PellucidError, match=reason):
        net.unit(text)  # type: ignore[arg-type]


def test_values_are_those_of_the_layer(net: pl.Network) -> None:
    inputs = torch.rand(2, 3, 24, 32)
    with torch.no_grad():
        maps, scores = net.module.conv(inputs), net.module(inputs)
        for text, wanted in {
            "conv:2@1,6": maps[:, 2, 1, 6],
            "conv:2": maps[:, 2].mean((1, 2)),
            "tokens:2@1,6": maps[:, 2, 1, 6],
            "tokens:2@token1": torch.full((2,), 7.0),
            "tabby": scores[:, 1],
            "fc:1": scores[:, 1],
        }.items():
            assert torch.allclose(net.neurons(inputs, net.unit(text)), wanted), text
        layout = net.layer("conv").layout
        assert torch.allclose(net.unit("conv:2@0,0").value(maps, layout), maps[:, 2, 0, 0])


def test_without_labels_classes_are_numbers() -> None:
    net = pl.Network(Small(), size=(24, 32))
    assert net.labels[8] == "8" and str(net.unit("8")) == "class:8"


def test_the_wrong_number_of_labels() -> None:
    net = pl.Network(Small(), size=(24, 32), labels=["a", "b"])
    with pytest.raises(pl.PellucidError, match="9 classes but 2 labels"):
        net.unit("a")


@pytest.mark.parametrize(
    ("module", "labels"),
    [(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(2)), None), (nn.Conv2d(3, 4, 3), [])],
)
def test_a_network_without_scores_has_no_classes(module: nn.Module, labels: list[str]) -> None:
    net = pl.Network(module, size=(24, 32), labels=labels)
    assert net.places is None
    with pytest.raises(pl.PellucidError, match="not a row of class scores"):
        net.unit("class:0")


def test_a_unit_in_place_of_its_layer(net: pl.Network) -> None:
    name = next(name for name in net.layers if name)
    with pytest.raises(pl.PellucidError, match=f"'{name}:3' is a unit; its layer is '{name}'"):
        net.layer(f"{name}:3")


def test_a_network_that_does_not_take_the_input() -> None:
    wrong = pl.Network(nn.Sequential(nn.Conv2d(1, 4, 3)), size=16)
    with pytest.raises(pl.PellucidError, match=r"does not take an input of 3 x 16 x 16 \(.*mean="):
        _ = wrong.layers
    assert pl.Network(wrong.module, size=16, mean=[0.5], std=[0.5]).layers["0"].shape == (4, 14, 14)
