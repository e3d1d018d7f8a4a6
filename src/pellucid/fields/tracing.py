"""Following an image through a network, operation by operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from pellucid.fields import sight as s
from pellucid.fields import windows as w
from pellucid.fields.axis import Axis
from pellucid.fields.sight import Call, Rule, Seen, Shape, Sight

# What each operation does to the sight of its input; operations that torch tags as pointwise need
# no line here, and an operation in neither place sees the whole image.
_TABLE: list[tuple[Rule, str]] = [
    (w.convolved, "convolution"),
    (w.pooled, "max_pool2d_with_indices avg_pool2d avg_pool3d avg_pool1d max_pool3d_with_indices"),
    (w.adaptively_pooled, "_adaptive_avg_pool2d adaptive_max_pool2d"),
    (w.padded(None), "constant_pad_nd"),
    (w.padded(w.mirror), "reflection_pad2d reflection_pad1d"),
    (w.padded(w.clamp), "replication_pad2d replication_pad1d"),
    (w.interpolated(0, centred=False), "upsample_nearest2d"),
    (w.interpolated(0), "_upsample_nearest_exact2d"),
    (w.interpolated(1), "upsample_bilinear2d"),
    (w.interpolated(2), "upsample_bicubic2d"),
    (w.interpolated(1, antialias=True), "_upsample_bilinear2d_aa"),
    (w.interpolated(2, antialias=True), "_upsample_bicubic2d_aa"),
    (w.shuffled, "pixel_shuffle pixel_unshuffle"),
    (w.sliced, "slice"),
    (w.rolled, "roll"),
    (w.flipped, "flip"),
    (s.pointwise, "add sub mul div pow neg abs sqrt exp where clamp masked_fill relu sigmoid tanh"),
    (s.pointwise, "gelu silu elu celu softplus mish leaky_relu hardtanh hardswish hardsigmoid"),
    (s.pointwise, "_prelu_kernel prelu threshold log_sigmoid_forward rrelu_with_noise"),
    (s.pointwise, "clone detach alias lift_fresh expand _to_copy native_dropout fill zero"),
    (s.copied, "copy"),
    (s.joined, "cat stack"),
    (s.reshaped, "view _unsafe_view _reshape_alias squeeze unsqueeze"),
    (s.permuted, "permute"),
    (s.transposed, "transpose t"),
    (s.chosen, "split split_with_sizes select unbind index_select"),
    (s.indexed, "index"),
    (s.reduced, "mean sum prod amax amin max min argmax argmin var std var_mean std_mean"),
    (s.reduced, "norm linalg_vector_norm logsumexp all any"),
    (s.reduced, "_softmax _log_softmax cumsum cumprod glu sort topk"),
    (s.layer_normalised, "native_layer_norm _fused_rms_norm"),
    (s.batch_normalised, "native_batch_norm cudnn_batch_norm miopen_batch_norm"),
    (s.batch_normalised, "_native_batch_norm_legit _native_batch_norm_legit_no_training"),
    (s.batch_normalised, "_batch_norm_no_update"),
    (s.product("self", "mat2"), "mm bmm"),
    (s.product("mat1", "mat2"), "addmm"),
    (s.product("batch1", "batch2"), "baddbmm"),
    (s.shape_only, "zeros_like ones_like full_like empty_like rand_like randn_like randint_like"),
    (s.shape_only, "new_zeros new_ones new_full new_empty new_empty_strided"),
]
RULES: dict[str, Rule] = {name: rule for rule, names in _TABLE for name in names.split()}


def rule_for(operation: Any) -> Rule:
    """The rule of a torch operation; an in-place one, add_, has that of its sibling, add."""
    schema = getattr(operation, "_schema", None)
    if schema is None or not schema.name.startswith("aten::"):
        return s.unknown
    name = schema.name.removeprefix("aten::")
    tagged = torch.Tag.pointwise in operation.tags
    default: Rule = s.pointwise if tagged else s.unknown
    return RULES.get(name) or RULES.get(name.rstrip("_")) or default


class Trace(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it untyped
    """While active, keeps what every tensor computed from `image` sees of it.

    A dispatch mode is below modules, functions, methods and in-place operators: all of them arrive
    here, as the same few hundred operations with their arguments spelled out.
    """

    supports_higher_order_operators = True

    def __init__(self, image: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.image = (image.shape[-2], image.shape[-1])
        self.clock = 0
        self.sights: Any = WeakTensorKeyDictionary()
        # When memory was last changed, so that other views of it are known to be out of date. The
        # storage is held, or its number could come to mean another.
        self.writes: dict[int, tuple[int, Any]] = {}
        self.leaked = False
        rows, columns = image.ndim - 2, image.ndim - 1
        down, across = (Axis.pixels(length) for length in self.image)
        self.sights[image] = (0, Sight((down, across), ((rows, 1), (columns, 1))))

    def sight(self, tensor: Tensor) -> Sight | None:
        """What the tensor's elements see; None if it was not computed from the image."""
        known: tuple[int, Sight | None] = self.sights.get(tensor, (-1, None))
        if self.writes:
            written, _ = self.writes.get(_memory(tensor), (-1, None))
            if written > known[0]:  # through another view, who knows which part of it
                return self._settled(None, tuple(tensor.shape), [])
        return known[1]

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        rule = rule_for(func)
        if rule is s.unknown and hasattr(func, "decompose"):
            with (
                self
            ):  # a compound operation arrives in one piece only from a module in inference mode
                output = func.decompose(*args, **kwargs)
            if output is not NotImplemented:
                return output
        arguments, changed = _bound(func, args, kwargs)
        seen = [
            Seen(name, tuple(tensor.shape), known)
            for name, value in arguments.items()
            for tensor in _tensors(value)
            if (known := self.sight(tensor)) is not None
        ]
        output = func(*args, **kwargs)
        if seen and rule is not s.shape_only:
            self._note(rule, arguments, seen, [*_tensors(output), *changed], changed)
            # A number read out of the image may be in anything computed from now on; a yes or no
            # picks a branch.
            number = isinstance(output, int | float | complex) and not isinstance(output, bool)
            self.leaked = self.leaked or (number and "_local_scalar_dense" in str(func))
        return output

    def _note(
        self,
        rule: Callable[[Call], Sight],
        arguments: dict[str, Any],
        seen: list[Seen],
        outputs: list[Tensor],
        changed: list[Tensor],
    ) -> None:
        result = None
        self.clock += 1
        for tensor in outputs:
            shape = tuple(tensor.shape)
            if result is None:
                try:
                    result = rule(Call(arguments, seen, shape))
                except Exception:  # Lost, or odder than the rule foresees: nothing is certain
                    result = Sight.nothing()
            new = self._settled(result, shape, seen)
            if any(tensor is other for other in changed) and new != self.sight(tensor):
                self.writes[_memory(tensor)] = (self.clock, _storage(tensor))
            self.sights[tensor] = (self.clock, new)

    def _settled(self, result: Sight | None, shape: Shape, seen: list[Seen]) -> Sight:
        """What the rule found, if that is certain; else the whole image for every unit."""
        found = result if result is not None and result.fits(shape) else None
        if found and not self.leaked and all(axis.status != "whole" for axis in found.axes):
            return found
        if found:
            places, units = found.places, [len(axis) for axis in found.axes]
        else:
            # Only to number the units: with as many dimensions, the plane is likely still there.
            likely = [
                one.sight.places for one in seen if s.pure(one) and len(one.shape) == len(shape)
            ]
            places = likely[0] if likely else ()
            units = [shape[dim] for dim, _ in places] if places else [1, 1]
        down, across = (Axis.whole(*pair) for pair in zip(self.image, units, strict=True))
        return Sight((down, across), places)


def _bound(
    func: Any, args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[dict[str, Any], list[Tensor]]:
    """The arguments by name, defaults filled in, and the tensors that the operation changes."""
    schema = getattr(func, "_schema", None)
    if schema is None:
        return {"args": args, "kwargs": kwargs}, []
    arguments: dict[str, Any] = {}
    changed: list[Tensor] = []
    for i, argument in enumerate(schema.arguments):
        given = kwargs.get(argument.name, argument.default_value)
        value = arguments[argument.name] = args[i] if i < len(args) else given
        written = argument.alias_info is not None and argument.alias_info.is_write
        if written and not argument.name.startswith("running_"):  # batch statistics
            changed.extend(_tensors(value))
    return arguments, changed


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)


def _storage(tensor: Tensor) -> Any:
    try:
        return tensor.untyped_storage()
    except (RuntimeError, NotImplementedError):  # sparse and other tensors without plain memory
        return None


def _memory(tensor: Tensor) -> int:
    storage = _storage(tensor)
    return -1 if storage is None else int(storage._cdata)
