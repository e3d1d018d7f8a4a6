"""Target: what is explained, found by its name, and its value for each image."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.aim import AreaTarget, BestTarget, UnitTarget
from pellucid.aim import Target as Target
from pellucid.area import Answers
from pellucid.backward import differentiable
from pellucid.errors import PellucidError, Unknown
from pellucid.labels import BETWEEN, whole
from pellucid.memory import is_full
from pellucid.record import recording
from pellucid.unit import Unit

if TYPE_CHECKING:
    from pellucid.network import Network

UNSOUND = "the network's values overflow or are NaN; its weights or its input are not sound"
# A function of a recording: activations by layer name ("" the scores) to one number for each image.
Function = Callable[[Mapping[str, Tensor]], Tensor]


@dataclass(frozen=True)
class OwnTarget(Target):
    """A function of a recording."""

    function: Function
    layers: frozenset[str]

    def name(self, row: int) -> str:
        """That of the function."""
        return described(self.function)

    def read(
        self, seen: Mapping[str, Tensor], rows: Int[Tensor, "batch"]
    ) -> Float[Tensor, "batch"]:
        """What the function gives.

        Raises:
            PellucidError: that is not one number for each image.
        """
        value = self.function(seen)
        if not isinstance(value, Tensor) or value.shape != rows.shape:
            came = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise PellucidError(
                f"{self.name(0)} gives one number for each image, a tensor of shape "
                f"({len(rows)},) for a batch of {len(rows)}, not {came}"
            )
        return value


def targets(
    net: Network, wanted: Any, inputs: Float[Tensor, "photos channels height width"]
) -> list[Target]:
    """What is asked for, resolved.

    Args:
        wanted: a name ("class:tabby", "layer4.1:37@6,6"), several with ";" between them, a Unit, a
            function of a recording, a Target, a sequence of these; None: the best class of each
            photo, or that of the largest area but background.
        inputs: the photos, for their best classes and to find the layers that a function reads.

    Raises:
        Unknown: no such layer or class; the message shows the nearest.
        PellucidError: a function that does not give one number for each image.
    """
    return _resolved(net, wanted, Answers(net, inputs))


def _resolved(net: Network, wanted: Any, answers: Answers) -> list[Target]:
    inputs = answers.inputs
    if wanted is None:
        _ = net.classes  # raises where it has none
        if net.places:
            return [AreaTarget.of(answers, None)]
        with torch.no_grad():
            scores = [observe(net, one[None], {""})[""] for one in inputs]
            best = [int(score.argmax(1)) for score in scores]
        return [BestTarget(tuple(net.unit(number) for number in best))]
    if isinstance(wanted, Target):
        return [wanted]
    if isinstance(wanted, str) and BETWEEN in wanted and wanted not in _labels(net):
        parts = whole(split(wanted), _labels(net))
        return [target for part in parts for target in _resolved(net, part, answers)]
    if isinstance(wanted, list | tuple):
        if not wanted:
            raise PellucidError("no target is given: name a class or a unit")
        return [target for part in wanted for target in _resolved(net, part, answers)]
    if isinstance(wanted, str) and wanted.startswith("function "):
        raise PellucidError(
            f"the target was a {wanted}, which a recipe cannot hold: give it again in Python"
        )
    if callable(wanted) and not isinstance(wanted, Unit):
        return [OwnTarget(wanted, _layers_of(net, wanted, inputs[:1]))]
    unit = net.unit(wanted)
    if unit.is_class and unit.position is None and net.places:
        return [AreaTarget.of(answers, unit)]
    return [UnitTarget(net, unit)]


def split(text: str, kind: str = "target") -> list[str]:
    """The names in a text of several.

    Args:
        kind: of what these are the names, for the errors.

    Raises:
        PellucidError: nothing stands there, or between two ";".
    """
    parts = [part.strip() for part in text.split(BETWEEN)]
    if parts == [""]:
        raise PellucidError(f"a {kind} has a name, not {text!r}")
    if not all(parts):
        raise PellucidError(f"several {kind}s have one {BETWEEN!r} between each two: {text!r}")
    return parts


def described(wanted: Any) -> str:
    """A target as a recipe tells it."""
    return f"function {getattr(wanted, '__name__', type(wanted).__name__)}"


def observe(net: Network, inputs: Tensor, layers: set[str] | frozenset[str]) -> dict[str, Tensor]:
    """One forward pass: the outputs of layers by name, "" the network's scores."""
    hidden = [layer for layer in layers if layer]
    with differentiable(), recording(net.module, hidden, stop="" not in layers) as seen:
        scores = net.scores(inputs)
    if "" in layers:
        seen[""] = scores
    return seen


def values(
    net: Network,
    inputs: Float[Tensor, "batch channels height width"],
    wanted: Sequence[Target],
    rows: Int[Tensor, "answers"],
) -> Float[Tensor, "targets answers"]:
    """The value of every target for each answer, from one forward pass, ready for gradients.

    Args:
        rows: for each answer (see `Network.scores`) the number of the photo that it is of.

    Raises:
        PellucidError: a value is not a number, or infinite.
    """
    seen = observe(net, inputs, frozenset[str]().union(*(target.layers for target in wanted)))
    found = [target.read(seen, rows) for target in wanted]
    for target, value in zip(wanted, found, strict=True):
        wrong = ~value.detach().isfinite()
        if bool(wrong.any()):
            raise PellucidError(
                f"the {target.what} of {target.name(int(rows[wrong][0]))} is "
                f"{float(value.detach()[wrong][0])}: {UNSOUND}"
            )
    return torch.stack([value.to(found[0].dtype) for value in found])


class _Missing(Exception):
    """A function has asked for a layer that is not recorded yet."""


class _Probe(dict[str, Tensor]):
    def __missing__(self, name: str) -> Tensor:
        raise _Missing(name)


def _layers_of(net: Network, function: Function, inputs: Tensor) -> frozenset[str]:
    """The layers that a function reads, found by running it until it misses none."""
    _ = net.layers  # raises where it does not take such inputs
    layers: set[str] = set()
    with torch.no_grad():
        while True:
            try:
                seen = _Probe(observe(net, inputs, layers) if layers else {})
                _tried(function, seen)
                break
            except _Missing as missing:
                name = missing.args[0]
                if not isinstance(name, str) or (name and name not in net.layers):
                    known = [known for known in net.layers if known]
                    raise Unknown("layer", name, known, "(pellucid layers)") from None
                layers.add(name)
    if not layers:
        raise PellucidError(f"{described(function)} reads no layer: it is called with a recording")
    return frozenset(layers)


def _tried(function: Function, seen: Mapping[str, Tensor]) -> None:
    """A function called with what is recorded of one photo.

    Raises:
        PellucidError: it fails, or does not give one number.
    """
    try:
        OwnTarget(function, frozenset()).read(seen, torch.zeros(1, dtype=torch.long))
    except (_Missing, PellucidError):
        raise
    except Exception as error:
        if is_full(error):
            raise
        given = ", ".join(f"{name!r} {tuple(one.shape)}" for name, one in seen.items())
        raise PellucidError(
            f"{described(function)} fails with {type(error).__name__}: {error}. It is called with "
            f"a recording, whose tensors are, the batch first: {given or 'none'}"
        ) from error


def _labels(net: Network) -> list[str]:
    try:
        return net.labels
    except PellucidError:  # it gives no class scores
        return []
