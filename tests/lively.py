"""Architectures with random weights in which no layer has gone silent."""

from functools import cache

import torch
from torch import nn

import pellucid as pl


@cache
def lively(name: str, side: int) -> pl.Network:
    """A torchvision network whose batch norms have statistics and weights as after training.

    With those of a new network the numbers of deep ones vanish or overflow. Tests leave it as
    they found it.
    """
    module = pl.load(name, weights="random", device="cpu").module
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]
        for part in norms:
            part.momentum = 1.0
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.uniform_(part.bias, -0.3, 0.3)
            part.train()
        module(torch.randn(4, 3, side, side))
        for part in norms:
            part.eval()
    return pl.Network(module, size=side, name=name)
