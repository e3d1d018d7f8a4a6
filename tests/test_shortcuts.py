"""Shortcuts: the same numbers as torch's own way, forwards and backwards."""

from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.shortcuts import shortcuts

POOLS = [
    nn.MaxPool2d(2),
    nn.MaxPool2d(3, 2, 1),
    nn.MaxPool2d(3, 2, ceil_mode=True),
    nn.MaxPool2d((3, 2), (2, 1), (1, 0), dilation=(1, 2)),
]
FIRST = [
    nn.Conv2d(3, 8, 7, 2, 3),
    nn.Conv2d(3, 8, 11, 4, 2),
    nn.Conv2d(1, 8, (9, 5), 2, (0, 2)),
    nn.Conv2d(2, 8, 7, (2, 3), (1, 6)),
    nn.Conv2d(3, 8, 3, bias=False),
    nn.Conv2d(3, 8, (5, 3), (3, 2), (2, 0), dilation=(1, 2)),
    nn.Conv2d(3, 8, 3, padding="same"),
    nn.Conv2d(3, 8, 3, padding=1, padding_mode="reflect"),
    nn.Conv2d(3, 9, 3, groups=3),
]


def _both_ways(module: nn.Module, images: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    ways = []
    for quick in (False, True):
        pixels = images.clone(memory_format=torch.preserve_format).requires_grad_()
        with shortcuts(module, pixels) if quick else nullcontext():
            output = module(pixels)
        falls = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).view(output.shape)
        ways.append([output.detach(), torch.autograd.grad(output, pixels, falls)[0]])
    return ways[0], ways[1]


@pytest.mark.parametrize("pool", POOLS, ids=str)
@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16])
def test_pooling_is_the_same_bit_by_bit(pool: nn.Module, kind: torch.dtype) -> None:
    images = torch.randn(2, 21, 19, 23).relu().to(kind)  # with many ties
    images[0, 0, 4, 4] = torch.nan
    plain, quick = _both_ways(pool, images)
    for one, other in zip(plain, quick, strict=True):
        assert torch.equal(one.nan_to_num(7), other.nan_to_num(7))
        assert one.stride() == other.stride()


def test_pooling_of_large_images_goes_by_some_channels_at_a_time() -> None:
    plain, quick = _both_ways(nn.MaxPool2d(3, 2, 1), torch.randn(2, 20, 230, 220))
    assert all(torch.equal(one, other) for one, other in zip(plain, quick, strict=True))


@pytest.mark.parametrize("first", FIRST, ids=str)
def test_first_convolution_has_the_same_gradient(first: nn.Conv2d) -> None:
    first.requires_grad_(False)
    plain, quick = _both_ways(first, torch.randn(3, first.in_channels, 20, 22))
    assert torch.equal(plain[0], quick[0])
    torch.testing.assert_close(quick[1], plain[1], rtol=1e-5, atol=1e-5)


def test_what_does_not_suit_goes_torchs_own_way() -> None:
    images = torch.randn(1, 3, 12, 12)
    turned = images.to(memory_format=torch.channels_last)
    learning = nn.Conv2d(3, 8, 3)
    for module, given in (
        (nn.MaxPool2d(2), turned),
        (nn.MaxPool2d(2), torch.randn(3, 12, 12)),
        (learning, images),
        (nn.Conv2d(3, 8, 3).requires_grad_(False), turned),
    ):
        plain, quick = _both_ways(module, given)
        assert all(torch.equal(one, other) for one, other in zip(plain, quick, strict=True))
    with shortcuts(learning, images.clone().requires_grad_()):
        learning(images).sum().backward()
        _, places = nn.MaxPool2d(2, return_indices=True)(images)
    assert learning.weight.grad is not None and places.shape == (1, 3, 6, 6)


def test_a_gradient_of_the_gradient_is_the_same() -> None:
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Tanh(), nn.MaxPool2d(2)).requires_grad_(False)
    found = []
    for quick in (False, True):
        images = torch.linspace(-1, 1, 300).view(1, 3, 10, 10).requires_grad_()
        with shortcuts(module, images) if quick else nullcontext():
            value = module(images).square().sum()
        (slope,) = torch.autograd.grad(value, images, create_graph=True)
        found.append(torch.autograd.grad(slope.square().sum(), images)[0])
    torch.testing.assert_close(*found)


def test_compiled_networks_are_left_alone(cat: pl.Photo) -> None:
    plain = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()).eval()
    compiled = torch.compile(plain, backend="eager")
    one, other = (
        pl.saliency(pl.Network(module, size=12), cat, target=0).values  # type: ignore[arg-type]
        for module in (plain, compiled)
    )
    torch.testing.assert_close(one, other)


def test_what_is_compiled_may_write_into_what_it_is_given(cat: pl.Photo) -> None:
    class Writing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            x.sub_(0.1)
            return self.conv(x).relu().mean((2, 3))

    plain = Writing().eval()
    compiled = torch.compile(plain, backend="eager")
    for ask in (pl.saliency, pl.occlusion, pl.integrated):
        found, wanted = (
            ask(pl.Network(module, size=12), cat, target=0).values  # type: ignore[arg-type]
            for module in (compiled, plain)
        )
        torch.testing.assert_close(found, wanted)


def test_what_is_compiled_is_asked_as_it_was_written(cat: pl.Photo) -> None:
    """And not compiled anew for each recording, until torch gives up and skips its layers."""
    plain = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(4)
    ).eval()
    plain(torch.zeros(1, 3, 12, 12))
    times: list[int] = []

    def backend(graph: Any, _inputs: Any) -> Any:
        times.append(1)
        return graph.forward

    whole = pl.Network(torch.compile(plain, backend=backend), size=12)  # type: ignore[arg-type]
    part = nn.Sequential(*plain)
    part[2] = torch.compile(plain[2], backend=backend)
    for compiled, prefix in ((whole, "_orig_mod."), (pl.Network(part, size=12), "")):
        known = pl.Network(plain, size=12)
        for ask in (pl.saliency, pl.guided, pl.cam):
            found, wanted = (ask(net, cat, target=1).values for net in (compiled, known))
            torch.testing.assert_close(found, wanted)
        for target in (f"{prefix}1:2", f"{prefix}3:4@1,1"):
            found = pl.saliency(compiled, cat, target=target).values
            own = target.removeprefix(prefix)
            torch.testing.assert_close(found, pl.saliency(known, cat, target=own).values)
    assert not times
