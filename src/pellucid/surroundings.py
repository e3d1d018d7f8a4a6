"""Surroundings: modes and random numbers as a method needs them, the caller's untouched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from itertools import chain

import torch
from torch import Tensor, nn

from pellucid.checkpoints import without_checkpoints
from pellucid.shortcuts import compiled


@contextmanager
def plain(device: torch.device, exact: bool = True) -> Iterator[None]:
    """torch's own modes, whatever those of the caller: a recipe does not know of them.

    Args:
        exact: whether a GPU's convolutions keep all digits of their numbers, or three (TF32).
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        if torch.is_autocast_enabled(device.type):
            stack.enter_context(torch.autocast(device.type, enabled=False))
        if device.type == "cuda":
            stack.enter_context(_exact_products())
            # The same algorithm every time, not the fastest of the moment. (`flags` turns cuDNN off
            # unless told.)
            stack.enter_context(
                torch.backends.cudnn.flags(
                    enabled=True, deterministic=True, benchmark=False, allow_tf32=not exact
                )
            )
        yield


@contextmanager
def _exact_products() -> Iterator[None]:
    """Of matrices, on a GPU."""
    matmul = torch.backends.cuda.matmul
    # torch 2.9 has a new name for it, and does not tell the old one once the new one was used.
    new = hasattr(matmul, "fp32_precision")
    name, exact = ("fp32_precision", "ieee") if new else ("allow_tf32", False)
    was = getattr(matmul, name)
    setattr(matmul, name, exact)
    try:
        yield
    finally:
        setattr(matmul, name, was)


@contextmanager
def at_rest(module: nn.Module) -> Iterator[None]:
    """Evaluation mode and frozen weights inside the `with`; all as found after it.

    What is compiled runs as it was written: its layers are to be seen. What checkpoints its
    gradients keeps all that they need.
    """
    parts = list(module.modules())
    # TorchScript that was frozen has no mode any more, and no parameters. Setting an attribute
    # of a module takes long, so it is only done where there is something to change.
    training = [(part, part.training) for part in parts if hasattr(part, "training")]
    wanting = [
        weight
        for part in parts
        for weight in part._parameters.values()
        if weight is not None and weight.requires_grad
    ]
    eager = any(map(compiled, parts))
    try:
        for part, mode in training:
            if mode:
                part.training = False
        for weight in wanting:
            weight.requires_grad_(False)
        with (
            torch.compiler.set_stance("force_eager") if eager else nullcontext(),
            without_checkpoints(),
        ):
            yield
    finally:
        for part, mode in training:
            if part.training != mode:
                part.training = mode
        for weight in wanting:
            # One made in inference mode lets itself be changed there only.
            with torch.inference_mode(weight.is_inference()):
                weight.requires_grad_(True)


def settle(module: nn.Module, device: torch.device) -> None:
    """Evaluation mode, frozen weights, and all of it on a device, for good.

    By the single parts: TorchScript that was frozen and what torch.export made refuse to be asked
    as a whole, also where there is nothing to do.
    """
    for part in module.modules():
        if getattr(part, "training", False):
            part.training = False
        for weight in part._parameters.values():
            if weight is not None and weight.requires_grad:
                weight.requires_grad_(False)
    here = torch.empty(0, device=device).device
    if any(tensor.device != here for tensor in chain(module.parameters(), module.buffers())):
        module.to(device)


class Random:
    """torch's random numbers, one stream for the method, untouched for everybody else."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self.device = device
        self.seed = seed
        self.state: list[Tensor] = []

    @contextmanager
    def own(self) -> Iterator[None]:
        """The method's stream inside the `with`, the caller's after it."""
        callers = self._get()
        try:
            if self.state:
                self._set(self.state)
            else:
                self._begin()
            yield
            self.state = self._get()
        finally:
            self._set(callers)

    def _begin(self) -> None:
        torch.default_generator.manual_seed(self.seed)
        if self.device.type == "cuda":
            with torch.cuda.device(self.device):
                torch.cuda.manual_seed(self.seed)
        elif self.device.type == "mps":
            torch.mps.manual_seed(self.seed)

    def _get(self) -> list[Tensor]:
        state = [torch.get_rng_state()]
        if self.device.type == "cuda":
            state.append(torch.cuda.get_rng_state(self.device))
        elif self.device.type == "mps":
            state.append(torch.mps.get_rng_state())
        return state

    def _set(self, state: list[Tensor]) -> None:
        torch.set_rng_state(state[0])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(state[1], self.device)
        elif self.device.type == "mps":
            torch.mps.set_rng_state(state[1])
