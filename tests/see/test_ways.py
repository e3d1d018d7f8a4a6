"""Every way that occlusion can take: in parts, in whole and why, and when memory is full."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from incremental import compared, lively, photo, spots
from test_parts import FORMS, SIZE, Made
from torch import Tensor, nn

from pellucid.see.incremental import answers, plan, verdict
from pellucid.see.incremental.answers import Answers
from pellucid.see.incremental.capture import capture
from pellucid.see.incremental.engine import Engine
from pellucid.see.incremental.kernels import work
from pellucid.see.incremental.plan import Batch


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


def test_elsewhere_than_on_a_processor_rectangles_have_to_save_more() -> None:
    module = lively(Made(FORMS["dilated"]))
    inputs = photo(3, SIZE)
    graph, _ = capture(module, torch.cat([inputs] * 2), module)
    for box, saves in (([9, 12, 9, 12], True), ([1, 36, 1, 44], False)):
        engine = Engine(graph, inputs, inputs * 0, np.array([box]))
        engine.group(1)
        assert verdict.pays(engine.plan, engine.batches, torch.device("cpu"))
        assert verdict.pays(engine.plan, engine.batches, torch.device("mps")) == saves


def test_on_a_gpu_it_pays_where_there_is_much_to_compute() -> None:
    module = lively(Made(FORMS["dilated"]))
    inputs = photo(3, SIZE)
    graph, _ = capture(module, torch.cat([inputs] * 2), module)
    engine = Engine(graph, inputs, inputs * 0, np.array([[9, 12, 9, 12]] * 50))
    engine.group(50)
    whole = 50 * sum(kernel.work for kernel in engine.plan.kernels)
    spent = 2 * len(engine.plan.kernels) * verdict.STARTING  # once in earnest, once to try it
    saved = 1 - 1 / verdict.fewer(engine.plan, engine.batches)
    for speed, pays in ((0.9 * whole * saved / spent, True), (1.1 * whole * saved / spent, False)):
        assert verdict.saves(engine.plan, engine.batches, speed) == pays


def test_on_a_gpu_a_small_network_is_not_taken_apart(monkeypatch: Any) -> None:
    module = lively(Made(FORMS["dilated"]))
    graph, _ = capture(module, torch.cat([photo(3, SIZE)] * 2), module)
    whole = 50 * sum(work(node, graph) for node in graph.nodes)
    for times, small in ((0.9, False), (1.1, True)):
        speed = times * whole / (verdict.STARTING * len(graph.nodes))
        monkeypatch.setattr(verdict, "_speed", lambda _device, speed=speed: speed)
        assert verdict.hopeless(graph, 50, torch.device("cuda")) == small
        assert not verdict.hopeless(graph, 50, torch.device("cpu"))


@pytest.mark.parametrize(("count", "size"), [(1, 1), (2, 2), (9, 9), (9, 5), (9, 3), (40, 1)])
def test_up_to_three_masks_are_tried_first(count: int, size: int) -> None:
    starts = range(0, count, size)
    batches = [Batch(np.arange(at, min(at + size, count)), [], []) for at in starts]
    masks = [batches[place].masks[picked] for place, picked in verdict.checked(batches)]
    assert len(np.unique(np.concatenate(masks))) == sum(map(len, masks)) >= min(3, count)
    assert masks[0][0] == 0 and masks[-1][-1] >= count - size


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
    assert asked.way == "plain batches: features.1.0.attn mixes the photos of a batch"


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
        if len(calls) == 6:
            raise IndexError("somewhere inside")
        return run(self, batch)

    monkeypatch.setattr(Engine, "run", crash)
    asked = compared(module, module, photo(3, SIZE), spots(SIZE, 9, 7))
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
    asked = compared(module, module, photo(3, SIZE), spots(SIZE, 9, 7), batch=12)
    assert asked.way.startswith("rectangles in ")
    tried = [size for size in sizes if size > 3]
    assert tried  # once, halving; from then on in batches that fit
    assert tried == sizes[3 : 3 + len(tried)] and all(
        later == earlier // 2 for earlier, later in pairwise(tried)
    )


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


def test_the_plan_says_how_far_rectangles_go() -> None:
    """Counted by hand: one convolution 3 x 3 on 16 x 16 places, a mask of 4 x 4 in the middle."""
    module = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, bias=False), nn.AdaptiveAvgPool2d(1))
    inputs = photo(1, (16, 16))
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


def test_masks_that_reach_alike_are_put_together(monkeypatch: Any) -> None:
    monkeypatch.setattr(plan, "PREPARING", 0)
    module = lively(Made(FORMS["dilated"]))
    inputs = photo(3, SIZE)
    graph, _ = capture(module, torch.cat([inputs] * 2), module)
    boxes = spots(SIZE, 9, 3)
    engine = Engine(graph, inputs, inputs * 0, boxes)
    engine.group(16)
    together = np.sort(np.concatenate([batch.masks for batch in engine.batches]))
    assert together.tolist() == list(range(len(boxes)))
    assert max(len(batch.masks) for batch in engine.batches) <= 16
    mixed = np.random.default_rng(0).permutation(len(boxes))
    anyhow = [engine.plan.batch(some) for some in np.split(mixed, range(16, len(boxes), 16))]
    assert verdict.fewer(engine.plan, engine.batches) > verdict.fewer(engine.plan, anyhow)
    engine.group(1)
    assert len({tuple(batch.sizes) for batch in engine.batches}) <= 2**plan.HALVINGS
    # Where another size costs more than it saves, all have the same.
    monkeypatch.setattr(plan, "PREPARING", 1e9)
    engine.group(16)
    assert len({tuple(batch.sizes) for batch in engine.batches}) == 1
    assert max(len(batch.masks) for batch in engine.batches) <= 16


class Fire(nn.Module):
    """Beside a kernel of three pixels one of a single pixel, and both joined."""

    def __init__(self, squeezed: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(3, squeezed, 3, padding=1)
        self.near, self.far = nn.Conv2d(squeezed, 64, 1), nn.Conv2d(squeezed, 8, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(x).relu()
        return torch.cat([self.near(x).relu(), self.far(x).relu()], 1).mean((2, 3))


@pytest.mark.parametrize(("squeezed", "alike"), [(4, True), (200, False)])
def test_a_branch_is_made_as_wide_as_the_others_where_that_is_cheaper(
    squeezed: int, alike: bool
) -> None:
    module = lively(Fire(squeezed))
    inputs, boxes = photo(3, SIZE), spots(SIZE, 9, 7)
    graph, _ = capture(module, torch.cat([inputs] * 2), module)
    made = Engine(graph, inputs, inputs * 0, boxes).plan
    wide = {kernel.shapes[0][1]: made.kind[kernel.outs[0]] for kernel in made.kernels[:-1]}
    assert (wide[64] == wide[8] == wide[72]) == alike
    compared(module, module, inputs, boxes)
