"""Networks to test methods on: small, and awkward wherever a network can be."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.method import Method
from pellucid.network import Network

GREY: dict[str, Any] = {"size": (20, 28), "mean": [0.4], "std": [0.3]}


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
        result: Tensor = self.relu(out)
        return result


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
        scores: Tensor = self.head(self.drop(x))
        return scores


def awkward() -> nn.Module:
    """The awkward network in train mode, with gradients and hooks of somebody else's."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        module = Awkward()
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.get_buffer("running_mean").uniform_(-0.1, 0.1)
                part.get_buffer("running_var").uniform_(0.5, 1.5)
        first, *others = module.parameters()
        first.grad = torch.randn_like(first)
        others[0].requires_grad_(False)
    module.train()
    module.norm.eval()
    module.block.register_forward_hook(lambda part, given, output: None)
    module.head.register_forward_pre_hook(lambda part, given: None)
    return module


class Attentive(nn.Module):
    """A small transformer, grey and not square, that attends in three ways.

    Class and register token, then 5 x 7 patches; each block once through MultiheadAttention,
    scaled_dot_product_attention and a softmax of its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, 8, 4, stride=4)
        self.prefix = nn.Parameter(torch.randn(1, 2, 8))
        self.places = nn.Parameter(torch.randn(1, 37, 8))
        self.first = nn.MultiheadAttention(8, 2, batch_first=True)
        self.second, self.third = nn.Linear(8, 24), nn.Linear(8, 24)
        self.block = nn.ModuleDict({"relu": nn.ReLU(inplace=True)})
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).mT
        x = torch.cat([self.prefix.expand(len(x), -1, -1), x], 1) + self.places
        x = self.block["relu"](x + self.first(x, x, x, need_weights=False)[0])
        query, key, value = self.heads(self.second(x))
        x = x + F.scaled_dot_product_attention(query, key, value).mT.flatten(1, 2).mT
        x = self.block["relu"](x)
        query, key, value = self.heads(self.third(x))
        weights = (query @ key.mT / 2).softmax(dim=-1)
        x = self.norm(x + (weights @ value).mT.flatten(1, 2).mT)
        scores: Tensor = self.head(x[:, 0])
        return scores

    def heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = x.reshape(len(x), 37, 3, 2, 4).permute(2, 0, 3, 1, 4)
        return query, key, value


def attentive() -> nn.Module:
    """The small transformer, with weights that attend to something."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        module = Attentive()
        with torch.no_grad():
            module.first.in_proj_weight.mul_(4)
            for part in (module.second, module.third):
                part.weight.mul_(2)
    return module.train()


def made_for(method: Method[Any]) -> nn.Module:
    """The awkward network; for a method that has no example there, the small transformer."""
    return awkward() if list(method.examples(Network(awkward(), **GREY))) else attentive()
