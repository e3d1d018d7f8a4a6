"""capture(): writes down the operations of a network while it answers."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from pellucid.see.incremental.graph import Graph, Node, Ref, Refused

# Their values depend on the shape of what they are given, not on its numbers.
FACTORIES = {
    "new_zeros", "new_ones", "new_full", "new_empty", "zeros_like", "ones_like", "full_like",
    "empty_like",
}  # fmt: skip
LOOKS = {"_local_scalar_dense", "item", "is_nonzero", "equal", "nonzero", "masked_select", "unique"}


def capture(
    values: Callable[[Tensor], Tensor], inputs: Tensor, module: nn.Module, lots: bool = False
) -> tuple[Graph, Tensor]:
    """The graph of a function of `IMAGES` photos, and its values for them.

    Every operation is seen where torch sends it to a device, so that modules, functions, methods,
    operations in place and modules used twice all look alike.

    Args:
        values: (batch, …) from the network's inputs, using the module.
        inputs: `IMAGES` photos.
        module: whose parts give the operations their names.
        lots: whether it may draw random numbers; what depends on the photo is then drawn anew when
            it is carried out again.

    Raises:
        Refused: the answer depends on something that is not seen, or mixes the photos of a batch.
    """
    if any(isinstance(part, torch.jit.ScriptModule) for part in module.modules()):
        raise Refused("TorchScript cannot be looked into")
    state = _random_state(inputs.device)
    with torch.inference_mode(), _named(module) as names:
        writing = _Writing(inputs.clone(), names)
        with writing:
            answer = values(writing.inputs)
    if not lots and not torch.equal(state, _random_state(inputs.device)):
        raise Refused("the network draws random numbers")
    writing.graph.output = writing.number(answer)
    return writing.graph.pruned(), answer


class _Writing(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Writes down what happens to the tensors that depend on the input."""

    def __init__(self, inputs: Tensor, names: list[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.inputs = inputs
        self.names = names
        self.graph = Graph(shapes={0: tuple(inputs.shape)})
        self.known: dict[int, int] = {}  # from the identity of a tensor to the number of its value
        self.inside: dict[int, set[int]] = {}  # which of them lie in one memory
        self.deaths: dict[int, weakref.ref[Tensor]] = {}
        self.constants: dict[int, Tensor] = {}
        self.stale: set[int] = set()
        self.count = 0
        self._know(inputs, 0)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here; to make sure of it, torch would import itself for seconds."""
        return False

    def number(self, tensor: Any) -> int:
        """The number of a tensor's present value."""
        if id(tensor) not in self.known:
            raise Refused("the answer is not computed by torch from the photo alone")
        if id(tensor) in self.stale:
            raise Refused("a part of a tensor is changed in place")
        return self.known[id(tensor)]

    def _know(self, tensor: Tensor, number: int) -> None:
        """From now until its death a tensor has the value of that number.

        It is not kept, or the values of all layers would be in memory at once. When it dies it is
        forgotten, for another may take its place, and what it lay in.
        """
        own, memory = id(tensor), _memory(tensor)
        self.known[own] = number
        self.inside.setdefault(memory, set()).add(own)
        if own in self.deaths:
            return

        def forget(_death: weakref.ref[Tensor]) -> None:
            del self.known[own], self.deaths[own]
            self.inside[memory].discard(own)
            self.stale.discard(own)

        self.deaths[own] = weakref.ref(tensor, forget)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func.__name__.split(".")[0]
        given = list(_tensors((args, kwargs)))
        written = _written(func, args, kwargs)
        if any(id(tensor) in self.constants for tensor in written):
            raise Refused("a tensor that was used before is changed in place")
        if not any(id(part) in self.known for part in given) or name in FACTORIES:
            return func(*args, **kwargs)
        if name in LOOKS:
            raise Refused("what is computed depends on the numbers themselves")
        if written and id(written[0]) not in self.known:
            raise Refused("the photo's values are written into a tensor of another making")
        # Before the call: after it an argument may stand for another value.
        template = self._template(args), self._template(kwargs)
        output = func(*args, **kwargs)
        outputs = [output] if isinstance(output, Tensor) else list(output)
        if written:
            func = _functional(func)
            self.stale |= self.inside[_memory(written[0])]  # they have changed behind our back
            self.stale.discard(id(written[0]))
            outputs = written
        elif len(outputs) == 1 and any(outputs[0] is part for part in given):
            return output  # nothing was done, as by a dropout at rest
        elif name == "clone" and id(given[0]) in self.known:
            self._know(output, self.number(given[0]))  # the same value in other memory
            return output
        self._note(func, template, [] if written else given, outputs)
        return output

    def _note(
        self, func: Any, template: tuple[Any, Any], given: list[Tensor], outputs: list[Any]
    ) -> None:
        outs = []
        for tensor in outputs:
            number = self.count = self.count + 1
            outs.append(number)
            if isinstance(tensor, Tensor):
                self.graph.shapes[number] = tuple(tensor.shape)
                self._know(tensor, number)
        made = {_memory(tensor) for tensor in outputs if isinstance(tensor, Tensor)}
        views = bool(made & {_memory(part) for part in given})
        where = self.names[-1] if self.names else ""
        self.graph.nodes.append(Node(func, *template, tuple(outs), where, views))

    def _template(self, part: Any) -> Any:
        if isinstance(part, Tensor):
            if id(part) in self.known:
                return Ref(self.number(part))
            self.constants[id(part)] = part
            return part
        if isinstance(part, list | tuple):
            return type(part)(self._template(item) for item in part)
        if isinstance(part, dict):
            return {key: self._template(item) for key, item in part.items()}
        return part


def _written(func: Any, args: Any, kwargs: Any) -> list[Tensor]:
    """The tensors that an operator changes."""
    found = []
    for place, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            value = args[place] if place < len(args) else kwargs.get(argument.name)
            found += list(_tensors(value))
    return found


def _functional(func: Any) -> Any:
    """The operator that gives a new tensor where this one changes its first argument."""
    name, _, overload = str(func.__name__).partition(".")
    packet = getattr(torch.ops.aten, name.removesuffix("_"), None)
    if not name.endswith("_") or packet is None or overload not in packet.overloads():
        raise Refused(f"{name} changes a tensor in a way of its own")
    return getattr(packet, overload)


def _tensors(part: Any) -> Iterator[Tensor]:
    if isinstance(part, Tensor):
        yield part
    elif isinstance(part, list | tuple):
        for item in part:
            yield from _tensors(item)
    elif isinstance(part, dict):
        yield from _tensors(tuple(part.values()))


def _memory(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _random_state(device: torch.device) -> Tensor:
    state = torch.get_rng_state()
    if device.type == "cuda":
        state = torch.cat([state, torch.cuda.get_rng_state(device)])
    return state


@contextmanager
def _named(module: nn.Module) -> Iterator[list[str]]:
    """The dotted names of the modules that are being called, the innermost last."""
    names: list[str] = []

    def enter(name: str) -> Callable[..., None]:
        return lambda _part, _inputs: names.append(name or "forward")

    def leave(_part: nn.Module, _inputs: Any, _output: Any) -> None:
        if names:  # called also after a crash in somebody's hook before `enter` was reached
            names.pop()

    with ExitStack() as stack:
        for name, part in module.named_modules():
            before = part.register_forward_pre_hook(enter(name), prepend=True)
            stack.callback(before.remove)
            after = part.register_forward_hook(leave, always_call=True)
            stack.callback(after.remove)
        yield names
