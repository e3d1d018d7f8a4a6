"""What is planned: masks put together, branches made alike, and whether it is said to pay."""

from typing import Any

import numpy as np
import pytest
import torch
from incremental import compared, lively, photo, spots
from test_parts import FORMS, SIZE, Made
from torch import Tensor, nn

from pellucid.see.incremental import plan, verdict
from pellucid.see.incremental.capture import capture
from pellucid.see.incremental.engine import Engine
from pellucid.see.incremental.kernels import work
from pellucid.see.incremental.plan import Batch


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
    spent = len(engine.plan.kernels) * (verdict.STARTING + verdict.PLANNING)
    saved = 1 - verdict.GAIN - 1 / verdict.fewer(engine.plan, engine.batches)
    for speed, pays in ((0.9 * whole * saved / spent, True), (1.1 * whole * saved / spent, False)):
        assert verdict.saves(engine.plan, engine.batches, speed) == pays


@pytest.mark.parametrize("folds", [False, True])
def test_on_a_gpu_a_small_network_is_not_taken_apart(monkeypatch: Any, folds: bool) -> None:
    norm = nn.BatchNorm2d(4) if folds else nn.ReLU()
    module = nn.Sequential(nn.Conv2d(3, 4, 3), norm, nn.MaxPool2d(2), nn.Flatten()).eval()
    graph, _ = capture(module, torch.cat([photo(3, SIZE)] * 2), module)
    whole = 50 * sum(work(node, graph) for node in graph.nodes)
    for times, small in ((0.9, False), (1.1, True)):
        spent = verdict.STARTING * (len(graph.nodes) - folds) + verdict.PLANNING * len(graph.nodes)
        speed = times * whole / spent
        monkeypatch.setattr(verdict, "_speed", lambda _device, speed=speed: speed)
        assert verdict.hopeless(graph, 50, torch.device("cuda")) == small
        assert not verdict.hopeless(graph, 50, torch.device("cpu"))


@pytest.mark.parametrize(("count", "size"), [(1, 1), (2, 2), (9, 9), (9, 5), (9, 3), (40, 1)])
def test_up_to_three_masks_are_tried_first(count: int, size: int) -> None:
    starts = range(0, count, size)
    batches = [Batch(np.arange(at, min(at + size, count)), [], []) for at in starts]
    places, masks = verdict.checked(batches)
    assert places == sorted({0, len(batches) // 2, len(batches) - 1})
    assert len(np.unique(masks)) == len(masks) == min(3, count)
    assert {mask // size for mask in masks} == set(places)
