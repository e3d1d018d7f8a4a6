"""A recording leaves nothing behind, whatever happens in it."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from hand import NAMES, Hand, by_hand


@pytest.fixture
def x() -> Tensor:
    return torch.randn(2, 1, 6, 7, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def footprints() -> Iterator[Any]:
    def of(module: nn.Module) -> list[Any]:
        return [
            {key: list(value) for key, value in vars(part).items() if "hooks" in key and value}
            for part in module.modules()
        ]

    yield of


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("names", [["conv"], NAMES])
def test_leaves_nothing(error: Any, names: Any, x: Tensor, footprints: Any) -> None:
    net = Hand()

    def crash(*_: Any) -> None:
        if error:
            raise error("stop")

    net.second.register_forward_hook(crash)
    before = footprints(net)
    modes = torch._C._len_torch_function_stack()
    try:
        with pl.recording(net, names, stop=False):
            net(x)
        assert error is None
    except (RuntimeError, KeyboardInterrupt) as raised:
        assert type(raised) is error
    assert footprints(net) == before
    assert torch._C._len_torch_function_stack() == modes


def test_a_hook_that_crashes_before_ours(x: Tensor) -> None:
    net = Hand()

    def crash(*_: Any) -> None:
        raise ValueError("theirs")

    handle = net.second.register_forward_pre_hook(crash)
    with pytest.raises(ValueError, match="theirs"), pl.recording(net, ["relu()"]):
        net(x)
    handle.remove()
    with pl.recording(net, ["relu()"]) as seen:
        net(x)
    torch.testing.assert_close(seen["relu()"], by_hand(net, x)["relu()"])


def test_names_that_are_not_there(x: Tensor) -> None:
    net = Hand()
    with (
        pytest.raises(pl.Unknown, match=r"no layer 'tale'; did you mean 'tail"),
        pl.recording(net, ["tale"]),
    ):
        net(x)
    with pl.recording(net, ["gelu()", "relu#9"]) as seen:
        net(x)
    for name in ("gelu()", "relu#9"):
        with pytest.raises(pl.PellucidError, match="not reached"):
            seen[name]
