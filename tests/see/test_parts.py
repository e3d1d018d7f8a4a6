"""Occlusion by parts on networks made to be awkward, and every way that it can take."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from incremental import compared, family, lively, spots
from torch import Tensor, nn
from torch.nn import functional as F

from conftest import awkward
from pellucid.see.incremental import answers, verdict
from pellucid.see.incremental.answers import Answers
from pellucid.see.incremental.engine import Engine

SIZE = (37, 45)


def photo(channels: int = 3, size: tuple[int, int] = SIZE) -> Tensor:
    return torch.randn(1, channels, *size, generator=torch.Generator().manual_seed(0))


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
    "whole vectors": lambda self, x: self.conv(x).amax((2, 3)) + x.flatten(2).mean(2),
    "whole scaled by the mean": lambda self, x: x * x.mean((2, 3), keepdim=True).sigmoid(),
    "whole constants": lambda self, x: torch.cat([x, x.new_ones(x.shape)[:, :3]], 1)[:, 3:],
    "made for the batch": lambda self, x: self.conv(x) * torch.full((len(x), 8, 1, 1), 0.5),
    "whole columns that count more": lambda self, x: self.conv(x * torch.arange(x.shape[3])),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")  # torch's own
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("side", [3, 12])
def test_awkward_networks(form: str, side: int) -> None:
    module = lively(Made(FORMS[form]))
    asked = compared(module, module, photo(), spots(SIZE, side, 7))
    assert asked.way.startswith("rectangles in "), asked.way
    assert ("whole from" in asked.way) == form.startswith("whole")


def test_the_awkward_network_of_all_tests() -> None:
    module = awkward().eval()
    asked = compared(module, module, photo(1, (20, 28)), spots((20, 28), 5, 4))
    assert asked.way.startswith("rectangles in ")


def test_a_network_of_transformer_blocks_and_convolutions(monkeypatch: Any) -> None:
    """Mostly linear, so that at this size it does not pay; right it has to be all the same."""
    module = family("convnext_tiny")
    inputs, boxes = photo(size=(96, 96)), spots((96, 96), 13, 40)
    assert (
        compared(module, module, inputs, boxes).way == "plain batches: rectangles save too little"
    )
    monkeypatch.setattr(verdict, "GAIN", 1.0)
    assert compared(module, module, inputs, boxes).way.startswith("rectangles in ")


class Looks(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3)) * (2.0 if float(x[0, 0].max()) > 0 else 1.0)


class Noisy(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return (x + torch.rand_like(x).round() * 0).mean((2, 3))


class Mixing(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(0, 1).mean((2, 3)).transpose(0, 1)


class Scattered(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = x * 1.5
        y[:, :1] += 1
        return y.mean((2, 3))


class Detour(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.from_numpy(x.numpy() * 2).mean((2, 3))


class Once(nn.Module):
    """Answers differently when asked again."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.conv(x).mean((2, 3)) * (3.0 if self.calls == 1 else 1.0)


REFUSED = {
    "looks": (Looks(), "what is computed depends on the numbers themselves"),
    "noisy": (Noisy(), "the network draws random numbers"),
    "mixing": (Mixing(), "mixes the photos of a batch"),
    "scattered": (Scattered(), "a part of a tensor is changed in place"),
    "detour": (Detour(), "the answer is not computed by torch from the photo alone"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_taken_apart_is_answered_whole_and_told(kind: str) -> None:
    module, why = REFUSED[kind]
    asked = compared(module, module, photo(), spots(SIZE, 12, 14))
    assert asked.way.startswith("plain batches: ") and asked.way.endswith(why)


def test_transformers_are_answered_whole_and_told() -> None:
    from torchvision.models import swin_t
    from torchvision.models.vision_transformer import VisionTransformer

    vit = lively(VisionTransformer(32, 8, 3, 2, 64, 256, num_classes=4))
    asked = compared(vit, vit, photo(size=(32, 32)), spots((32, 32), 8, 13))
    assert asked.way == "plain batches: attention at encoder.layers.encoder_layer_0.self_attention"
    swin = swin_t(weights=None).eval()
    asked = compared(lambda x: swin(x)[:, :3], swin, photo(size=(64, 64)), spots((64, 64), 16, 40))
    assert asked.way == "plain batches: features.1.0.attn mixes the photos of a batch"


def test_a_network_that_answers_differently_each_time_is_not_believed() -> None:
    module = Once()
    inputs = photo()
    asked = Answers(module, inputs, torch.zeros_like(inputs), module)
    list(asked.under(np.tile(spots(SIZE, 12, 14), (8, 1))))
    assert asked.way.startswith("plain batches: parts differ from the whole by ")


def test_parts_that_are_wrong_are_not_believed(monkeypatch: Any) -> None:
    module = lively(Made(FORMS["dilated"]))
    run = Engine.run
    monkeypatch.setattr(Engine, "run", lambda self, batch: run(self, batch) * 1.001)
    asked = compared(module, module, photo(), spots(SIZE, 9, 7))
    assert asked.way.startswith("plain batches: parts differ from the whole by 0.001")


def test_a_crash_of_the_parts_is_made_good_by_the_whole(monkeypatch: Any) -> None:
    module = lively(Made(FORMS["dilated"]))
    run, calls = Engine.run, []

    def crash(self: Engine, batch: Any) -> Tensor:
        calls.append(len(batch.masks))
        if len(calls) == 6:
            raise IndexError("somewhere inside")
        return run(self, batch)

    monkeypatch.setattr(Engine, "run", crash)
    asked = compared(module, module, photo(), spots(SIZE, 9, 7))
    assert asked.way == "plain batches: IndexError while it was taken apart"
    assert len(calls) == 6


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
        MemoryError(),
    ],
)
def test_memory_that_is_full_halves_the_batch(monkeypatch: Any, error: Exception) -> None:
    module = lively(Made(FORMS["uneven branches"]))
    run, sizes = Engine.run, []

    def full(self: Engine, batch: Any) -> Tensor:
        sizes.append(len(batch.masks))
        if len(batch.masks) > 3:
            raise error
        return run(self, batch)

    monkeypatch.setattr(Engine, "run", full)
    asked = compared(module, module, photo(), spots(SIZE, 9, 7), batch=12)
    assert asked.way.startswith("rectangles in ")
    assert [11, 5, 2, 3] in [sizes[at : at + 4] for at in range(len(sizes))]


def test_memory_that_is_full_even_for_one_goes_the_plain_way(monkeypatch: Any) -> None:
    module = lively(Made(FORMS["dilated"]))

    def full(self: Engine, batch: Any) -> Tensor:
        raise torch.OutOfMemoryError("full")

    monkeypatch.setattr(Engine, "run", full)
    asked = compared(module, module, photo(), spots(SIZE, 9, 14))
    assert asked.way.startswith("plain batches: ")


def test_the_batch_is_no_larger_than_memory_allows(monkeypatch: Any) -> None:
    module = lively(Made(FORMS["dilated"]))
    inputs = photo()
    asked = Answers(module, inputs, torch.zeros_like(inputs), module)
    sizes = []
    for free in (None, 10**9, 10**6 // 2, 1):
        monkeypatch.setattr(answers, "free", lambda device, free=free: free)
        sizes.append(len(next(asked.under(np.tile(spots(SIZE, 9, 7), (4, 1))))[0]))
    assert sizes[0] == sizes[1] > sizes[2] > sizes[3] == 1


def test_few_masks_are_answered_whole() -> None:
    module = lively(Made(FORMS["dilated"]))
    inputs = photo()
    asked = Answers(module, inputs, torch.zeros_like(inputs), module)
    assert len(list(asked.under(spots(SIZE, 9, 30)))) == 1
    assert asked.way == "plain batches"


@pytest.mark.parametrize(("kind", "tolerance"), [(torch.float64, 1e-10), (torch.bfloat16, 0.05)])
def test_other_precisions(kind: torch.dtype, tolerance: float) -> None:
    module = lively(Made(FORMS["averaged"])).to(kind)
    inputs, boxes = photo().to(kind), spots(SIZE, 12, 14)
    asked = Answers(module, inputs, torch.zeros_like(inputs), module)
    few, answers.FEW = answers.FEW, 0
    try:
        rows = list(asked.under(boxes))
    finally:
        answers.FEW = few
    found = torch.cat([value for _, value in rows])
    order = np.concatenate([some for some, _ in rows])
    with torch.no_grad():
        wanted = module(asked.masked(boxes[order]))
    assert asked.way.startswith("rectangles") and found.dtype == kind
    torch.testing.assert_close(found, wanted, rtol=tolerance, atol=tolerance)


def test_the_plan_says_how_far_rectangles_go() -> None:
    """Counted by hand: one convolution 3 x 3 on 16 x 16 places, a mask of 4 x 4 in the middle."""
    module = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, bias=False), nn.AdaptiveAvgPool2d(1))
    inputs = photo(1, (16, 16))
    from pellucid.see.incremental.capture import capture

    graph, _ = capture(module, torch.cat([inputs] * 2), module)
    engine = Engine(graph, inputs, inputs * 0, np.array([[6, 10, 6, 10]]))
    engine.group(1)
    (batch,) = engine.batches
    assert batch.parts == [True, True]
    assert [spans.edges[:, 0].tolist() for spans in engine.plan.kinds] == [
        [6, 10, 6, 10],
        [5, 11, 5, 11],
    ]
    # 18 operations for each number that the convolution puts out, 2 for the mean.
    whole, part = 16 * 16 * 2 * 18 + 2, 6 * 6 * 2 * 18 + 2
    assert verdict.fewer(engine.plan, engine.batches) == pytest.approx(whole / part)
    assert verdict.described(engine.plan, engine.batches) == (
        "rectangles in 1 of 1 layers, 7.1x fewer operations"
    )


def test_masks_that_reach_alike_are_put_together() -> None:
    module = lively(Made(FORMS["dilated"]))
    inputs = photo()
    from pellucid.see.incremental.capture import capture

    graph, _ = capture(module, torch.cat([inputs] * 2), module)
    boxes = spots(SIZE, 9, 3)
    engine = Engine(graph, inputs, inputs * 0, boxes)
    engine.group(16)
    together = np.sort(np.concatenate([batch.masks for batch in engine.batches]))
    assert together.tolist() == list(range(len(boxes)))
    assert max(len(batch.masks) for batch in engine.batches) <= 16
    in_order = [
        engine.plan.batch(np.arange(first, min(first + 16, len(boxes))))
        for first in range(0, len(boxes), 16)
    ]
    assert verdict.fewer(engine.plan, engine.batches) > verdict.fewer(engine.plan, in_order)
