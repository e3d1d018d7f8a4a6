"""The zoo: networks by name, from a file, on a device."""

from pathlib import Path
from typing import Any

import pytest
import torch

import pellucid as pl

SMALL = [
    "squeezenet1_1",
    "mobilenet_v3_small",
    "shufflenet_v2_x0_5",
    "mnasnet0_5",
    "regnet_y_400mf",
    "resnet18",
    "densenet121",
    "efficientnet_b0",
]


@pytest.mark.parametrize("name", SMALL)
def test_networks_of_torchvision(name: str) -> None:
    net = pl.load(name, weights="random", device="cpu")
    assert net.name == name and net.preprocess.size == (224, 224)
    assert not net.module.training
    assert not any(weight.requires_grad for weight in net.module.parameters())
    with torch.no_grad():
        assert net.scores(net.blank()).shape == (1, 1000)


def test_inception_has_its_own_size_and_its_first_step() -> None:
    net = pl.load("inception_v3", weights="random", device="cpu")
    assert net.preprocess.size == (299, 299) and net.preprocess.resize == 342
    assert net.module.transform_input  # as its published weights want it
    with torch.no_grad():
        assert net.scores(net.blank()).shape == (1, 1000)


def test_every_listed_network_has_weights_and_a_preset() -> None:
    from pellucid.zoo import _find

    names = pl.networks()["torchvision"]
    assert {"resnet50", "vgg16", "vit_b_16", "swin_t", "googlenet"} <= set(names)
    for name in names:
        model = _find(name)
        assert len(model.labels or []) == 1000 and model.fetch is not None
        assert model.options["resize"] >= model.options["size"]


def test_the_seed_makes_the_weights_and_nothing_else_changes() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    hashes = [
        pl.load("squeezenet1_1", weights="random", seed=seed, device="cpu").weights_hash
        for seed in (3, 3, 4)
    ]
    assert hashes[0] == hashes[1] != hashes[2]
    assert torch.equal(torch.get_rng_state(), before)
    short = pl.load("squeezenet1_1", weights="random:3", device="cpu")
    assert short.weights_hash == hashes[0]


def test_the_spec_makes_the_same_network_again() -> None:
    net = pl.load("shufflenet_v2_x0_5", weights="random", seed=3, classes=5, device="cpu")
    again = pl.load(**net.spec, device="cpu")
    assert again.weights_hash == net.weights_hash and again.classes == 5


def test_the_bundled_network_loads() -> None:
    net = pl.load(device="cpu")
    assert net.name == "pane" and net.classes == len(net.labels) == 101
    assert min(net.preprocess.size) >= 112
    assert net.weights_hash == pl.load("pane", device="cpu").weights_hash


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("resnet51", "did you mean 'resnet50'"),
        ("ResNet50", "did you mean 'resnet50'"),
        ("pain", "did you mean 'pane'"),
        ("fasterrcnn", "no network 'fasterrcnn'"),
        ("", "no network ''"),
        ("hub:resnet50", "timm:NAME, hf:NAME"),
        ("nets.py", "FILE.py:NAME"),
    ],
)
def test_unknown_networks(name: str, reason: str) -> None:
    with pytest.raises(pl.PellucidError, match=reason):
        pl.load(name, weights="random")


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "meta", "", "cpu:x"])
def test_devices_that_are_not_here(device: str) -> None:
    with pytest.raises(pl.PellucidError, match=f"device '{device}' cannot be used here"):
        pl.load("squeezenet1_1", weights="random", device=device)


def test_a_device_is_chosen_when_none_is_named() -> None:
    assert pl.load().device.type in ("cpu", "cuda", "mps")


@pytest.mark.parametrize("weights", ["random:", "random:x", "random:-1", f"random:{2**63}"])
def test_random_weights_with_a_wrong_seed(weights: str) -> None:
    with pytest.raises(pl.PellucidError, match="random:SEED"):
        pl.load("squeezenet1_1", weights=weights)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"classes": 0}, "from 1 to 1,000,000, not 0"),
        ({"classes": -3}, "not -3"),
        ({"classes": 10**12}, "not 1000000000000"),
        ({"classes": "7"}, "not '7'"),
        ({"seed": -1}, "not 'random:-1'"),
        ({"seed": 2**70}, "random:SEED"),
        ({"name": 7}, "by its name, not by int"),
    ],
)
def test_what_no_network_can_have(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(pl.PellucidError, match=says):
        pl.load(**{"name": "resnet18", "weights": "random"} | wrong)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"size": "a"}, "size is a positive whole number"),
        ({"size": 32.5}, "size is a positive whole number"),
        ({"size": (0, 8)}, "size is a positive whole number"),
        ({"std": [1, 0, 1]}, "std is positive"),
        ({"interpolation": "bilinaer"}, "did you mean 'bilinear'"),
    ],
)
def test_what_no_preprocessing_can_be(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(pl.PellucidError, match=says):
        pl.Network(torch.nn.Flatten(), **wrong)


def test_classes_and_labels_of_random_weights(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    net = pl.load(
        "squeezenet1_1", weights="random", classes=2, labels=tmp_path / "names.txt", device="cpu"
    )
    assert net.labels == ["cat", "dog"]
    assert pl.load("squeezenet1_1", weights="random", classes=2).labels == ["0", "1"]
    assert "goldfish" in pl.load("squeezenet1_1", weights="random").labels


def test_own_weights_have_their_own_classes() -> None:
    with pytest.raises(pl.PellucidError, match="their own number of classes"):
        pl.load(classes=7)


def test_classes_that_the_weights_do_not_have(tmp_path: Path) -> None:
    net = pl.load("shufflenet_v2_x0_5", weights="random", classes=3, device="cpu")
    torch.save(net.module.state_dict(), tmp_path / "w.pth")
    again = pl.load("shufflenet_v2_x0_5", weights=tmp_path / "w.pth", device="cpu")
    assert again.classes == 3 and again.weights_hash == net.weights_hash
    with pytest.raises(pl.PellucidError, match="has 3 classes"):
        pl.load("shufflenet_v2_x0_5", weights=tmp_path / "w.pth", classes=4)


OWN = """
from __future__ import annotations

from dataclasses import dataclass

import torch
from neighbour import WIDTH
from torch import nn

import pellucid as pl


@dataclass
class Settings:
    width: int = WIDTH


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, Settings().width, 3)

    def forward(self, x):
        return self.conv(x).mean((2, 3))


def build():
    return pl.Network(Net(), size=16, mean=[0.5], std=[0.5], labels=["a", "b"])


def make_rgb():
    return nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def needs(something):
    return something


def number():
    return 3


def fail():
    raise KeyError("no such thing")


def leave():
    raise SystemExit(2)


whole = make_rgb()
wrapped = build()
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "nets.py"
    path.write_text(OWN)
    (tmp_path / "neighbour.py").write_text("WIDTH = 2\n")
    return path


@pytest.mark.parametrize("factory", ["build", "make_rgb", "Net", "whole", "wrapped"])
def test_networks_of_ones_own(own: Path, factory: str) -> None:
    import sys

    before = list(sys.path)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    net = pl.load(f"{own}:{factory}", device="cpu")
    assert net.name == f"nets.py:{factory}" and sys.path == before
    assert torch.equal(torch.get_rng_state(), state)
    assert not net.module.training
    again = pl.load(f"{own}:{factory}", weights="random", device="cpu")
    assert again.weights_hash == net.weights_hash
    assert pl.load(f"{own}:{factory}", seed=9, device="cpu").weights_hash != net.weights_hash
    if factory in ("build", "wrapped"):
        assert net.labels == ["a", "b"] and net.preprocess.channels == 1


def test_weights_and_labels_for_a_network_of_ones_own(own: Path, tmp_path: Path) -> None:
    state = {"conv.weight": torch.zeros(2, 1, 3, 3), "conv.bias": torch.tensor([1.0, 2.0])}
    torch.save({"state_dict": state}, tmp_path / "w.pth")
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    net = pl.load(
        f"{own}:build", weights=tmp_path / "w.pth", labels=tmp_path / "names.txt", device="cpu"
    )
    assert net.scores(net.blank()).tolist() == [[1, 2]] and net.labels == ["cat", "dog"]
    (tmp_path / "names.txt").write_text("cat\n")
    with pytest.raises(pl.PellucidError, match="2 classes but 1 labels"):
        pl.load(f"{own}:build", labels=tmp_path / "names.txt")
    with pytest.raises(pl.PellucidError, match="has 2 classes"):
        pl.load(f"{own}:build", classes=5)


@pytest.mark.parametrize(
    ("factory", "reason"),
    [
        ("biuld", "did you mean 'build'"),
        ("number", "gives int, not a torch module"),
        ("needs", "TypeError: needs.. missing 1 required"),
        ("fail", "nets.py, line 44: KeyError: 'no such thing'"),
        ("leave", "line 48: SystemExit"),
    ],
)
def test_factories_that_fail(own: Path, factory: str, reason: str) -> None:
    with pytest.raises(pl.PellucidError, match=reason):
        pl.load(f"{own}:{factory}")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import torch\ndef build(:\n", r"nets.py, line 2: SyntaxError"),
        ("x = 1\ny = x / 0\n", r"nets.py, line 2: ZeroDivisionError: division by zero"),
        ("import no_such_package_anywhere\n", "line 1: ModuleNotFoundError"),
        ("", "is an empty file"),
    ],
)
def test_files_that_fail(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "nets.py"
    path.write_text(text)
    with pytest.raises(pl.PellucidError, match=reason):
        pl.load(f"{path}:build")


def test_a_missing_file_shows_its_neighbours(own: Path) -> None:
    with pytest.raises(pl.PellucidError, match=r"did you mean 'nets.py'"):
        pl.load(f"{own.with_name('net.py')}:build")
