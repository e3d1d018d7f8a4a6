"""Explainers: the registered methods that give one map of a photo and a target."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from pellucid.errors import PellucidError, Unknown
from pellucid.explain.asked import Asked
from pellucid.heatmap import Heatmap
from pellucid.method import Method
from pellucid.network import Network
from pellucid.option import kinds
from pellucid.register import entries, methods

WAY = "way"  # the setting by which one method is several, as cam is
# Ways and methods of hundreds of passes for a map.
LONG = ("scorecam", "ablationcam", "rise", "shapley", "lime")
# Ways that show nothing new beside the others: the maps of Grad-CAM where a network ends in a mean
# and one linear layer, and one that is the same for every target.
BESIDE = ("hirescam", "xgradcam", "eigencam")


@dataclass(frozen=True)
class Explainer:
    """A method, or one way of a method that has several.

    Attributes:
        name: "saliency"; of another way than the usual one "cam:layercam".
        settings: where they are not the method's own defaults.
        foreign: whether it is a plug-in, which is used where it is asked for.
    """

    name: str
    method: Method[Any]
    settings: dict[str, Any] = field(default_factory=dict)
    foreign: bool = False

    @property
    def long(self) -> bool:
        """Whether it takes much longer than the others."""
        return self.settings.get(WAY, self.name) in LONG

    @property
    def usual(self) -> bool:
        """Whether it is compared where none is named.

        No plug-in: the same call gives the same picture, whatever else is installed.
        """
        return not (self.long or self.foreign or self.settings.get(WAY) in BESIDE)

    def quick(self, net: Network) -> Explainer:
        """The same with coarse settings, where it would need many passes; else itself."""
        few = {
            "stride": max(1, max(net.preprocess.size) // 7),
            "steps": 12,
            "masks": 500,
            "passes": 400,
        }
        fitting = {name: value for name, value in few.items() if name in self.method.options}
        return replace(self, settings=self.settings | fitting) if fitting else self

    def explain(self, net: Network, asked: Asked) -> Heatmap:
        """The map on a network, maybe on another than was asked.

        The same random numbers are drawn each time, so that these make no difference.
        """
        target = {"target": asked.word} if "target" in self.method.options else {}
        found = self.method.bare(net, asked.photo, **target, **self.settings)
        if not isinstance(found, Heatmap):
            raise PellucidError(f"{self.name} gives no single map: {found!r}")
        return found


def explainers() -> dict[str, Explainer]:
    """By name. One that has no target, as attention rollout, explains all targets alike."""
    found = {}
    for entry in entries().values():
        if entry.room not in ("see", "explain") and not entry.package:
            continue
        method = methods().get(entry.name)
        if method is not None and _explains(entry.room, method):
            found[entry.name] = Explainer(entry.name, method, foreign=bool(entry.package))
            for way in _other_ways(method):
                name = f"{entry.name}:{way}"
                found[name] = Explainer(name, method, {WAY: way}, bool(entry.package))
    return found


def usual() -> dict[str, Explainer]:
    """Those that are compared where none is named."""
    return {name: each for name, each in explainers().items() if each.usual}


def explainer(name: str) -> Explainer:
    """One of them, by its name or that of its command.

    Raises:
        Unknown: no such method, or one that gives no map; the message shows the nearest.
    """
    name = name.strip()
    known, (base, colon, way) = explainers(), name.partition(":")
    base = base.replace("-", "_")
    if base in known and known[base].method.options.get(WAY) is not None:
        usual = f":{known[base].method.options[WAY].default}"
        colon, way = ("", "") if colon + way == usual else (colon, way)
    if base + colon + way not in known:
        gives = "(it gives no map of a target)" if base in entries() and not way else ""
        raise Unknown("explanation", name, known, gives)
    return known[base + colon + way]


def _explains(room: str, method: Method[Any]) -> bool:
    needed = [known for known in method.options.values() if known.required]
    return (
        Heatmap in kinds(method.function)
        and [known.kind for known in needed] == ["network", "photo"]
        and ("target" in method.options or room == "explain")
    )


def _other_ways(method: Method[Any]) -> list[str]:
    known = method.options.get(WAY)
    return [way for way in known.choices if way != known.default] if known else []
