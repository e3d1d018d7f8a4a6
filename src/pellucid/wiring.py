"""Wiring: which layer reads which, group within group, from one pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from pellucid.fields.sight import shape_only
from pellucid.fields.tracing import rule_for
from pellucid.network import Network
from pellucid.record import watching

OUTSIDE = ""  # in a wire: the photo at its beginning, the network's output at its end
JOINS = {"add": "+", "sub": "-", "mul": "×", "div": "÷", "cat": "cat", "stack": "stack"}
# Operations that networks call as functions, and that a drawing should have.
POOLS = {
    "max_pool2d_with_indices": "max pool", "avg_pool2d": "average pool",
    "_adaptive_avg_pool2d": "average pool", "mean": "mean",
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A layer, a group of them, or an operation between them.

    Attributes:
        name: that of a layer in `Network.layers`; of an operation a name that no layer has.
        inside: the group that it belongs to; "" is the network.
        sign: of an operation what it does, such as "+"; empty for a layer.
        group: whether it has parts.
    """

    name: str
    inside: str = ""
    sign: str = ""
    group: bool = False


@dataclass(frozen=True)
class Wiring:
    """Which layer reads which.

    Attributes:
        parts: by name, in the order in which they finish; the network itself is not among them.
        wires: from a part without parts to one that reads it; `OUTSIDE` at both ends.
        followed: whether the wires are known; else each reads the one before it, as far as we know.
    """

    parts: dict[str, Part]
    wires: tuple[tuple[str, str], ...]
    followed: bool = True

    def of(self, group: str) -> list[str]:
        """Names of a group's own parts, in order."""
        return [part.name for part in self.parts.values() if part.inside == group]


def wiring(net: Network) -> Wiring:
    """Which layer reads which, found by following a blank input through the network.

    Each tensor carries the name of the part that it comes from; an operation that reads tensors of
    several parts becomes a part of its own: a sum, a concatenation. What has no part of its own,
    such as a reshaping, hands the name on. Of a network that cannot be followed (TorchScript) the
    order of its layers is all that is told.

    Example:
        >>> found = wiring(pl.load("resnet18", weights="random"))
        >>> found.of("layer1.0")
        ['layer1.0.conv1', 'layer1.0.bn1', 'layer1.0.relu', …, '+ 1', 'layer1.0.relu#2']
    """
    devices = [net.device] if net.device.type == "cuda" else []
    image = net.blank()
    trace = _Trace(image)
    module = net.module
    # Not inference mode, even if the caller is in it: there torch hides operations inside larger
    # ones.
    with (
        torch.inference_mode(False), torch.no_grad(), net.at_rest(), torch.random.fork_rng(devices),
        _beginning(module, trace), watching(module, trace.take), trace,
    ):  # fmt: skip
        module(image)
    if all(part.sign for part in trace.parts.values()):  # no call of a layer was seen
        return _in_a_row(net)
    return trace.found()


class _Trace(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows names from tensor to tensor."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.origin: Any = WeakTensorKeyDictionary()
        self.origin[image] = OUTSIDE
        self.parts: dict[str, Part] = {}
        self.reads: dict[str, list[str]] = {}
        self.ends: list[str] = []
        self.line: list[str] = []  # finished parts that are in no finished group yet
        self.begun: list[int] = []  # of each running call the length of the line at its start

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here; to make sure of it, torch would import itself for seconds."""
        return False

    def take(self, name: str, output: Any, inputs: Any, _in_place: bool) -> Any:
        """A call of a layer has ended."""
        start = len(self.line) if name.endswith("()") or "()#" in name else self.begun.pop()
        inside = self.line[start:]
        if any(not self.parts[one].sign for one in inside):
            for one in inside:
                self.parts[one] = replace(self.parts[one], inside=name)
            if name:
                self.parts[name] = Part(name, group=True)
                self.line[start:] = [name]
        elif name:
            origins = self._origins(inputs)
            # Operations inside of a layer without parts are its own; it reads what they read.
            within = {one: self.reads.pop(one) for one in inside}
            for one in reversed(inside):
                del self.parts[one]
                origins = [new for old in origins for new in (within[one] if old == one else [old])]
            self.line[start:] = []
            self._add(Part(name), list(dict.fromkeys(origins)), output)
        if not name:
            self.ends = self._origins(output)
        return output

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        origins = self._origins((args, kwargs or {}))
        if origins and rule_for(func) is not shape_only:
            name = func.__name__.split(".")[0].rstrip("_")
            if len(origins) > 1 or name in POOLS:
                sign = JOINS.get(name) or POOLS.get(name) or name.strip("_").replace("_", " ")
                self._add(Part(f"{sign} {len(self.reads)}", sign=sign), origins, output)
            else:
                for tensor in _tensors(output):
                    self.origin[tensor] = origins[0]
        return output

    def found(self) -> Wiring:
        """Parts and wires, without operations that nothing comes of."""
        read = {name for origins in self.reads.values() for name in origins} | set(self.ends)
        for name in reversed(list(self.parts)):
            if self.parts[name].sign and name not in read:
                del self.parts[name], self.reads[name]
                read = {one for origins in self.reads.values() for one in origins} | set(self.ends)
        wires = [(old, new) for new, origins in self.reads.items() for old in origins]
        wires += [(old, OUTSIDE) for old in self.ends]
        return Wiring(self.parts, tuple(wires))

    def _add(self, part: Part, origins: list[str], output: Any) -> None:
        self.parts[part.name] = part
        self.reads[part.name] = origins
        self.line.append(part.name)
        for tensor in _tensors(output):
            self.origin[tensor] = part.name

    def _origins(self, values: Any) -> list[str]:
        known = (self.origin.get(tensor) for tensor in _tensors(values))
        return list(dict.fromkeys(one for one in known if one is not None))


def _in_a_row(net: Network) -> Wiring:
    names = [layer.name for layer in net.layers.values() if layer.name and layer.leaf]
    wires = zip([OUTSIDE, *names], [*names, OUTSIDE], strict=True)
    return Wiring({name: Part(name) for name in names}, tuple(wires), followed=False)


@contextmanager
def _beginning(module: nn.Module, trace: _Trace) -> Iterator[None]:
    """Tells of the start of every call whose end `watching` tells of."""

    def begin(_part: nn.Module, _inputs: Any) -> None:
        trace.begun.append(len(trace.line))

    with ExitStack() as stack:
        for part in module.modules():
            if not isinstance(part, torch.jit.ScriptModule):
                stack.callback(part.register_forward_pre_hook(begin).remove)
        yield


def _tensors(part: Any) -> Iterator[Tensor]:
    if isinstance(part, Tensor):
        yield part
    elif isinstance(part, dict):
        yield from _tensors(list(part.values()))
    elif isinstance(part, list | tuple):
        for item in part:
            yield from _tensors(item)
