"""What a worker tells of a unit: from its network's weights, and from an atlas, if there is one."""

from __future__ import annotations

from collections.abc import Generator
from functools import lru_cache
from typing import Any

from pellucid.app.lab.bench import Bench
from pellucid.app.lab.outcome import Outcome
from pellucid.atlas.atlas import Atlas
from pellucid.atlas.site import pictures
from pellucid.atlas.site.alike import shared
from pellucid.atlas.site.speaks import weights
from pellucid.atlas.site.ward import Ward, wards
from pellucid.errors import PellucidError
from pellucid.method import Step
from pellucid.network import Network
from pellucid.unit import Unit

MOST, LEAST = 6, 3  # weights shown at either end
TRIED = 6  # layers that the classifier may read
SPOKEN = 6  # classes that a unit speaks for


def unit(bench: Bench, *, network: str, unit: str) -> Generator[Step, None, Outcome]:
    """What is known of a unit without running the network on a photo."""
    yield Step(0, 2, unit)
    net = bench.network(network)
    known = net.unit(unit)
    layer = "" if known.is_class else known.layer
    facts: dict[str, Any] = {
        "name": str(known),
        "layer": layer,
        "channel": known.channel,
        "weights": [] if layer == "" else _upward(net, known),
        "reads": _downward(net, known) if layer == "" else {},
        "atlas": None,
    }
    files: dict[str, bytes] = {}
    if bench.place and layer:
        yield Step(1, 2, unit)
        facts["atlas"], files = _surveyed(bench, net, known)
    return Outcome(facts, files)


def _upward(net: Network, unit: Unit) -> list[list[Any]]:
    """Classes whose scores the unit raises and lowers most, as name, unit and weight.

    None where the scores are no linear function of the unit's mean.
    """
    table = weights(net, unit.layer)
    if table is None:
        return []
    row = table[unit.channel]
    return [[net.labels[at], f"class:{at}", float(row[at])] for at in _ends(row.tolist())]


def _downward(net: Network, unit: Unit) -> dict[str, Any]:
    """Channels that raise and lower a class's score most, of a layer that the classifier reads.

    Of several such layers the last whose channels have places, else the last of all.
    """
    named = [layer for layer in net.layers.values() if layer.name and layer.layout.channels]
    placed = [layer for layer in named if min(layer.layout.grid) > 1]
    for layer in [*placed[: -TRIED - 1 : -1], *named[: -TRIED - 1 : -1]]:
        table = weights(net, layer.name)
        if table is not None:
            column = table[:, unit.channel].tolist()
            names = {at: f"{layer.name}:{at}" for at in _ends(column)}
            units = [[name, name, column[at]] for at, name in names.items()]
            return {"layer": layer.name, "units": units}
    return {}


def _ends(values: list[float]) -> list[int]:
    """Places of the greatest numbers and of the least, falling."""
    order = sorted(range(len(values)), key=lambda at: (-values[at], at))
    return list(dict.fromkeys([*order[:MOST], *order[-LEAST:]]))


def _surveyed(bench: Bench, net: Network, unit: Unit) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What the atlas says of a unit."""
    asked = Atlas.open(bench.place)
    if asked.store.manifest.network["weights_hash"] != net.weights_hash:
        return {"other": True}, {}
    atlas = Atlas.open(bench.place, net)
    if unit.layer not in atlas.layers:
        return {"layers": list(atlas.layers), "images": len(atlas)}, {}
    rooms, kind = wards(atlas, unit.layer, None)
    ward, channel = rooms[0], unit.channel
    try:
        files, made = pictures.patches(ward, (channel,), lru_cache(32)(atlas.photo))
    except PellucidError as error:
        files, made = {}, {"why": str(error), "lost": 0, "guided": False}
    names = {f"{ward.folder}/{channel}-{what}.jpg": f"{what}.jpg" for what in ("patches", "guided")}
    statistics = ward.statistics
    low, high = statistics.edges[channel, [0, -1]].tolist()
    facts = {
        "images": len(atlas),
        "kind": kind,
        "spots": _spots(ward, atlas, channel),
        "lost": made["lost"],
        "why": made["why"],
        "spoken": ward.speech.best(channel, SPOKEN),
        "counts": statistics.counts[channel].tolist(),
        "ends": [low, high],
        "beyond": float(statistics.highest[channel]) > high,
        "mean": float(statistics.mean[channel]),
        "highest": float(statistics.highest[channel]),
        "active": float(statistics.active[channel]),
        "alike": [
            [f"{unit.layer}:{int(at)}", float(value), shared(ward.best.images[channel], best)]
            for at, value in zip(*(table[channel] for table in ward.near), strict=True)
            for best in [ward.best.images[int(at)]]
        ],
    }
    return facts, {names[path]: content for path, content in files.items()}


def _spots(ward: Ward, atlas: Atlas, channel: int) -> list[dict[str, Any]]:
    """Of each patch, in the order of the picture, what is known of it; no path of this machine."""
    images, known = atlas.images, atlas.classes
    width = ward.layer.layout.grid[1]
    found = []
    for row, at, value in ward.spots(channel):
        guess = int(images.predicted[row])
        found.append(
            {
                "value": value,
                "source": images.uris[row].replace("\\", "/").rpartition("/")[2],
                "place": f"{at // width},{at % width}",
                "label": images.labels[row],
                "predicted": known[guess] if guess >= 0 else "",
            }
        )
    return found


UNIT_TASKS = {"unit": unit}
