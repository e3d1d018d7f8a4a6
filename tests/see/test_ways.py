"""Every way that occlusion can take: in parts, in whole and why, and when memory is full."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from incremental import compared, lively, photo, spots
from test_parts import FORMS, SIZE, Made
from torch import Tensor, nn

from pellucid import Network, occlusion
from pellucid.see.incremental import answers
from pellucid.see.incremental.answers import Answers
from pellucid.see.incremental.capture import capture
from pellucid.see.incremental.engine import Engine


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


class Filled(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = torch.zeros_like(x)
        y[:, :2] = x[:, 1:]
        return (x + y).mean((2, 3))


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
    "filled": (Filled(), "the photo's values are written into a tensor of another making"),
    "detour": (Detour(), "the answer is not computed by torch from the photo alone"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_taken_apart_is_answered_whole_and_told(kind: str) -> None:
    module, why = REFUSED[kind]
    asked = compared(module, module, photo(3, SIZE), spots(SIZE, 12, 14))
    assert asked.way.startswith("plain batches: ") and asked.way.endswith(why)


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace")
def test_torchscript_is_answered_whole_and_told() -> None:
    module = torch.jit.trace(
        lively(nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten())), photo(3, SIZE)
    )
    asked = compared(module, module, photo(3, SIZE), spots(SIZE, 12, 14))
    assert asked.way == "plain batches: TorchScript cannot be looked into"


def test_transformers_are_answered_whole_and_told() -> None:
    from torchvision.models import swin_t
    from torchvision.models.vision_transformer import VisionTransformer

    vit = lively(VisionTransformer(32, 8, 3, 2, 64, 256, num_classes=4))
    asked = compared(vit, vit, photo(3, size=(32, 32)), spots((32, 32), 8, 13))
    assert asked.way == "plain batches: attention at encoder.layers.encoder_layer_0.self_attention"
    swin = swin_t(weights=None).eval()
    asked = compared(
        lambda x: swin(x)[:, :3], swin, photo(3, size=(64, 64)), spots((64, 64), 16, 40)
    )
    assert asked.way == "plain batches: features.1.0.attn folds parts of a photo into the batch"


def test_a_network_that_answers_differently_each_time_is_not_believed() -> None:
    module = Once()
    inputs = photo(3, SIZE)
    asked = Answers(module, inputs, torch.zeros_like(inputs), module)
    list(asked.under(np.tile(spots(SIZE, 12, 14), (8, 1))))
    assert asked.way.startswith("plain batches: parts differ from the whole by ")


def test_parts_that_are_wrong_are_not_believed(monkeypatch: Any) -> None:
    module = lively(Made(FORMS["dilated"]))
    run = Engine.run
    monkeypatch.setattr(Engine, "run", lambda self, batch: run(self, batch) * 1.001)
    asked = compared(module, module, photo(3, SIZE), spots(SIZE, 9, 7))
    assert asked.way.startswith("plain batches: parts differ from the whole by 0.001")


def test_a_crash_of_the_parts_is_made_good_by_the_whole(monkeypatch: Any) -> None:
    module = lively(Made(FORMS["dilated"]))
    run, calls = Engine.run, []

    def crash(self: Engine, batch: Any) -> Tensor:
        calls.append(len(batch.masks))
        if len(calls) == 6:  # three were compared, and given away
            raise IndexError("somewhere inside")
        return run(self, batch)

    monkeypatch.setattr(Engine, "run", crash)
    asked = compared(module, module, photo(3, SIZE), spots(SIZE, 9, 7))
    assert asked.way == "plain batches: what it computes could not be followed"
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
    asked = compared(module, module, photo(3, SIZE), spots(SIZE, 9, 7), batch=12)
    assert asked.way.startswith("rectangles in ")
    tried = [size for size in sizes if size > 3]
    assert tried  # once, halving; from then on in batches that fit
    assert tried == sizes[: len(tried)]
    assert all(later == earlier // 2 for earlier, later in pairwise(tried))


def test_memory_that_is_full_even_for_one_goes_the_plain_way(monkeypatch: Any) -> None:
    module = lively(Made(FORMS["dilated"]))

    def full(self: Engine, batch: Any) -> Tensor:
        raise torch.OutOfMemoryError("full")

    monkeypatch.setattr(Engine, "run", full)
    asked = compared(module, module, photo(3, SIZE), spots(SIZE, 9, 14))
    assert asked.way.startswith("plain batches: ")


def test_the_batch_is_no_larger_than_memory_allows(monkeypatch: Any) -> None:
    module = lively(Made(FORMS["dilated"]))
    inputs = photo(3, SIZE)
    asked = Answers(module, inputs, torch.zeros_like(inputs), module)
    sizes = []
    for free in (None, 10**9, 10**6 // 2, 1):
        monkeypatch.setattr(answers, "free", lambda device, free=free: free)
        sizes.append(len(next(asked.under(np.tile(spots(SIZE, 9, 7), (4, 1))))[0]))
    assert sizes[0] == sizes[1] > sizes[2] > sizes[3] == 1


def test_few_masks_are_answered_whole() -> None:
    module = lively(Made(FORMS["dilated"]))
    inputs = photo(3, SIZE)
    asked = Answers(module, inputs, torch.zeros_like(inputs), module)
    assert len(list(asked.under(spots(SIZE, 9, 30)))) == 1
    assert asked.way == "plain batches"


def test_what_does_not_pay_is_not_tried_again(monkeypatch: Any) -> None:
    layers = nn.Conv2d(3, 2, 3, padding=1), nn.Flatten(), nn.Linear(2048, 512), nn.Linear(512, 4)
    net = Network(lively(nn.Sequential(*layers)), size=32)
    given: list[int] = []
    net.module.register_forward_pre_hook(lambda _part, inputs: given.append(len(inputs[0])))
    noted: list[object] = []

    def noting(*args: Any) -> Any:
        noted.append(args)
        return capture(*args)

    monkeypatch.setattr(answers, "capture", noting)

    def asked(photo: Any = "photo:cat", **settings: Any) -> Any:
        settings = {"target": 0, "window": 8, "stride": 4} | settings
        given.clear()
        return occlusion(net, photo, **settings)

    first = asked()
    assert "plain batches" in first.caption and len(noted) == 1
    again = asked()
    assert len(noted) == 1 and torch.equal(again.values, first.values)
    assert again.caption == first.caption
    # One pass for the photo, and again beside the first masks, to see whether they are mixed.
    assert sum(given) == 64 + 2 and given[0] == 1
    other = asked("photo:rocket")
    assert len(noted) == 1 and not torch.equal(other.values, first.values)
    # Other masks or another measure are another question.
    asked(stride=5)
    asked(measure="score")
    assert len(noted) == 3
    two = asked(("photo:cat", "photo:rocket"))
    assert len(noted) == 3 and torch.equal(two.values[0, 0], first.values)


@pytest.mark.parametrize(("kind", "tolerance"), [(torch.float64, 1e-10), (torch.bfloat16, 0.05)])
def test_other_precisions(kind: torch.dtype, tolerance: float) -> None:
    module = lively(Made(FORMS["averaged"])).to(kind)
    inputs, boxes = photo(3, SIZE).to(kind), spots(SIZE, 12, 14)
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
