"""What a worker tells of a network."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from pellucid.app.lab.bench import Bench
from pellucid.app.lab.outcome import Outcome
from pellucid.app.lab.unit_tasks import UNIT_TASKS
from pellucid.atlas.crops import seen
from pellucid.images import thumbnail
from pellucid.layers import Layer
from pellucid.method import Step
from pellucid.network import Network
from pellucid.see.filters import convolutions
from pellucid.wiring import wiring

THUMBNAIL = 320  # px of the longer side


def facts(bench: Bench, *, network: str) -> Generator[Step, None, Outcome]:
    """Layers and labels of a network, for searching."""
    yield Step(0, 1, network)
    net = bench.network(network)
    layers = [
        {
            "name": layer.name,
            "kind": layer.kind,
            "shape": list(layer.shape),
            "parameters": layer.parameters,
            "channels": layer.layout.channels,
            "grid": list(layer.layout.grid),
            "leaf": layer.leaf,
        }
        for layer in net.layers.values()
        if layer.name
    ]
    size = [net.preprocess.channels, *net.preprocess.size]
    return Outcome({"layers": layers, "labels": _labels(net), "input": size})


def plan(bench: Bench, *, network: str) -> Generator[Step, None, Outcome]:
    """A network's parts and how they are connected, for drawing it."""
    yield Step(0, 2, network)
    net = bench.network(network)
    yield Step(1, 2, network)
    found = wiring(net)
    drawable = set(convolutions(net))
    parts = [
        {
            "name": part.name,
            "inside": part.inside,
            "sign": part.sign,
            "group": part.group,
            "filters": part.name in drawable,
        }
        | _told(net.layers.get(part.name))
        for part in found.parts.values()
    ]
    return Outcome(
        {
            "parts": parts,
            "wires": found.wires,
            "followed": found.followed,
            "labels": _labels(net),
            "input": [net.preprocess.channels, *net.preprocess.size],
            "parameters": net.layers[""].parameters,
        }
    )


def glance(bench: Bench, *, photo: str, called: str) -> Generator[Step, None, Outcome]:
    """A photo, small."""
    yield Step(0, 1, called)
    opened = bench.photo(photo, called)
    size = {"height": opened.size[0], "width": opened.size[1]}
    return Outcome(size, {"photo.jpg": thumbnail(opened, THUMBNAIL)})


def _labels(net: Network) -> list[str]:
    return net.labels if len(net.layers[""].shape) == 1 else []


def _told(layer: Layer | None) -> dict[str, Any]:
    """What a block says of its layer; of an operation between layers nothing."""
    if layer is None:
        return {}
    status = seen(layer)
    field = layer.field if status != "whole" else None
    return {
        "kind": layer.kind,
        "shape": list(layer.shape),
        "parameters": layer.parameters,
        "channels": layer.layout.channels,
        "grid": list(layer.layout.grid),
        "tokens": layer.layout.prefix,
        "sees": list(field.size) if field else [],
        "stride": list(field.stride) if field else [],
        "status": status,
    }


TASKS = {"facts": facts, "plan": plan, "glance": glance} | UNIT_TASKS
