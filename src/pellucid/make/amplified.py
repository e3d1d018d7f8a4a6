"""Amplified: what a dream makes more of, all that is there already."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import nn

from pellucid.errors import PellucidError, Unknown
from pellucid.images import Photo
from pellucid.labels import BETWEEN
from pellucid.make.objective import Bound, Objective, Values, View
from pellucid.make.objectives import LayerObjective, UnitObjective, read
from pellucid.network import Network
from pellucid.target import observe
from pellucid.unit import Unit, split

FEW = 6  # stations that a network has at least, where its parts can be taken apart
# What is only a part of a station: its output is not yet what the next one works with.
PARTIAL = ("Norm", "Dropout", "Pool", "Identity", "Linear", "Permute", "Embed")


@dataclass(frozen=True)
class Channel(Objective):
    """A channel where it answers: half the mean square of what is above zero.

    Of a rectified channel the gradient is the channel itself; of one that is not, places that
    speak against the feature are left alone.
    """

    unit: Unit

    def bind(self, net: Network) -> Bound:
        """Its value."""
        layer, number = self.unit.layer, self.unit.channel

        def value(view: View) -> Values:
            return view.maps(layer)[:, number].clamp(min=0).square().mean((1, 2)) / 2

        return Bound(frozenset({layer}), value)

    def __str__(self) -> str:
        return str(self.unit)


@dataclass(frozen=True, eq=False)
class Guided(Objective):
    """Each place of a layer towards that place of a guide's which it resembles most.

    As in the original notebook the dot product says which that is, and is what grows.
    """

    layer: str
    guide: Photo

    def bind(self, net: Network) -> Bound:
        """The greatest product with any of the guide's places, mean over the places."""
        name = net.layer(self.layer).name
        layout = net.layers[name].layout
        with torch.no_grad():
            inputs = net.prepare(self.guide)[0]
            wanted = layout.maps(observe(net, inputs, frozenset({name}))[name]).flatten(2)[0]

        def value(view: View) -> Values:
            here = view.maps(name).flatten(2)
            products = here.mT @ wanted.to(here)
            return products.amax(2).mean(1) / layout.channels

        return Bound(frozenset({name}), value)

    def __str__(self) -> str:
        return f"{self.layer} as in {self.guide.source or 'the guide'}"


@dataclass(frozen=True)
class Together(Objective):
    """Several at once, each of the same weight."""

    parts: tuple[Objective, ...]

    def bind(self, net: Network) -> Bound:
        """The sum of their values."""
        bound = [part.bind(net) for part in self.parts]
        layers = frozenset[str]().union(*(part.layers for part in bound))
        fixed = any(part.fixed for part in bound)
        return Bound(layers, lambda view: torch.stack([b.value(view) for b in bound]).sum(0), fixed)

    def __str__(self) -> str:
        return f"{BETWEEN} ".join(map(str, self.parts))


def amplified(
    want: str | Objective | None, net: Network, guide: Photo | None = None
) -> tuple[Objective, Bound]:
    """What is to be made more of, and the same bound to a network.

    Args:
        want: layers and channels, ";" between several, or anything that `objectives.read` knows;
            None: the layer that dreams well on most networks.
        guide: a photo whose features the layers are to turn to.

    Raises:
        PellucidError: an unknown name; one place only; a guide for anything but layers.
    """
    if isinstance(want, UnitObjective):
        want = str(want)
    if isinstance(want, Objective):
        parts = [want]
    else:
        words = usual_layer(net) if want is None else want
        parts = [_part(word.strip(), net) for word in words.split(BETWEEN)]
    if guide is not None:
        layers = [part.layer for part in parts if isinstance(part, LayerObjective)]
        if len(layers) < len(parts):
            raise PellucidError(
                f"a guide shows a layer what to turn to: name layers only, not {want}"
            )
        parts = [Guided(layer, guide) for layer in layers]
    objective = parts[0] if len(parts) == 1 else Together(tuple(parts))
    bound = objective.bind(net)
    if bound.fixed:
        raise PellucidError(
            f"{objective} looks at one place only, and a dream is everywhere: name the channel "
            f"without its place"
        )
    return objective, bound


def _part(word: str, net: Network) -> Objective:
    if word and word in net.layers:
        return LayerObjective(word)
    if split(word) is not None and not word.startswith("class:"):
        unit = net.unit(word)
        if unit.position is None and unit.token is None:
            return Channel(unit)
    try:
        return read(word, net)
    except Unknown:
        if re.fullmatch(r"[\w.]+", word):
            net.layer(word)  # raises: what a dream is of is most often a layer
        raise


def usual_layer(net: Network) -> str:
    """Three quarters of the way: parts of things, not yet whole ones.

    Raises:
        PellucidError: no layer has places.
    """
    found = stations(net)
    return found[int(0.75 * (len(found) - 1) + 0.5)]


def stations(net: Network) -> list[str]:
    """The layers that a network itself is a row of, in order: blocks, or rectified convolutions.

    Raises:
        PellucidError: no layer has places.
    """
    scores = net.layers[""].shape[:1]  # maps of them, in some networks, are answers already
    placed = {
        name: number
        for number, (name, layer) in enumerate(net.layers.items())
        if min(layer.layout.grid) > 1 and layer.layout.channels not in (1, 2, 3, *scores)
    }

    def children(module: nn.Module, path: str) -> list[tuple[str, nn.Module]]:
        found = []
        for name, child in module.named_children():
            inside = f"{path}.{name}" if path else name
            if isinstance(child, nn.ModuleList) or type(child) is nn.Sequential:
                found += children(child, inside)
            elif inside in placed or any(name.startswith(f"{inside}.") for name in placed):
                found.append((inside, child))
        return found

    row = children(net.module, "")
    while len(row) < FEW:
        taken = [children(part, path) or [(path, part)] for path, part in row]
        finer = [one for some in taken for one in some]
        if len(finer) <= len(row):
            break
        row = finer
    there = [(path, part) for path, part in row if path in placed]
    whole = [path for path, part in there if not _partial(part)]
    names = whole or [path for path, _ in there] or [layer.name for layer in net.spread(5)]
    return sorted(names, key=lambda name: placed[name])


def _partial(part: nn.Module) -> bool:
    return isinstance(part, nn.Conv2d) or any(word in type(part).__name__ for word in PARTIAL)
