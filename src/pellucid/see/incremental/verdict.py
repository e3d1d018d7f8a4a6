"""Verdict: whether a plan pays, and what is said of it."""

from __future__ import annotations

from math import prod

import numpy as np
import torch

from pellucid.see.incremental.fold import foldable
from pellucid.see.incremental.graph import Graph
from pellucid.see.incremental.kernels import work
from pellucid.see.incremental.plan import Batch, Plan
from pellucid.see.incremental.spans import Numbers

# What share of the operations on rectangles they must save where there is little else to gain.
GAIN = 0.15
TRIED = 8  # photos whole: written down, kept, and tried both ways
GAIN_ELSEWHERE = 2.0
# What a GPU spends on each operation on rectangles, however many there are: working out what is
# where, cutting out, starting (measured on an H200: `benchmarks/gpu.py`).
STARTING = 2.5e-4  # seconds
# What each operation of a network takes before that, on the processor beside it: to be written
# down, planned and tried (measured 0.2 to 0.35 ms, of which a GPU sees all and a processor little).
PLANNING = 4e-4  # seconds
CORE = 128 * 2 * 1.5e9 * 0.75  # operations a second of one of its multiprocessors, at its best


def fewer(plan: Plan, batches: list[Batch]) -> float:
    """How many times fewer multiplications and additions than for whole photos."""
    whole = parts = 0.0
    for batch in batches:
        whole += plan.work * len(batch.masks)
        for kernel, part in zip(plan.kernels, batch.parts, strict=True):
            share = 1.0
            for value in plan.placed(kernel) if part else ():
                place = plan.kind[value]
                share = prod(batch.sizes[place]) / prod(plan.kinds[place].size)
            parts += kernel.work * len(batch.masks) * share
    return whole / max(parts, 1.0)


def pays(plan: Plan, batches: list[Batch], device: torch.device) -> bool:
    """Whether the parts promise to be quicker than the network itself.

    On a processor convolutions are, even where no rectangle is small: batch normalisation is
    folded into them, and their maps lie in memory as processors like them. Elsewhere cutting out
    costs more beside computing, and rectangles have to save much.
    """
    if device.type == "cuda":
        return saves(plan, batches, _speed(device))
    if device.type != "cpu":
        return fewer(plan, batches) >= GAIN_ELSEWHERE
    slides = sum(kernel.work for kernel in plan.kernels if kernel.node.name == "conv2d")
    if slides > 0.5 * plan.work:
        return True
    times, masks = fewer(plan, batches), sum(len(batch.masks) for batch in batches)
    cut = sum(
        kernel.work for kernel, part in zip(plan.kernels, batches[0].parts, strict=True) if part
    )
    return times >= 1 + GAIN * cut / plan.work and masks * (1 - 1 / times) > TRIED


def hopeless(graph: Graph, count: int, device: torch.device) -> bool:
    """Whether a network is too small for a GPU to gain anything, however little a mask reaches.

    Args:
        count: of masks.
    """
    whole = count * sum(work(node, graph) for node in graph.nodes)
    operations = len(graph.nodes) - len(foldable(graph))
    spent = STARTING * operations + PLANNING * len(graph.nodes)
    return device.type == "cuda" and whole / _speed(device) < spent


def _speed(device: torch.device) -> float:
    return torch.cuda.get_device_properties(device).multi_processor_count * CORE


def saves(plan: Plan, batches: list[Batch], speed: float) -> bool:
    """Whether it does on a GPU, and by so much that an error of the estimate turns it not round.

    Args:
        speed: its operations a second.
    """
    masks = sum(len(batch.masks) for batch in batches)
    whole = masks * plan.work / speed
    spent = (STARTING * len(batches) + PLANNING) * len(plan.kernels)
    return whole / fewer(plan, batches) + spent < (1 - GAIN) * whole


def checked(batches: list[Batch]) -> tuple[list[int], Numbers]:
    """The batches on which a plan is tried, and three masks of theirs."""
    places = sorted({0, len(batches) // 2, len(batches) - 1})
    joint = np.concatenate([batches[place].masks for place in places])
    if len(places) == 3:
        return places, np.array([batches[place].masks[0] for place in places])
    return places, joint[sorted({0, len(joint) // 2, len(joint) - 1})]


def reason(plan: Plan, batches: list[Batch]) -> str:
    """What first lets a mask reach everything, other than the size of what layers see."""
    for batch in batches[:1]:
        cut = {0}
        for kernel, part in zip(plan.kernels, batch.parts, strict=True):
            why = kernel.rule.why
            if not part and why and (cut.intersection(kernel.inputs) or "attention" in why):
                return why
            cut |= plan.placed(kernel) if part else set()
    return ""


def described(plan: Plan, batches: list[Batch]) -> str:
    """A plan in a line."""
    layers = [kernel.node.name in ("conv2d", "linear") for kernel in plan.kernels]
    parts = [sum(p and q for p, q in zip(b.parts, layers, strict=True)) for b in batches]
    text = (
        f"rectangles in {max(parts)} of {sum(layers)} layers, "
        f"{fewer(plan, batches):.1f}x fewer operations"
    )
    why = reason(plan, batches)
    return f"{text}; whole from the {why}" if why else text
