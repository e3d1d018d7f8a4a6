"""What a worker tells of a network."""

from __future__ import annotations

from collections.abc import Generator

from pellucid.app.lab.bench import Bench
from pellucid.app.lab.outcome import Outcome
from pellucid.method import Step


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
    labels = net.labels if len(net.layers[""].shape) == 1 else []
    size = [net.preprocess.channels, *net.preprocess.size]
    return Outcome({"layers": layers, "labels": labels, "input": size})


TASKS = {"facts": facts}
