"""recording(): activations of named layers, taken inside a `with`, nothing left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.autograd import grad_mode
from torch.overrides import TorchFunctionMode

from pellucid.errors import PellucidError, Unknown
from pellucid.notebook import table
from pellucid.returned import first_tensor, replaced

if TYPE_CHECKING:
    from pellucid.network import Network

# Activations that networks call as functions; named "<module>.<function>()".
FUNCTIONS = (
    "relu", "relu6", "leaky_relu", "prelu", "elu", "selu", "celu", "gelu", "silu", "mish",
    "hardtanh", "hardswish", "hardsigmoid", "sigmoid", "softplus", "tanh", "softmax",
)  # fmt: skip


class _Enough(Exception):
    """Raised inside the network once every layer that its recording asks for has been seen."""


class Recording(dict[str, Tensor]):
    """Outputs by layer name, as the network computed them: part of the graph, never overwritten.

    Quantised ones are dequantised, for torch can hardly compute with them.
    Take gradients of a later value with respect to them by `torch.autograd.grad(value,
    recording[name])`, inside the `with` or after it.
    """

    def __repr__(self) -> str:
        parts = (f"{name or '(the network)'} {tuple(kept.shape)}" for name, kept in self.items())
        return f"<Recording {', '.join(parts)}>"

    def _repr_html_(self) -> str:
        columns = ("layer", "shape", "lowest", "mean", "highest", "zero")
        rows = ((name or "(the network)", *_numbers(kept)) for name, kept in self.items())
        return table("recorded", columns, rows, right=columns[1:])

    def __missing__(self, name: str) -> Tensor:
        raise PellucidError(f"layer {name!r} was not reached in this forward pass")


def _numbers(kept: Tensor) -> tuple[str, ...]:
    shape = " x ".join(map(str, kept.shape))
    if not kept.numel():
        return shape, "", "", "", ""
    values = kept.detach().float()
    ends = (values.min(), values.mean(), values.max())
    return (
        shape,
        *(f"{float(end):.3g}" for end in ends),
        f"{float((values == 0).float().mean()):.0%}",
    )


@contextmanager
def recording(
    module: nn.Module | Network, layers: Sequence[str], *, stop: bool = True, leaves: bool = False
) -> Iterator[Recording]:
    """Records the outputs of layers while the network runs inside the `with`.

    A layer that is called again within one pass is "name#2", "name#3", …; an activation called as
    a function inside a module is "name.relu()" (a second one "name.relu()#2"). The network goes
    on with a copy of what is recorded, so that in-place operations behind a layer do not change it.

    Args:
        module: the network, with or without its preprocessing.
        layers: dotted names; "" is the network's own output.
        stop: end the pass as soon as every layer has been seen; what follows the call inside the
            `with` is then skipped. Leave it off to use the network's output.
        leaves: begin the graph at these layers where it has not begun before: frozen weights and
            inputs ask for none, and what is in front of the layers then keeps no memory for it.

    Example:
        >>> with recording(net, ["layer3"]) as seen:
        ...     net(x)
        >>> seen["layer3"].shape
        torch.Size([1, 256, 14, 14])

    Raises:
        PellucidError: no such layer.
    """
    if not isinstance(module, nn.Module):
        module = module.module
    wanted = set(layers)
    known = dict(module.named_modules(remove_duplicate=False))
    for name in wanted:
        if not base(name).endswith("()") and base(name) not in known:
            raise Unknown("layer", name, known)
        if isinstance(known.get(base(name)), torch.jit.ScriptModule):
            raise PellucidError(f"layer {name!r} is TorchScript, which cannot be looked into")
    seen = Recording()
    enough = _Enough()

    def take(name: str, output: Any, inputs: Inputs, in_place: bool) -> Any:
        if name not in wanted or name in seen:
            return output
        tensor = first_tensor(output)
        if tensor is None:
            raise PellucidError(f"layer {name!r} does not put out a tensor")
        handed_in = any(tensor is given for given in inputs)
        shared = any(_same_memory(tensor, given) for given in inputs)
        kept = tensor.clone() if shared else tensor
        seen[name] = kept.dequantize() if tensor.is_quantized else kept
        if leaves and torch.is_grad_enabled() and tensor.is_floating_point():
            seen[name].requires_grad_()
        if stop and len(seen) == len(wanted):
            raise enough
        if tensor.is_quantized:
            return output
        if handed_in and in_place:
            # The caller may go on with the tensor that it handed in, not with what came back:
            # make that very tensor a copy of the record, so that gradients pass through it. Its
            # numbers stay, so what the backward pass has kept of it stays right.
            if not tensor.is_inference():
                with grad_mode._unsafe_preserve_version_counter(tensor):
                    tensor.copy_(seen[name])
            return output
        return replaced(output, tensor, seen[name].clone())

    with watching(module, take, {base(name) for name in wanted}):
        try:
            yield seen
        except _Enough as reached:
            if reached is not enough:  # of a recording around this one
                raise


Inputs = Sequence[Any]
# Called with a name, an output, the inputs, and whether the call changed its input in place; gives
# the output that the network goes on with.
Take = Callable[[str, Any, Inputs, bool], Any]


@contextmanager
def watching(module: nn.Module, take: Take, names: set[str] | None = None) -> Iterator[None]:
    """Calls `take` for every call of a layer inside the `with`, in the order of computing.

    Args:
        module: the network.
        take: sees the name (with "#2" and so on) and may replace the output.
        names: only these layers, without "#2"; None: all, and all activation functions.
    """
    calls: dict[str, int] = {}

    def numbered(name: str, output: Any, inputs: Inputs, in_place: bool) -> Any:
        calls[name] = calls.get(name, 0) + 1
        full = name if calls[name] == 1 else f"{name}#{calls[name]}"
        return take(full, output, inputs, in_place)

    def start(_module: nn.Module, _inputs: Any) -> None:
        calls.clear()

    modules = dict(module.named_modules(remove_duplicate=False))
    functions = names is None or any(name.endswith("()") for name in names)
    first_names: dict[nn.Module, str] = {}
    for name, part in modules.items():
        if not isinstance(part, torch.jit.ScriptModule):  # TorchScript takes no hooks
            first_names.setdefault(part, name)
    # A module that sits in two places has two names; in a full list it goes by its first.
    shown = [(part, name) for part, name in first_names.items()]
    if names is not None:
        shown = [(modules[name], name) for name in sorted(names) if name in modules]
    with ExitStack() as stack:
        if not isinstance(module, torch.jit.ScriptModule):
            stack.enter_context(_removed(module.register_forward_pre_hook(start)))
        if functions:
            mode = _Functions(numbered)
            for part, name in first_names.items():
                stack.enter_context(_removed(part.register_forward_pre_hook(mode.enter(name))))
                leave = part.register_forward_hook(mode.leave(name), always_call=True)
                stack.enter_context(_removed(leave))
            stack.enter_context(mode)
        for part, name in shown:
            call = _Call(name, numbered)
            before = part.register_forward_pre_hook(call.begin, with_kwargs=True)
            stack.enter_context(_removed(before))
            after = part.register_forward_hook(call.end, with_kwargs=True)
            stack.enter_context(_removed(after))
        yield


class _Call:
    """Sees the calls of one module, and whether they change their input in place."""

    def __init__(self, name: str, take: Take) -> None:
        self.name = name
        self.take = take
        self.versions: dict[int, int] = {}

    def begin(self, _module: nn.Module, args: Any, kwargs: Any) -> None:
        self.versions = {id(given): _version(given) for given in (*args, *kwargs.values())}

    def end(self, _module: nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
        tensor = first_tensor(output)
        in_place = tensor is not None and _version(tensor) != self.versions.get(id(tensor), -1)
        return self.take(self.name, output, (*args, *kwargs.values()), in_place)


class _Functions(TorchFunctionMode):
    """Sees activations called as functions; those of activation modules are the modules' own."""

    def __init__(self, take: Take) -> None:
        super().__init__()
        self.take = take
        self.inside: list[tuple[str, bool]] = []

    def enter(self, name: str) -> Callable[..., None]:
        def note(part: nn.Module, _inputs: Any) -> None:
            self.inside.append((name, type(part).__module__ == "torch.nn.modules.activation"))

        return note

    def leave(self, name: str) -> Callable[..., None]:
        def note(_module: nn.Module, _inputs: Any, _output: Any) -> None:
            # Called also after a crash in somebody's hook before `enter` was reached.
            if self.inside and self.inside[-1][0] == name:
                self.inside.pop()

        return note

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        inputs = (*args, *(kwargs or {}).values())
        output = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "").rstrip("_")
        if name not in FUNCTIONS or not self.inside or self.inside[-1][1]:
            return output
        inside = self.inside[-1][0]
        in_place = any(output is given for given in inputs)
        return self.take(f"{inside}.{name}()" if inside else f"{name}()", output, inputs, in_place)


@contextmanager
def _removed(handle: torch.utils.hooks.RemovableHandle) -> Iterator[None]:
    try:
        yield
    finally:
        handle.remove()


def _version(tensor: Any) -> int:
    """How often a tensor was changed in place; 0 where nobody counts (inference mode)."""
    counted = isinstance(tensor, Tensor) and not tensor.is_inference()
    return tensor._version if counted else 0


def _same_memory(tensor: Tensor, given: Any) -> bool:
    """Whether a change of one in place may change the other."""
    if tensor is given:
        return True
    if not isinstance(given, Tensor) or {tensor.layout, given.layout} != {torch.strided}:
        return False
    return tensor.untyped_storage().data_ptr() == given.untyped_storage().data_ptr() != 0


def base(name: str) -> str:
    """A layer's name without the "#2" of a later call."""
    head, mark, number = name.rpartition("#")
    return head if mark and number.isdigit() else name
