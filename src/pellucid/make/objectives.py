"""Objectives by name: units, directions, layers, and what is held against a picture.

Several add up: `channel("layer3.1", 40) - 0.1 * total_variation()`; as text the same reads
"layer3.1:40 - 0.1 * total_variation" (see `read`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import PellucidError, Unknown
from pellucid.make.gram import gram
from pellucid.make.objective import Bound, Objective, Sum, Values, View
from pellucid.make.others import others
from pellucid.make.penalties import alpha_norm, difference, l2, total_variation
from pellucid.network import Network
from pellucid.unit import Unit


@dataclass(frozen=True)
class UnitObjective(Objective):
    """A unit: a class score, a neuron, or the mean of a channel over its places."""

    name: str | Unit

    def bind(self, net: Network) -> Bound:
        """The unit's value."""
        unit = net.unit(self.name)
        layer = "" if unit.is_class else unit.layer
        layout = net.layers[layer].layout

        def value(view: View) -> Values:
            if unit.position is not None:
                _check_place(unit, view.maps(layer))
            return unit.value(view.seen[layer], layout)

        # A neuron looks at one place: a picture that is moved is no longer in front of it.
        channels = None if unit.is_class or layout.form != "map" else (unit.channel,)
        return Bound(frozenset({layer}), value, unit.position is not None, channels)

    @classmethod
    def together(cls, parts: Sequence[Objective], net: Network) -> Callable[[View], Values] | None:
        """Whole channels, or classes, of one layer: picked out in one go."""
        found = [net.unit(part.name) for part in parts if isinstance(part, UnitObjective)]
        whole = all(unit.position is None and unit.token is None for unit in found)
        if not whole or len(found) < len(parts) or len({unit.layer for unit in found}) > 1:
            return None
        layer = "" if found[0].is_class else found[0].layer  # "" gives scores, which have no maps
        channels = [unit.channel for unit in found]

        def value(view: View) -> Values:
            maps = view.maps(layer) if layer else view.seen[layer]
            rows = torch.arange(len(channels), device=maps.device)
            picked = maps[rows, torch.tensor(channels, device=maps.device)]
            return picked.reshape(len(rows), -1).mean(1)

        return value

    def __str__(self) -> str:
        return str(self.name)


@dataclass(frozen=True, eq=False)
class Along(Objective):
    """A layer's channels along a vector, mean over the places; see `direction` and `cosine`."""

    layer: str
    vector: Float[Tensor, "channels"]
    power: float | None

    def bind(self, net: Network) -> Bound:
        """The product, times the cosine to a power where one is given."""
        layout = net.layer(self.layer).layout
        if tuple(self.vector.shape) != (layout.channels,):
            raise PellucidError(
                f"a direction of layer {self.layer!r} has {layout.channels} numbers, one for each "
                f"channel, not shape {tuple(self.vector.shape)}"
            )
        if not bool(self.vector.any()):
            raise PellucidError(f"a direction of layer {self.layer!r} is not all zeros")

        def mean(places: Float[Tensor, "batch h w"]) -> Values:
            return places.mean((1, 2))

        def value(view: View) -> Values:
            maps = view.maps(self.layer)
            way = self.vector.to(maps)
            product = torch.einsum("bchw,c->bhw", maps, way)
            if self.power is None:
                return mean(product)
            lengths = maps.square().sum(1).clamp(min=1e-12).sqrt() * way.norm()
            cosine = product / lengths
            if not self.power:
                return mean(cosine)
            # As lucid does: below a tenth the cosine is held, so that it cannot turn the sign.
            return mean(product * cosine.clamp(min=0.1) ** self.power)

        return Bound(frozenset({self.layer}), value)

    def __str__(self) -> str:
        return f"{'direction' if self.power is None else 'cosine'}({self.layer})"


@dataclass(frozen=True)
class LayerObjective(Objective):
    """Everything that a layer sees: half the mean of its squares, whose gradient it is itself."""

    layer: str

    def bind(self, net: Network) -> Bound:
        """Half the mean square over channels and places."""
        name = net.layer(self.layer).name
        return Bound(
            frozenset({name}), lambda view: view.seen[name].square().flatten(1).mean(1) / 2
        )

    def __str__(self) -> str:
        return f"layer({self.layer})"


@dataclass(frozen=True)
class Diversity(Objective):
    """How little a picture's textures at a layer resemble those of the others in its batch."""

    layer: str

    def bind(self, net: Network) -> Bound:
        """Minus the mean cosine of its Gram matrix with those of the others; 0 of one alone."""
        if not net.layer(self.layer).layout.channels:
            raise PellucidError(f"layer {self.layer!r} has no channels, so no Gram matrix")

        def value(view: View) -> Values:
            each = F.normalize(gram(view.maps(self.layer)).flatten(1), dim=1)
            alike = each @ each.T
            others = max(1, len(alike) - 1)
            return -(alike.sum(1) - alike.diagonal()) / others

        return Bound(frozenset({self.layer}), value)

    def __str__(self) -> str:
        return f"diversity({self.layer})"


def unit(name: str | Unit) -> Objective:
    """A unit by its name: "layer4.1:37", "layer4.1:37@6,6", "class:tabby"."""
    return UnitObjective(name)


def channel(layer: str, number: int) -> Objective:
    """The mean of a channel over its places."""
    return UnitObjective(f"{layer}:{number}")


def neuron(layer: str, number: int, row: int, column: int) -> Objective:
    """One value of a channel's map."""
    return UnitObjective(f"{layer}:{number}@{row},{column}")


def class_score(name: str | int) -> Objective:
    """The unnormalised score of a class, by its label or number."""
    return UnitObjective(f"class:{name}")


def direction(layer: str, vector: Float[Tensor, "channels"]) -> Objective:
    """The product of a layer's channels with a vector, mean over the places."""
    return Along(layer, torch.as_tensor(vector), None)


def cosine(layer: str, vector: Float[Tensor, "channels"], power: float = 0) -> Objective:
    """The cosine of a layer's channels with a vector, mean over the places.

    Args:
        power: above 0: the product times the cosine to this power, which asks for strength as well
            as for the right way (Olah, Mordvintsev, Schubert 2017).
    """
    return Along(layer, torch.as_tensor(vector), float(power))


def layer(name: str) -> Objective:
    """Everything that a layer sees already, made stronger (DeepDream: Mordvintsev et al. 2015)."""
    return LayerObjective(name)


def diversity(layer: str) -> Objective:
    """How different the pictures of a batch are (Olah, Mordvintsev, Schubert 2017)."""
    return Diversity(layer)


NAMED: dict[str, Callable[..., Objective]] = {
    "layer": layer, "diversity": diversity, "difference": difference,
    "others": others, "total_variation": total_variation, "alpha_norm": alpha_norm, "l2": l2,
}  # fmt: skip
_NUMBERS = ("total_variation", "alpha_norm")
_FACTOR = re.compile(r"\s*([0-9.]+(?:e[+-]?[0-9]+)?)\s*\*\s*(.+)", re.IGNORECASE)
_CALL = re.compile(r"([a-z_0-9]+)(?:\((.*)\))?")
# Not inside of parentheses, where the name of a file may have anything.
_SIGN = re.compile(r"\s+([+-])\s+(?![^()]*\))")


def read(text: str, net: Network) -> Objective:
    """The objective that a text means.

    Args:
        text: a unit, or terms with " + " or " - " between them, each with a factor "0.1 * " where
            wanted: units, layer(NAME), diversity(LAYER), difference(PHOTO), others(CLASS),
            total_variation(BETA), alpha_norm(ALPHA), l2.

    Raises:
        PellucidError: an unknown name; the message shows the nearest.
    """
    whole = text.strip()
    if _is_unit(whole, net):
        return UnitObjective(net.unit(whole))
    parts = _SIGN.split(whole)
    signs = ["+", *parts[1::2]]
    terms = [_term(part, net) for part in parts[::2]]
    signed = [term if sign == "+" else -term for sign, term in zip(signs, terms, strict=True)]
    return signed[0] if len(signed) == 1 else Sum(tuple(signed))


def _term(text: str, net: Network) -> Objective:
    text = text.strip()
    if text.startswith("-"):
        return -_term(text[1:], net)
    factor = _FACTOR.fullmatch(text)
    if factor:
        try:
            return float(factor[1]) * _term(factor[2], net)
        except ValueError:
            raise PellucidError(f"{factor[1]!r} in {text!r} is not a number") from None
    call = _CALL.fullmatch(text)
    if call and call[1] in NAMED and not (call[2] is None and _is_unit(text, net)):
        return _called(call[1], (call[2] or "").strip(), text)
    if call and call[1] in ("direction", "cosine"):
        raise PellucidError(f"a recipe cannot hold the vector of {text}: give it again in Python")
    if call and call[2] is not None:
        raise Unknown("objective", call[1], NAMED)
    return UnitObjective(net.unit(text))


def _called(name: str, given: str, text: str) -> Objective:
    if name in _NUMBERS:
        try:
            return NAMED[name](*([float(given)] if given else []))
        except ValueError:
            raise PellucidError(f"{name} takes a number, not {given!r}") from None
    if name == "l2":
        return l2()
    if not given:
        raise PellucidError(f"{text!r} lacks what it is of: {name}(…)")
    return NAMED[name](given)


def _check_place(unit: Unit, maps: Float[Tensor, "batch channels h w"]) -> None:
    height, width = maps.shape[2:]
    row, column = unit.position or (0, 0)
    if row >= height or column >= width:
        raise PellucidError(
            f"{unit} is outside of a picture of this size: it has {height} x {width} positions "
            f"there, @0,0 to @{height - 1},{width - 1}"
        )


def _is_unit(text: str, net: Network) -> bool:
    try:
        net.unit(text)
    except PellucidError:
        return False
    return True
