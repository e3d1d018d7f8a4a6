"""Factories of modules that refuse to be asked as a whole, or have no values yet."""

from pathlib import Path

import pytest
import torch

import pellucid as pl

pytestmark = pytest.mark.filterwarnings("ignore")  # TorchScript is deprecated
OWN = """
import torch
from torch import nn
import pellucid as pl

def plain():
    torch.manual_seed(0)
    body = [nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*body, nn.Linear(4, 5)).eval()

def net(module):
    return pl.Network(module, size=32)

def scripted(): return net(torch.jit.script(plain()))
def training(): return net(torch.jit.script(plain().train()))
def traced(): return net(torch.jit.trace(plain(), torch.rand(1, 3, 32, 32)))
def frozen(): return net(torch.jit.freeze(torch.jit.script(plain())))
def exported(): return net(torch.export.export(plain(), (torch.rand(1, 3, 32, 32),)).module())
def compiled(): return net(torch.compile(plain(), backend="eager"))
def lazy(): return nn.Sequential(nn.LazyConv2d(4, 3))
def empty(): return plain().to("meta")
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "odd.py"
    path.write_text(OWN)
    return path


@pytest.mark.parametrize("kind", ["scripted", "training", "traced", "frozen", "exported"])
def test_modules_that_refuse_to_be_settled(file: Path, kind: str, cat: pl.Photo) -> None:
    found = pl.predict(pl.load(f"{file}:{kind}", device="cpu"), cat)
    plain = pl.load(f"{file}:compiled", device="cpu")
    assert found.names == pl.predict(plain, cat).names
    assert torch.allclose(found.scores, pl.predict(plain, cat).scores, atol=1e-6)
    net = pl.load(f"{file}:{kind}", device="cpu")
    assert not any(weight.requires_grad for weight in net.module.parameters())
    assert not any(getattr(part, "training", False) for part in net.module.modules())


@pytest.mark.parametrize(("kind", "reason"), [("lazy", "lazy layers"), ("empty", "meta device")])
def test_modules_without_values(file: Path, kind: str, reason: str, tmp_path: Path) -> None:
    torch.save({"0.weight": torch.zeros(4, 3, 3, 3)}, tmp_path / "w.pth")
    for weights in (None, tmp_path / "w.pth"):
        with pytest.raises(pl.PellucidError, match=reason):
            pl.load(f"{file}:{kind}", weights=weights, device="cpu")


def test_the_meta_device_is_refused_in_python_too() -> None:
    with pytest.raises(pl.PellucidError, match=r"Conv2d is on the meta device.*to_empty"):
        pl.Network(torch.nn.Conv2d(3, 2, 1, device="meta"))
