"""Plan: what a survey takes down of every image."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from pellucid.errors import PellucidError, Unknown
from pellucid.make.traits import penultimate
from pellucid.network import Network

Precision = Literal["float32", "float16"]
SPREAD = 5  # layers that are surveyed where none are named, and the one before the scores
BATCH = 32  # images through the network at a time
MOST_WIDE = 1 << 20  # numbers of one image's features in one layer


@dataclass(frozen=True)
class Plan:
    """What a survey takes down; two surveys of one plan, network and collection are the same.

    Attributes:
        layers: their names.
        keep: best places of each channel.
        per_image: of one image at most so many of them.
        negative: also the places where each channel is most negative.
        whole: features are whole maps and not their means over the places.
        precision: of the features in the store.
        batch: images through the network at a time; the last bits of a number may depend on it.
    """

    layers: tuple[str, ...]
    keep: int = 9
    per_image: int = 1
    negative: bool = False
    whole: bool = False
    precision: Precision = "float32"
    batch: int = BATCH

    @classmethod
    def of(cls, net: Network, layers: str | Sequence[str] | None = None, **more: Any) -> Plan:
        """A plan that fits a network.

        Args:
            layers: names, also with ";" or "," between them; a pattern such as "layer3*" or "conv*"
                stands for all leaf layers that fit; "all" for every leaf layer with channels; None
                for some from shallow to deep and the one before the scores.

        Raises:
            PellucidError: a layer that is not there or has no channels, numbers that make no sense.
        """
        plan = cls(tuple(_chosen(net, layers)), **more)
        for name in ("keep", "per_image", "batch"):
            if getattr(plan, name) < 1:
                raise PellucidError(f"{name} is 1 or more, not {getattr(plan, name)}")
        if plan.precision not in get_args(Precision):
            raise Unknown("precision", plan.precision, get_args(Precision))
        for name in plan.layers:
            layout = net.layer(name).layout
            if not layout.channels:
                raise PellucidError(f"layer {name!r} has no channels that could be named")
            wide = plan.wide(net, name)
            if wide > MOST_WIDE:
                raise PellucidError(
                    f"the whole maps of {name} are {wide:,} numbers for each image; at most "
                    f"{MOST_WIDE:,} are stored: take their means, without --whole (whole=False)"
                )
        return plan

    def wide(self, net: Network, name: str) -> int:
        """Numbers of one image's features in a layer."""
        layout = net.layer(name).layout
        height, width = layout.grid
        return layout.channels * (height * width if self.whole else 1)

    def apart(self, other: Plan) -> tuple[list[str], list[str]]:
        """The settings in which two plans differ, as the shell has them: of the one, of the other.

        Example:
            >>> Plan(("fc",), keep=4).apart(Plan(("fc",), negative=True))
            (['--keep 4', 'without --negative'], ['--keep 9', '--negative'])
        """
        names = [known.name for known in fields(self)]
        names = [name for name in names if getattr(self, name) != getattr(other, name)]
        first, second = (
            [_word(name, getattr(plan, name)) for name in names] for plan in (self, other)
        )
        return first, second

    def data(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self) | {"layers": list(self.layers)}

    @classmethod
    def read(cls, data: dict[str, Any]) -> Plan:
        """From plain data."""
        return cls(**data | {"layers": tuple(data["layers"])})


def _word(name: str, value: Any) -> str:
    """A setting as the shell has it."""
    flag = "--" + name.replace("_", "-")
    if isinstance(value, bool):
        return flag if value else f"without {flag}"
    return f"{flag} {shlex.quote('; '.join(value) if name == 'layers' else str(value))}"


def _chosen(net: Network, layers: str | Sequence[str] | None) -> list[str]:
    leaves = [
        known.name
        for known in net.layers.values()
        if known.leaf and known.name and known.layout.channels
    ]
    if layers is None:
        deep = penultimate(net)
        try:
            placed = [layer.name for layer in net.spread(SPREAD)]
        except PellucidError:  # a network without places
            placed = []
        return list(dict.fromkeys([*placed, deep]))
    words = layers.replace(",", ";").split(";") if isinstance(layers, str) else list(layers)
    found: list[str] = []
    for word in filter(None, map(str.strip, words)):
        if word in net.layers:
            found.append(word)
        elif word == "all":
            found += leaves
        elif any(sign in word for sign in "*?["):
            fits = [name for name in leaves if fnmatchcase(name, word)]
            if not fits:
                raise Unknown("layer that fits", word, leaves, "(`pellucid layers` lists them)")
            found += fits
        else:
            net.layer(word)  # raises, and names the nearest
    if not found:
        raise PellucidError("no layer is named (`pellucid layers` lists them)")
    return list(dict.fromkeys(found))
