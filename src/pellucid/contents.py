"""Contents: all tensors that a module keeps, however it keeps them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from pellucid.errors import PellucidError

# For what cannot be read: another in every run, so that two that may differ never seem the same.
_UNREADABLE = torch.tensor(secrets.randbits(63))


@dataclass(frozen=True)
class Contents:
    """The tensors of a module, by name.

    Attributes:
        tensors: its state, then buffers that are not saved with it, then the constants of
            TorchScript; dense, with plain numbers. What is quantised or packed for a kernel comes
            as its parts: numbers, scales, zero points, bias.
        steady: whether these are the very tensors that the module computes with, so that what they
            show of themselves is true of it; parts are copies.
    """

    tensors: dict[str, Tensor]
    steady: bool

    @classmethod
    def of(cls, module: nn.Module) -> Contents:
        """Those of a module and all of its parts."""
        tensors: dict[str, Tensor] = {}
        steady = True
        for name, kept in _kept(module):
            parts = dict(_parts(name, kept))
            steady &= parts.get(name) is kept
            tensors |= parts
        return cls(tensors, steady)


def check_values(module: nn.Module, name: str) -> None:
    """Refuses a module whose weights have no values.

    Args:
        name: its own, for the message.

    Raises:
        PellucidError: lazy layers that have not run yet, or weights on the meta device.
    """
    if any(isinstance(weight, UninitializedParameter) for weight in module.parameters()):
        raise PellucidError(
            f"{name} has lazy layers, which have no weights before the first pass: run it once, "
            f"then give it"
        )
    if any(tensor.is_meta for tensor in chain(module.parameters(), module.buffers())):
        raise PellucidError(
            f"{name} is on the meta device, where weights have shapes and no values: make it on a "
            f"real one, or give it room by to_empty(device='cpu') and then its weights"
        )


def _kept(module: nn.Module) -> Iterator[tuple[str, Any]]:
    """Whatever may hold tensors, by name."""
    for name, value in module.state_dict().items():
        # A module may keep other things in its state.
        if isinstance(value, Tensor | torch.ScriptObject | tuple | list):
            yield name, value
    scripts: list[str] = []
    for path, part in module.named_modules():
        for name in sorted(getattr(part, "_non_persistent_buffers_set", ())):
            buffer = part._buffers.get(name)
            if buffer is not None:
                yield f"{path}.{name}".lstrip("."), buffer
        # The graph of a script has those of its parts in it.
        within = any(not outer or path.startswith(f"{outer}.") for outer in scripts)
        if isinstance(part, torch.jit.ScriptModule) and not within:
            scripts.append(path)
            for number, value in enumerate(_written(part)):
                yield f"{path}#{number}", value


def _written(script: torch.jit.ScriptModule) -> list[Any]:
    """What TorchScript has outside of its state: all weights where it was frozen, packed ones."""
    if not script._c._has_method("forward"):
        return []
    graph = script.inlined_graph
    known: dict[str, Any] = {next(graph.inputs()).debugName(): script._c}
    found: list[Any] = []
    for node in _nodes(graph):
        if node.hasAttribute("value"):
            tensor = node.kindOf("value") == "t"  # one laid out for a kernel is no value of Python
            found.append(node.t("value") if tensor else node.output().toIValue())
        elif node.kind() == "prim::GetAttr" and node.input().debugName() in known:
            value = known[node.input().debugName()].getattr(node.s("name"))
            known[node.output().debugName()] = value
            # Tensors are in its state, and its parts are asked for theirs.
            if not isinstance(value, Tensor | torch._C.ScriptModule):
                found.append(value)
    # Numbers are steps and sizes, but beside packed weights also the scales of what is quantised.
    if any(isinstance(one, torch.ScriptObject) for one in found):
        return found
    # What is traced has the 2 of `x * 2` as a tensor without axes; what is frozen has all so.
    axes = 1 if script.state_dict() else 0
    return [one for one in found if _has_tensor(one, axes)]


def _has_tensor(value: Any, axes: int) -> bool:
    if isinstance(value, list):
        return any(_has_tensor(one, axes) for one in value)
    return isinstance(value, Tensor) and value.ndim >= axes


def _nodes(block: Any) -> Iterator[Any]:
    for node in block.nodes():
        yield node
        for inner in node.blocks():
            yield from _nodes(inner)


def _parts(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    """The tensors in something, and the numbers as tensors."""
    if isinstance(value, Tensor):
        yield from _plain(name, value)
    elif isinstance(value, torch.ScriptObject):
        try:
            inside = value.__getstate__()
        except RuntimeError:
            inside = _UNREADABLE
        yield from _parts(f"{name}.packed", inside)
    elif isinstance(value, tuple | list):
        for number, part in enumerate(value):
            yield from _parts(f"{name}.{number}", part)
    elif type(value) in (int, float):
        yield name, torch.tensor(value, dtype=torch.float64)


def _plain(name: str, value: Tensor) -> Iterator[tuple[str, Tensor]]:
    if value.is_quantized:
        yield name + ".numbers", value.int_repr()
        if value.qscheme() in (torch.per_tensor_affine, torch.per_tensor_symmetric):
            scale, zero = torch.tensor(value.q_scale()), torch.tensor(value.q_zero_point())
        else:
            scale, zero = value.q_per_channel_scales(), value.q_per_channel_zero_points()
        yield from ((name + ".scale", scale), (name + ".zero", zero))
    elif value.layout != torch.strided:
        yield name + ".dense", value.to_dense()
    else:
        yield name, value
