"""Occlusion by parts on networks made to be awkward, and every way that it can take."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from incremental import compared, family, lively, photo, spots
from torch import Tensor, nn
from torch.nn import functional as F

from conftest import awkward
from pellucid.see.incremental import verdict

SIZE = (37, 45)


class Made(nn.Module):
    """Convolutions and normalisations to choose from, and a function that puts them together."""

    def __init__(self, forward: Callable[[Any, Tensor], Tensor]) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.conv = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.wide = nn.Conv2d(8, 8, 3, padding=(4, 3), dilation=(4, 3))
        self.grouped = nn.Conv2d(8, 8, (3, 5), padding=(1, 2), groups=4)
        self.even = nn.Conv2d(8, 8, 2, stride=2)
        self.skip = nn.Conv2d(8, 8, 1, stride=3)
        self.point = nn.Conv2d(8, 8, 1)
        self.same = nn.Conv2d(8, 8, 4, padding="same")
        self.mirror = nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect")
        self.up = nn.ConvTranspose2d(8, 8, 2, stride=2)
        self.close = nn.Conv2d(8, 8, (19, 23))
        self.norm = nn.BatchNorm2d(8)
        self.group = nn.GroupNorm(2, 8)
        self.lrn = nn.LocalResponseNorm(3)
        self.prelu = nn.PReLU(8)
        self.layer = nn.LayerNorm(8)
        self.dense = nn.Linear(8, 8)
        self.relu = nn.ReLU(inplace=True)
        self.order = forward
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        found = self.order(self, self.stem(x))
        return self.head(found.mean((2, 3)) if found.ndim == 4 else found)


def shuffled(x: Tensor) -> Tensor:
    return x.view(x.shape[0], 2, 4, *x.shape[2:]).transpose(1, 2).flatten(1, 2)


def behind(self: Any, x: Tensor) -> Tensor:
    """Channels behind the places, as in ConvNeXt."""
    y = self.dense(F.gelu(self.layer(self.conv(x).permute(0, 2, 3, 1))))
    return x + y.permute(0, 3, 1, 2)


def tokens(self: Any, x: Tensor) -> Tensor:
    """Places in a row: a copy of maps with channels in front, the same memory otherwise."""
    x = self.conv(x)
    y = x.permute(0, 2, 3, 1).reshape(x.shape[0], -1, 8).relu()
    return y.mean(1) + x.mean((2, 3))


def overwritten(self: Any, x: Tensor) -> Tensor:
    """An input that is read again after it was overwritten."""
    y = self.conv(x)
    x.clamp_(min=0)
    y += x
    return self.relu(y) * x


def split(self: Any, x: Tensor) -> Tensor:
    a, b = x.chunk(2, 1)
    c = torch.cat([b, self.conv(x)[:, 2:6], a * 2], 1)
    return shuffled(c[:, :8]) + c[:, 4:]


def uneven(self: Any, x: Tensor) -> Tensor:
    """Branches that a mask reaches differently far."""
    return torch.cat([self.conv(self.conv(x)), self.point(x), self.wide(x), x], 1)[:, 4:12] - x


def averaged(self: Any, x: Tensor) -> Tensor:
    x = F.avg_pool2d(x, 3, 2, 1, ceil_mode=True)
    x = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    return F.avg_pool2d(F.avg_pool2d(x, 2, 1, divisor_override=3), (2, 1), 1)


def pooled(self: Any, x: Tensor) -> Tensor:
    x = F.max_pool2d(x, 3, 2, ceil_mode=True)
    return F.max_pool2d(F.max_pool2d(x, 3, 1, 1), 2, 1, dilation=2)


def padded(self: Any, x: Tensor) -> Tensor:
    x = self.even(F.pad(x, (1, 2, 0, 1)))
    return self.conv(F.pad(x, (0, 1, 2, 0), value=1.5))[:, :, 1:]


FORMS: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "reused and in place": lambda self, x: self.relu(self.norm(self.conv(self.relu(self.conv(x))))),
    "dilated": lambda self, x: self.wide(x).relu(),
    "grouped": lambda self, x: torch.sigmoid(self.grouped(x)) * x,
    "stride past the kernel": lambda self, x: self.conv(self.skip(x)),
    "even kernels": lambda self, x: self.same(self.even(x)),
    "functions of all makes": lambda self, x: self.prelu(F.silu(x)) + F.hardswish(x).tanh() ** 2,
    "norm before": lambda self, x: self.conv(F.elu(self.norm(x))),
    "norm of a map that is read twice": lambda self, x: self.norm(y := self.conv(x)) + y,
    "across channels": lambda self, x: self.lrn(x) * x.softmax(1) + x.amax(1, keepdim=True),
    "uneven branches": uneven,
    "channels behind": behind,
    "overwritten": overwritten,
    "split": split,
    "averaged": averaged,
    "pooled": pooled,
    "whole padded": padded,
    "whole adaptive": lambda self, x: F.adaptive_avg_pool2d(self.conv(x)[:, :, :18, :20], (9, 5)),
    "whole after a transposed convolution": lambda self, x: self.conv(self.up(self.conv(x))),
    "whole after a reflected rim": lambda self, x: self.conv(self.mirror(self.conv(x))),
    "whole after a norm over places": lambda self, x: self.conv(self.group(self.conv(x))),
    "tokens": tokens,
    "whole vectors": lambda self, x: self.conv(x).amax((2, 3)) + x.flatten(2).mean(2),
    "whole scaled by the mean": lambda self, x: x * x.mean((2, 3), keepdim=True).sigmoid(),
    "whole constants": lambda self, x: torch.cat([x, x.new_ones(x.shape)[:, :3]], 1)[:, 3:],
    "made for the batch": lambda self, x: self.conv(x) * torch.full((len(x), 8, 1, 1), 0.5),
    "whole kernel as large as the map": lambda self, x: self.close(self.conv(x)).relu(),
    "whole columns that count more": lambda self, x: self.conv(x * torch.arange(x.shape[3])),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")  # torch's own
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("side", [3, 12])
def test_awkward_networks(form: str, side: int) -> None:
    module = lively(Made(FORMS[form]))
    asked = compared(module, module, photo(3, SIZE), spots(SIZE, side, 7))
    assert asked.way.startswith("rectangles in "), asked.way
    assert ("whole from" in asked.way) == form.startswith("whole")


def test_an_answer_that_lies_in_the_memory_of_a_map() -> None:
    module = lively(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3)))

    def neuron(x: Tensor) -> Tensor:
        return module(x).flatten(1)[:, ::5][:, 200, None]

    asked = compared(neuron, module, photo(3, SIZE), spots(SIZE, 9, 7))
    assert asked.way.startswith("rectangles in 2 of 2 layers")


def test_the_awkward_network_of_all_tests() -> None:
    module = awkward().eval()
    asked = compared(module, module, photo(1, (20, 28)), spots((20, 28), 5, 4))
    assert asked.way.startswith("rectangles in ")


def test_a_network_of_transformer_blocks_and_convolutions(monkeypatch: Any) -> None:
    """Mostly linear, so that at this size it does not pay; right it has to be all the same."""
    module = family("convnext_tiny")
    inputs, boxes = photo(3, size=(96, 96)), spots((96, 96), 13, 40)
    assert (
        compared(module, module, inputs, boxes).way == "plain batches: rectangles save too little"
    )
    monkeypatch.setattr(verdict, "GAIN", 0.0)
    monkeypatch.setattr(verdict, "TRIED", 0)
    assert compared(module, module, inputs, boxes).way.startswith("rectangles in ")
