"""What all tests share: shapes checked at run time, one core, and small networks."""

import sys
from pathlib import Path

import jaxtyping
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Every annotation of a shape is checked while the tests run; so this stands before pellucid.
assert "pellucid" not in sys.modules
jaxtyping.install_import_hook("pellucid", "shapes.checked")

import pellucid as pl  # noqa: E402

torch.set_num_threads(1)


class Block(nn.Module):
    """A residual block that uses one in-place rectifier twice and adds in place."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.conv2(out)
        out += identity
        return self.relu(out)


class Awkward(nn.Module):
    """Small, and difficult wherever a network can be: grey, not square, rectifiers of all makes."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 6, 5, stride=2, padding=2), nn.ReLU(inplace=True))
        self.block = Block(6)
        self.grouped = nn.Conv2d(6, 8, 3, padding=1, groups=2)
        self.act = nn.ReLU(inplace=True)
        self.norm = nn.BatchNorm2d(8)
        self.gelu = nn.GELU()
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.block(self.stem(x))
        x = F.relu(x - 0.1, inplace=True)
        x = self.grouped(x)
        self.act(x)  # its result is thrown away
        x = self.norm(x).relu_()
        x = self.gelu(x) + F.relu(x)
        x = F.adaptive_avg_pool2d(x, 1).flatten(1)
        return self.head(self.drop(x))


def awkward() -> nn.Module:
    """The awkward network in train mode, with gradients and hooks of somebody else's."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        module = Awkward()
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.uniform_(-0.1, 0.1)
                part.running_var.uniform_(0.5, 1.5)
        first, *others = module.parameters()
        first.grad = torch.randn_like(first)
        others[0].requires_grad_(False)
    module.train()
    module.norm.eval()
    module.block.register_forward_hook(lambda part, given, output: None)
    module.head.register_forward_pre_hook(lambda part, given: None)
    return module


@pytest.fixture
def tiny() -> pl.Network:
    """The awkward network, fresh for each test."""
    return pl.Network(
        awkward(), size=(20, 28), mean=[0.4], std=[0.3], labels=["ant", "bee", "cat", "dog", "elk"]
    )


@pytest.fixture(scope="session")
def bundled() -> pl.Network:
    """The network that comes with pellucid; tests leave it as they found it."""
    return pl.load(device="cpu")


@pytest.fixture(scope="session")
def cat() -> pl.Photo:
    """A photo of a cat, 451 x 300 px."""
    return pl.open_image("photo:cat")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, so that nothing is written where it should not be."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
