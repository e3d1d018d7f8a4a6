"""Verdict: whether a plan pays, and what is said of it."""

from __future__ import annotations

from math import prod

import torch

from pellucid.see.incremental.plan import Batch, Plan

# How many times fewer operations rectangles must promise where there is little else to gain.
GAIN = 1.15
GAIN_ELSEWHERE = 2.0


def fewer(plan: Plan, batches: list[Batch]) -> float:
    """How many times fewer multiplications and additions than for whole photos."""
    whole = parts = 0.0
    for batch in batches:
        for kernel, part in zip(plan.kernels, batch.parts, strict=True):
            share = 1.0
            for value in plan.placed(kernel) if part else ():
                place = plan.kind[value]
                share = prod(batch.sizes[place]) / prod(plan.kinds[place].size)
            whole += kernel.work * len(batch.masks)
            parts += kernel.work * len(batch.masks) * share
    return whole / max(parts, 1.0)


def pays(plan: Plan, batches: list[Batch], device: torch.device) -> bool:
    """Whether the parts promise to be quicker than the network itself.

    On a processor convolutions are, even where no rectangle is small: batch normalisation is
    folded into them, and their maps lie in memory as processors like them. Elsewhere cutting out
    costs more beside computing, and rectangles have to save much.
    """
    if device.type != "cpu":
        return fewer(plan, batches) >= GAIN_ELSEWHERE
    slides = sum(kernel.work for kernel in plan.kernels if kernel.node.name == "conv2d")
    mostly = slides > 0.5 * sum(kernel.work for kernel in plan.kernels)
    return mostly or fewer(plan, batches) >= GAIN


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
