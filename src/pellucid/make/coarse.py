"""Coarse: passes in bfloat16, where a processor multiplies that in half the time.

For climbs only. Not for textures and styles: L-BFGS learns the curvature from differences of
gradients, and with so few digits a style from noise ended at a loss 8 % higher.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.make.swift import near
from pellucid.network import Network
from pellucid.target import observe

Image = Float[Tensor, "batch channels height width"]
QUICK = "avx512_bf16", "amx_bf16"  # processors that multiply it themselves
CLOSE = 0.05  # how near it comes to the exact pass, share of the greatest output
# Measured as slower: convolutions in groups take 1.2 times as long, attention twice.
SLOW = nn.MultiheadAttention, nn.LayerNorm


def passed(net: Network, images: Image, layers: frozenset[str]) -> Mapping[str, Tensor]:
    """The outputs of some layers, to two or three digits; their numbers are float32 again."""
    with torch.autocast("cpu", torch.bfloat16):
        found = observe(net, images, layers)
    return {layer: output.float() for layer, output in found.items()}


def suits(net: Network, layers: frozenset[str], probe: Image) -> bool:
    """Whether it is quicker for a network up to some layers, and comes out about the same.

    So for what consists of dense convolutions, on a processor that has instructions for it. The
    clock is not asked: a picture is to come out the same again.
    """
    if net.device.type != "cpu" or net.dtype != torch.float32 or not quick():
        return False
    try:
        with torch.no_grad():
            ran, exact = _ran(net, probe, layers)
        if not _dense(ran):
            return False
        with torch.enable_grad():
            image = probe.clone().requires_grad_()
            found = passed(net, image.clone(), layers)
            # Not every operation knows its way back in these numbers.
            torch.autograd.grad([output.sum() for output in found.values()], image)
    except (RuntimeError, ValueError, TypeError):
        return False
    return all(near(found[layer].detach(), exact[layer], CLOSE) for layer in layers)


@cache
def quick() -> bool:
    """Whether this machine's processor multiplies bfloat16 itself."""
    # torch 2.6 has none yet.
    told: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(told.get(name, False) for name in QUICK)


def _dense(parts: Sequence[nn.Module]) -> bool:
    convolutions = [part for part in parts if isinstance(part, nn.Conv2d | nn.ConvTranspose2d)]
    slow = any(isinstance(part, SLOW) for part in parts)
    return bool(convolutions) and not slow and all(part.groups == 1 for part in convolutions)


def _ran(
    net: Network, probe: Image, layers: frozenset[str]
) -> tuple[list[nn.Module], Mapping[str, Tensor]]:
    """The parts that run up to some layers, and what these make of it."""
    ran: list[nn.Module] = []
    handles = [
        part.register_forward_pre_hook(lambda part, _given: ran.append(part))
        for part in net.module.modules()
    ]
    try:
        return ran, observe(net, probe.clone(), layers)
    finally:
        for handle in handles:
            handle.remove()
