"""Ablation-CAM: each channel weighed by what the target loses without it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import partial
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.batches import TOLERANCE, Batches, fitting
from pellucid.explain.evidence import Evidence
from pellucid.layers import Layer
from pellucid.layout import Layout
from pellucid.method import Step
from pellucid.question import Question
from pellucid.record import base, watching
from pellucid.returned import first_tensor, replaced
from pellucid.see.readings import rounding

# In the inputs of one forward pass, or in the layer: more is no faster, and takes memory.
MOST_NUMBERS = {"cpu": 2_500_000, "cuda": 20_000_000, "mps": 10_000_000}


def ablationcam(
    asked: Question, one: Evidence
) -> Generator[
    Step, None, tuple[Float[Tensor, "photos targets h w"], Bool[Tensor, "photos targets"]]
]:
    """Ablation-CAM (Desai & Ramaswamy 2020): no gradient, a forward pass for each channel.

    ReLU Σₖ wₖ Aₖ, with wₖ what the target's value (for a class the score) loses when all places of
    the channel are set to zero. A channel that is zero already loses nothing and needs no pass.

    The paper divides by the value itself. That changes only the brightness of a map where the value
    is positive; near zero it means nothing, and where it is negative it turns for into against. So
    it is left out, and the weights are in units of the value.

    Returns:
        The maps, and which of them are zero because no channel makes a difference.
    """
    layer = asked.net.layer(one.layer)
    live = (one.maps != 0).any(3).any(2)
    total, done = int(live.sum()), 0
    result = one.maps.new_zeros(len(one.maps), len(asked.targets), *one.maps.shape[2:])
    still = torch.zeros(result.shape[:2], dtype=torch.bool)
    once = bool(total) and _once(asked, layer, one)
    numbers = one.maps[0].numel() if once else asked.inputs[0].numel()
    size = fitting(asked.inputs.device, numbers, MOST_NUMBERS)
    for row in range(len(one.maps)):
        channels = live[row].nonzero()[:, 0].tolist()
        found: list[Tensor] = []
        work = Batches(channels, size)
        for some in work:
            try:
                # Not around the loop: a `yield` inside would put the caller in this mode too.
                with torch.no_grad():
                    values = _without(asked, layer, row, some, once)
                    alone = partial(_alone, asked, layer, row, some[:1])
                    if work.mixed(some, values[:, 0], alone):
                        continue
            except Exception as error:
                work.again(some, error)
                continue
            found.append(values.to(one.maps.dtype))
            done += len(some)
            yield Step(done, total, "Ablation-CAM")
        size = work.size
        if found:
            with torch.no_grad():
                whole = _without(asked, layer, row, [], once).to(one.maps.dtype)
            lost = whole - torch.cat(found, 1)
            least = rounding(whole[:, 0], asked.net.dtype)
            still[row] = (lost.abs().amax(1) <= least).cpu()
            lost = lost * ~still[row, :, None].to(lost.device)
            result[row] = torch.einsum("tc,chw->thw", lost, one.maps[row, channels]).relu()
        else:
            still[row] = True
    return result, still


def _once(asked: Question, layer: Layer, one: Evidence) -> bool:
    """Whether the network takes copies that begin at the layer: in front of it all are the same.

    Found out with the two strongest channels, against a pass for each.
    """
    channels = one.maps[0].abs().sum((1, 2)).topk(min(2, one.maps.shape[1])).indices.tolist()
    try:
        with torch.no_grad():
            found = _without(asked, layer, 0, channels, True)
            wanted = [_without(asked, layer, 0, [channel], False) for channel in channels]
    except Exception:  # a network may be anything; its own errors are met again by the plain way
        return False
    far, near = TOLERANCE.get(found.dtype, TOLERANCE[torch.float32])
    return torch.allclose(found, torch.cat(wanted, 1), far, near)


def _alone(asked: Question, layer: Layer, row: int, some: list[int]) -> Float[Tensor, "targets"]:
    return _without(asked, layer, row, some, False)[:, 0]


def _without(
    asked: Question, layer: Layer, row: int, channels: Sequence[int], once: bool
) -> Float[Tensor, "targets copies"]:
    """The targets' values of a photo, in each copy of it without one of the channels.

    Args:
        channels: of the layer; none: of the photo as it is.
        once: whether the photo goes in but once and the copies are made at the layer.
    """

    def take(name: str, output: Any, inputs: Sequence[Any], in_place: bool) -> Any:
        tensor = first_tensor(output)
        if name != layer.name or tensor is None or not channels:
            return output
        less = _zeroed(tensor, layer.layout, channels)
        if not (in_place and any(tensor is given for given in inputs)):
            return replaced(output, tensor, less)
        # The caller may go on with the tensor that it handed in, not with what came back.
        if less.shape == tensor.shape:
            tensor.copy_(less)
        else:
            tensor.set_(less.untyped_storage(), 0, less.shape, less.stride())
        return output

    copies = max(1, len(channels))
    inputs = asked.inputs[row : row + 1].expand(1 if once else copies, -1, -1, -1)
    rows = torch.full((copies,), row, device=inputs.device)
    with watching(asked.net.module, take, {base(layer.name)}):
        return asked.values(inputs, rows)


def _zeroed(output: Tensor, layout: Layout, channels: Sequence[int]) -> Tensor:
    """Copies of a layer's output, each with one channel at zero, at all of its places.

    What a token without a place holds (a class token) stays: it is not in the map.
    """
    values = output.dequantize() if output.is_quantized else output
    copies = values.expand(len(channels), *values.shape[1:]).clone()
    layout.maps(copies)[range(len(channels)), list(channels)] = 0
    if not output.is_quantized:
        return copies
    return torch.quantize_per_tensor(copies, output.q_scale(), output.q_zero_point(), output.dtype)
