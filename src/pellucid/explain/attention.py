"""Attention: weights from token to token, seen while the network computes them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import sqrt
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

Weights = Float[Tensor, "images heads queries keys"]


@contextmanager
def attending(take: Callable[[Weights], None], images: int | None = None) -> Iterator[None]:
    """Calls `take` with the weights of every attention inside the `with`, as they are computed.

    Networks compute attention in three ways, and all are seen: `nn.MultiheadAttention`
    (torchvision), `scaled_dot_product_attention`, which never writes the weights down (timm,
    Hugging Face), and a softmax over the last of four axes or more (Swin, MaxViT). The fused
    kernels of `nn.TransformerEncoderLayer` are not used meanwhile. TorchScript, compiled code and
    kernels from elsewhere (xformers, flash-attn) are not seen.

    Args:
        images: in the batch. If given, a softmax over the last of three axes (images, tokens,
            tokens) is one head.
    """
    with _Attention(take, images):
        yield


class _Attention(TorchFunctionMode):
    def __init__(self, take: Callable[[Weights], None], images: int | None) -> None:
        super().__init__()
        self.take, self.images = take, images

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        # Inside of this function the mode is off: what a function calls is not seen twice.
        kwargs = kwargs or {}
        if func is F.multi_head_attention_forward:
            return self._multi_head(func, args, kwargs)
        output = func(*args, **kwargs)
        if func is F.scaled_dot_product_attention:
            self._seen(_by_heads(dot_product(*args, **kwargs)))
        elif getattr(func, "__name__", "") == "softmax" and output.ndim > 2:
            axis = kwargs.get("dim", args[1] if len(args) > 1 else None)
            if axis in (-1, output.ndim - 1) and (output.ndim > 3 or self._alone(output)):
                self._seen(output.flatten(0, -4) if output.ndim > 3 else output[:, None])
        return output

    def _multi_head(self, func: Any, args: Any, kwargs: Any) -> Any:
        given = inspect.signature(func).bind(*args, **kwargs)
        given.apply_defaults()
        wanted, averaged = (
            given.arguments[name] for name in ("need_weights", "average_attn_weights")
        )
        given.arguments.update(need_weights=True, average_attn_weights=False)
        output, weights = func(*given.args, **given.kwargs)
        self._seen(weights if weights.ndim == 4 else weights[None])
        if not wanted:
            return output, None
        return output, weights.mean(-3) if averaged else weights

    def _alone(self, weights: Tensor) -> bool:
        """Whether weights without an axis of heads go from token to token of the images."""
        # Heads or windows laid in one axis with the images cannot be told apart here.
        return len(weights) == self.images and weights.shape[1] == weights.shape[2]

    def _seen(self, weights: Tensor) -> None:
        # One key for all is no attention; squeeze-and-excite gates come as softmax, too.
        if weights.shape[-1] > 1:
            self.take(weights.detach())


def _by_heads(weights: Float[Tensor, "*lead queries keys"]) -> Weights:
    """With an axis of heads.

    Without one there is one head. Of further axes nobody knows which are heads and which windows:
    all go with the images, where they are seen to be more than those.
    """
    if weights.ndim == 4:
        return weights
    return weights.reshape(-1, 1, *weights.shape[-2:])


def dot_product(
    query: Float[Tensor, "*lead queries width"],
    key: Float[Tensor, "*more keys width"],
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Float[Tensor, "*lead queries keys"]:
    """softmax(Q Kᵀ / √d), the weights that `scaled_dot_product_attention` keeps to itself."""
    kind = torch.promote_types(query.dtype, torch.float32)
    query, key = query.detach().to(kind), key.detach().to(kind)
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
    logits = query @ key.mT * (1 / sqrt(query.shape[-1]) if scale is None else scale)
    if is_causal:
        ahead = torch.ones(logits.shape[-2:], dtype=torch.bool, device=logits.device).triu(1)
        logits = logits.masked_fill(ahead, -torch.inf)
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        logits = logits.masked_fill(~attn_mask, -torch.inf)
    elif attn_mask is not None:
        logits = logits + attn_mask.to(kind)
    return logits.softmax(-1)
