"""Footprints: all that a method could leave changed in a network, and in torch."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from torch.nn.modules import module as globally

from pellucid.network import Network


def state(net: Network) -> dict[str, Any]:
    """What is there now; see `same`."""
    hooks = [
        (name, key, list(value.items()))
        for name, part in net.module.named_modules()
        for key, value in vars(part).items()
        if "hooks" in key and hasattr(value, "items")
    ]
    return {
        "weights": Network(net.module).weights_hash,
        "training": [part.training for part in net.module.modules()],
        "requires_grad": [weight.requires_grad for weight in net.module.parameters()],
        "grad": [weight.grad for weight in net.module.parameters()],
        "grad values": [
            None if weight.grad is None else weight.grad.sum().item()
            for weight in net.module.parameters()
        ],
        "hooks": hooks,
        "global hooks": [
            len(value)
            for name, value in vars(globally).items()
            if name.endswith("_hooks") and value
        ],
        "attributes": [sorted(vars(part)) for part in net.module.modules()],
        "modes": (
            torch.is_grad_enabled(),
            torch.is_inference_mode_enabled(),
            torch._C._len_torch_function_stack(),
            torch.backends.cudnn.deterministic,
            torch.backends.cudnn.benchmark,
            torch.backends.cudnn.enabled,
            torch.backends.cudnn.allow_tf32,
            torch.get_float32_matmul_precision(),
        ),
        "random": [
            torch.get_rng_state().tolist(),
            [one.tolist() for one in torch.cuda.get_rng_state_all()],
            str(np.random.get_state()),
            random.getstate(),
        ],
    }


def same(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Fails where two states differ, and says in what."""
    for what, was in before.items():
        if what == "grad":
            assert all(a is b for a, b in zip(was, after[what], strict=True)), what
        else:
            assert was == after[what], what
