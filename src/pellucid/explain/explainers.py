"""Explainers: the registered methods that give one map of a photo and a target."""

from typing import Any

from pellucid.errors import PellucidError, Unknown
from pellucid.explain.asked import Asked
from pellucid.heatmap import Heatmap
from pellucid.method import Method
from pellucid.network import Network
from pellucid.option import kinds
from pellucid.register import entries


def explainers() -> dict[str, Method[Any]]:
    """By name. One that has no target, as attention rollout, explains all targets alike."""
    loaded = {
        name: (entry.room, entry.load())
        for name, entry in entries().items()
        if entry.room in ("see", "explain")
    }
    return {name: method for name, (room, method) in loaded.items() if _explains(room, method)}


def _explains(room: str, method: Method[Any]) -> bool:
    needed = [known for known in method.options.values() if known.required]
    return (
        Heatmap in kinds(method.function)
        and [known.kind for known in needed] == ["network", "photo"]
        and ("target" in method.options or room == "explain")
    )


def explainer(name: str) -> Method[Any]:
    """One of them, by its name or the name of its command.

    Raises:
        Unknown: no such method, or one that gives no map; the message shows the nearest.
    """
    known = explainers()
    if name.replace("-", "_") not in known:
        also = "it gives no map of a target" if name.replace("-", "_") in entries() else ""
        raise Unknown("explanation", name, known, f"({also})" if also else "")
    return known[name.replace("-", "_")]


def quick(method: Method[Any], net: Network) -> dict[str, int]:
    """Settings that let a method of many passes do with few of them."""
    few = {"stride": max(1, max(net.preprocess.size) // 8), "steps": 16}
    return {name: value for name, value in few.items() if name in method.options}


def explained(method: Method[Any], net: Network, asked: Asked, settings: dict[str, Any]) -> Heatmap:
    """The map that a method gives on a network, maybe on another than was asked.

    A method draws the same random numbers each time, so that these make no difference.
    """
    target = {"target": asked.word} if "target" in method.options else {}
    found = method.bare(net, asked.photo, **target, **settings)
    if not isinstance(found, Heatmap):
        raise PellucidError(f"{method.name} gives no single map: {found!r}")
    return found
