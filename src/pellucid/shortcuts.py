"""Shortcuts: what torch is slow at on a processor, done sooner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

POOLED_AT_ONCE = 400_000  # numbers; with what is made of them they stay in the cache
BESIDE = 8  # channels at least: as many as the processor compares at once
FEW = 4  # channels: those of a photo


@contextmanager
def shortcuts(module: nn.Module, inputs: Tensor) -> Iterator[None]:
    """Two operations of a pass with gradients take less time inside the `with`, also backwards.

    Max pooling: torch compares the numbers of one channel one by one, but those of many channels
    at once where they lie side by side; so they are laid side by side, some channels at a time. The
    numbers are the same, bit by bit. Down to the photo, the gradient of the first convolution:
    torch is made for many channels; for three it takes half the time or less as one multiplication
    of matrices, its products added up where they overlap, or, of a large kernel with a stride, as
    one convolution whose channels are the phases of the stride. Both add in another order.

    Other devices, what is compiled or written in TorchScript, and passes whose single operations
    somebody writes down are left alone.

    Args:
        module: the network.
        inputs: that it is given inside. Where they want no gradients nothing is done: while calls
            are intercepted, torch does not use its fused attention, which is for such passes.
    """
    watched = torch._C._len_torch_dispatch_stack()
    steep = torch.is_grad_enabled() and inputs.requires_grad
    if not steep or inputs.device.type != "cpu" or compiled(module) or watched:
        yield
        return
    with _Shortcuts():
        yield


def compiled(module: nn.Module) -> bool:
    """Whether it is run by `torch.compile`."""
    return hasattr(module, "_orig_mod") or bool(getattr(module, "_compiled_call_impl", None))


class _Shortcuts(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.conv2d:
            return _convolved(*args, **(kwargs or {}))
        if func is F.max_pool2d or func is torch.max_pool2d:
            return _pooled(func, *args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _suits(images: Any) -> bool:
    return (
        type(images) is Tensor
        and images.device.type == "cpu"
        and images.dtype in (torch.float32, torch.float64)
        and images.ndim == 4
        and images.numel() > 0
        and images.is_contiguous()
        and not torch._C._functorch.is_functorch_wrapped_tensor(images)
    )


def _pooled(func: Any, images: Any, kernel_size: Any, *args: Any, **kwargs: Any) -> Any:
    if not _suits(images) or args or kwargs.get("return_indices"):
        return func(images, kernel_size, *args, **kwargs)
    stride = kwargs.get("stride")
    settings = (
        _pair(kernel_size),
        _pair(kernel_size if stride is None or stride == [] else stride),
        _pair(kwargs.get("padding", 0)),
        _pair(kwargs.get("dilation", 1)),
        kwargs.get("ceil_mode", False),
    )
    if not (torch.is_grad_enabled() and images.requires_grad):
        return _greatest(images, settings, places=False)[0]
    pooled: Tensor = _Pooled.apply(images, *settings)
    return pooled


class _Pooled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, *settings: Any) -> Tensor:
        pooled, places = _greatest(images, settings, places=True)
        ctx.save_for_backward(images, places)
        ctx.settings = settings
        return pooled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        images, places = ctx.saved_tensors
        (gradient,) = gradients
        back = torch.ops.aten.max_pool2d_with_indices_backward
        return back(gradient.contiguous(), images, *ctx.settings, places), *[None] * 5


def _greatest(images: Tensor, settings: Any, places: bool) -> tuple[Tensor, Tensor]:
    """The greatest number of each window, and its place where that is asked for."""
    height, width = images.shape[2:]
    at_once = max(BESIDE, POOLED_AT_ONCE // (height * width) // BESIDE * BESIDE)
    pooled = found = torch.empty(0)
    for number in range(len(images)):
        image = images[number : number + 1]
        for first in range(0, images.shape[1], at_once):
            some = image[:, first : first + at_once]
            beside = some.contiguous(memory_format=torch.channels_last)
            best, where = torch.ops.aten.max_pool2d_with_indices(beside, *settings)
            if not pooled.numel():
                pooled = images.new_empty(*images.shape[:2], *best.shape[2:])
                found = where.new_empty(pooled.shape if places else 0)
            span = slice(first, first + at_once)
            pooled[number, span] = best[0]
            if places:
                found[number, span] = where[0]
    return pooled, found


def _convolved(
    images: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    suits = (
        _suits(images)
        and images.shape[1] <= FEW < len(weight)
        and groups == 1
        and torch.is_grad_enabled()
        and images.requires_grad
        and not weight.requires_grad
        and not (bias is not None and bias.requires_grad)
        and not isinstance(padding, str)
    )
    if not suits:
        return torch.conv2d(images, weight, bias, stride, padding, dilation, groups)
    settings = [_pair(size) for size in (stride, padding, dilation)]
    convolved: Tensor = _Convolved.apply(images, weight, bias, *settings)
    return convolved


class _Convolved(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, images: Tensor, weight: Tensor, bias: Tensor | None, *settings: list[int]
    ) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.size, ctx.settings = images.shape[2:], settings
        stride, padding, dilation = settings
        return torch.conv2d(images, weight, bias, stride, padding, dilation)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (weight,) = ctx.saved_tensors
        stride, padding, dilation = ctx.settings
        (gradient,) = gradients
        weight = weight.to(gradient.dtype)  # under autocast the way back has fewer digits
        overlap = min(-(-side // step) for side, step in zip(weight.shape[2:], stride, strict=True))
        if overlap > 2 and min(stride) > 1 and max(dilation) == 1:
            return _interleaved(gradient, weight, ctx.size, stride, padding), *[None] * 5
        across = weight.flatten(1).T
        back = [
            F.fold(across @ one.flatten(1), ctx.size, weight.shape[2:], dilation, padding, stride)
            for one in gradient  # one image at a time stays in the cache
        ]
        return torch.stack(back), *[None] * 5


def _interleaved(
    gradient: Tensor, weight: Tensor, size: tuple[int, int], stride: list[int], padding: list[int]
) -> Tensor:
    """The gradient of the pixels of every phase of the stride as one convolution's channels.

    With y[o] = sum over t of w[t] x[o s + t] and t = m s + r, dx[q s + r] is the sum over m of
    dy[q - m] w[m s + r]: for each r a convolution with every s-th weight, in reverse.
    """
    channels, (tall, wide), (down, across) = weight.shape[1], weight.shape[2:], stride
    rows, columns = -(-tall // down), -(-wide // across)
    whole = F.pad(weight, (0, columns * across - wide, 0, rows * down - tall))
    parts = whole.view(-1, channels, rows, down, columns, across).flip(2, 4)
    kernels = parts.permute(1, 3, 5, 0, 2, 4).reshape(-1, len(weight), rows, columns)
    found = F.conv2d(gradient, kernels, None, 1, (rows - 1, columns - 1))
    phases = found.view(len(gradient), channels, down, across, *found.shape[2:])
    pixels = phases.permute(0, 1, 4, 2, 5, 3).flatten(4, 5).flatten(2, 3)
    top, left = padding
    pixels = pixels[:, :, top : top + size[0], left : left + size[1]]
    # The last pixels may be in no window: nothing depends on them.
    return F.pad(pixels, (0, size[1] - pixels.shape[3], 0, size[0] - pixels.shape[2]))


def _pair(size: Any) -> list[int]:
    found = [size] if isinstance(size, int) else list(size)
    return found * 2 if len(found) == 1 else found
