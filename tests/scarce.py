"""Memory that is full as soon as a network is given more than so many photos at a time."""

import pytest
import torch
from torch import Tensor

import pellucid as pl


def scarce(net: pl.Network, most: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lets a network run out of memory, and gives the sizes of all batches, as they come."""
    scores, sizes = net.scores, []

    def full(inputs: Tensor) -> Tensor:
        sizes.append(len(inputs))
        if len(inputs) > most:
            raise torch.OutOfMemoryError("full")
        return scores(inputs)

    monkeypatch.setattr(net, "scores", full)
    return sizes
