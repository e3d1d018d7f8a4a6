"""Manifest: what a store is of, how far it is, and which versions of its parts belong together."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch

import pellucid
from pellucid.atlas.plan import Plan
from pellucid.errors import PellucidError
from pellucid.network import Network

FORMAT = 1
NAME = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """One text file that names all the rest. It is replaced as the last thing of each writing.

    Attributes:
        network: name, weights hash, spec, and how photos are prepared for it.
        plan: what is taken down.
        grids: by layer, channels and the height and width of their maps.
        sources: what the images come from, in order.
        seen: images gone through, read and unread.
        images: those that could be read.
        failures: those that could not.
        chain: stands for the addresses of the images of the last source, in order.
        begun: `seen`, before the last source.
        finished: whether the last source came to its end.
        versions: of each data set of the store, the version that belongs to this manifest.
        maps: what is known of each map, by name.
        made: versions of pellucid and torch.
    """

    network: dict[str, Any]
    plan: Plan
    grids: dict[str, list[int]]
    sources: tuple[str, ...] = ()
    seen: int = 0
    images: int = 0
    failures: int = 0
    chain: str = ""
    begun: int = 0
    finished: bool = False
    versions: dict[str, int] = field(default_factory=dict)
    maps: dict[str, dict[str, Any]] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, net: Network, plan: Plan) -> Manifest:
        """Of a store with nothing in it."""
        grids = {
            name: [net.layers[name].layout.channels, *net.layers[name].layout.grid]
            for name in plan.layers
        }
        made = {"pellucid": pellucid.__version__, "torch": torch.__version__.split("+")[0]}
        return cls(network_facts(net), plan, grids, made=made)

    def text(self) -> str:
        """As JSON."""
        data = asdict(self) | {"plan": self.plan.data(), "format": FORMAT}
        return json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) + "\n"

    @classmethod
    def read(cls, text: str, place: str) -> Manifest:
        """From JSON.

        Raises:
            PellucidError: it is no manifest, or one of a later pellucid.
        """
        try:
            data = dict(json.loads(text))
            kind = data.pop("format")
            if kind > FORMAT:
                raise PellucidError(
                    f"{place} was made by a later pellucid ({data.get('made')}): update this one"
                )
            data["plan"] = Plan.read(data["plan"])
            data["sources"] = tuple(data["sources"])
            return cls(**data)
        except (ValueError, KeyError, TypeError) as error:
            raise PellucidError(f"the manifest of {place} is damaged: {error}") from None

    def check(self, net: Network, place: str) -> None:
        """Refuses another network.

        Raises:
            PellucidError: its weights or its preprocessing are not those of the store.
        """
        came = network_facts(net)
        if came["weights_hash"] != self.network["weights_hash"]:
            raise PellucidError(
                f"{place} is of {self.network['name']} with the weights "
                f"{self.network['weights_hash']}, not of {net.name} with {came['weights_hash']}"
            )
        if came["preprocess"] != self.network["preprocess"]:
            raise PellucidError(
                f"{place} was made of photos prepared otherwise: {self.network['preprocess']}, "
                f"not {came['preprocess']}"
            )

    def but(self, **more: Any) -> Manifest:
        """With other values."""
        return replace(self, **more)


def network_facts(net: Network) -> dict[str, Any]:
    """What tells a network from others, as plain data."""
    return {
        "name": net.name,
        "weights_hash": net.weights_hash,
        "spec": net.spec,
        "preprocess": json.loads(json.dumps(asdict(net.preprocess))),
    }
