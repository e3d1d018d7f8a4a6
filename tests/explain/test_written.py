"""Written: what explanations say that need operations one by one, and do not get them."""

from typing import Any

import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.method import Method
from quantised import quantised

both = pytest.mark.parametrize("method", [pl.lrp, pl.deeplift], ids=["lrp", "deeplift"])


@both
@pytest.mark.filterwarnings("ignore:.*torch.jit.trace")
def test_what_cannot_be_written_down_is_refused(method: Method[Any]) -> None:
    blank = torch.rand(1, 3, 8, 8)
    net = pl.Network(torch.jit.trace(nn.Flatten(), blank), size=8)
    with pytest.raises(pl.PellucidError, match=r"TorchScript.*integrated"):
        method(net, blank[0], target=1)


@both
@pytest.mark.filterwarnings("ignore:.*an autograd kernel was not registered")
def test_what_cannot_be_followed_is_named(method: Method[Any]) -> None:
    net = pl.Network(quantised("dynamic"), size=16)
    with pytest.raises(pl.PellucidError, match=r"linear_dynamic at head; ask for occlusion"):
        method(net, torch.rand(3, 16, 16), target=1)
