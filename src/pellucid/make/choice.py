"""Choice: which units the words for layers and channels mean."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.errors import PellucidError
from pellucid.network import Network
from pellucid.unit import Unit

FEW = 16  # channels of each of several layers, where none are named
MOST = 4096  # units in one answer
SPREAD = 6  # layers that "all" stands for
BETWEEN = ";"


@dataclass(frozen=True)
class Chosen:
    """Units of one layer.

    Attributes:
        layer: its name; "class" the scores.
        units: some of its channels.
        names: of each unit a short one, without its layer.
    """

    layer: str
    units: tuple[Unit, ...]
    names: tuple[str, ...]


def chosen(net: Network, layers: str, channels: str | None) -> list[Chosen]:
    """The units that are meant, layer by layer.

    Args:
        layers: names with ";" between them, "class" for the classes; "all" some layers evenly from
            shallow to deep; also units, "conv4:17".
        channels: such as "0-31; 40", of each layer; None: all of one layer, some evenly of each of
            several.

    Raises:
        PellucidError: an unknown layer, one without channels, or a channel that it has not.
    """
    names = [name.strip() for name in layers.split(BETWEEN) if name.strip()]
    if names == ["all"] and "all" not in net.layers:
        names = [layer.name for layer in net.spread(SPREAD)]
    if not names:
        raise PellucidError("no layer is named (`pellucid layers` lists them)")
    names = list(dict.fromkeys(names))
    units: dict[Unit, None] = {}
    for name in names:
        units |= dict.fromkeys(_units(net, name, channels, len(names) > 1))
    if len(units) > MOST:
        raise PellucidError(
            f"{len(units)} pictures are too many for one page, at most {MOST}: name some channels"
        )
    return [_together(layer, units) for layer in dict.fromkeys(unit.layer for unit in units)]


def _together(layer: str, units: dict[Unit, None]) -> Chosen:
    own = tuple(unit for unit in units if unit.layer == layer)
    return Chosen(layer, own, tuple(_short(unit) for unit in own))


def _short(unit: Unit) -> str:
    return unit.label or str(unit).removeprefix(f"{unit.layer}:")


def _units(net: Network, name: str, channels: str | None, several: bool) -> list[Unit]:
    if name == "class" and name not in net.layers:
        count = net.classes
    elif name not in net.layers and ":" in name:
        return [net.unit(name)]
    else:
        count = net.layer(name).layout.channels
    if not count:
        raise PellucidError(f"layer {name!r} has no channels that could be named")
    if channels is not None:
        numbers = _numbers(channels)
    elif several and count > FEW:
        numbers = [count * place // FEW for place in range(FEW)]
    else:
        numbers = list(range(count))
    return [net.unit(f"{name}:{number}") for number in numbers]


def _numbers(text: str) -> list[int]:
    """Channels from "0-31; 40"."""
    numbers: list[int] = []
    for part in text.replace(",", BETWEEN).split(BETWEEN):
        first, dash, last = (word.strip() for word in part.partition("-"))
        if not _whole(first) or (dash and not _whole(last)):
            raise PellucidError(f"channels are such as 0-31; 40, not {text!r}")
        low, high = int(first), int(last if dash else first)
        if low > high or high - low >= MOST:
            raise PellucidError(
                f"channels {part.strip()} are none: they go from low to high, {MOST} at most"
            )
        numbers += range(low, high + 1)
    return numbers


def _whole(text: str) -> bool:
    return text.isdecimal() and len(text) < 19
