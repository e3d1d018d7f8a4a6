"""Recipe: how a picture was made, written into it, and read back."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib.metadata import version
from itertools import count, takewhile
from typing import Any

import torch
from torch import Tensor

from pellucid.assets import BUNDLED
from pellucid.errors import PellucidError
from pellucid.images import Photo
from pellucid.notebook import folded, pre

FORMAT = 1


@cache
def versions() -> dict[str, str]:
    """Versions of what decides about pixels."""
    return {
        **{name: version(name) for name in ("pellucid", "torch", "pillow")},
        "python": platform.python_version(),
    }


@dataclass(frozen=True)
class Recipe:
    """Everything that a picture depends on, as plain data.

    Attributes:
        method: name in the register.
        settings: all keyword arguments, defaults written out; plain JSON values.
        network: `name`, `weights_hash`, `spec` (arguments of `load()`; empty for one's own
            module) and `device`.
        photos: one {"source", "hash"} for each photo argument, by its name; several of one
            argument are "NAME#1", "NAME#2", ….
        seed: of all random numbers.
        versions: of pellucid, torch, Pillow and Python, and of `package`.
        values: SHA-256 of the result's values, 16 digits: what a replay compares.
        drawing: how the result was drawn where that is not its own way, as the name of one of
            its methods and that method's arguments: ["over", {"opacity": 0.85}].
        package: that the method is a plug-in of; empty for pellucid's own.
        atlas: that it is a picture of: its `place`, its `images` and what stands for their names.
    """

    method: str
    settings: dict[str, Any]
    network: dict[str, Any] = field(default_factory=dict)
    photos: dict[str, dict[str, str]] = field(default_factory=dict)
    seed: int = 0
    versions: dict[str, str] = field(default_factory=versions)
    values: str = ""
    drawing: tuple[str, dict[str, Any]] | None = None
    package: str = ""
    atlas: dict[str, Any] = field(default_factory=dict)

    def json(self) -> str:
        """As text, keys sorted, so that the same recipe is always the same text."""
        data = {"format": FORMAT, **asdict(self)}
        for name in ("package", "atlas"):
            if not data[name]:
                del data[name]
        return json.dumps(data, sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> Recipe:
        """Back from text.

        Raises:
            PellucidError: not a recipe, or of a later format.
        """
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise PellucidError(f"there is no readable recipe in it ({error})") from None
        if not isinstance(data, dict) or not isinstance(data.get("format"), int):
            raise PellucidError("there is no readable recipe in it (it has no format)")
        if data.pop("format") > FORMAT:
            raise PellucidError("this recipe is of a later version of pellucid")
        wrong = [name for name, fits in _SHAPES.items() if not fits(data.get(name))]
        wrong += [name for name in data if name not in _SHAPES]
        if wrong:
            raise PellucidError(f"this recipe is damaged: see its {', '.join(map(repr, wrong))}")
        drawing = data.pop("drawing")
        return cls(**data, drawing=(drawing[0], drawing[1]) if drawing else None)

    def drawn(self, how: str, **arguments: Any) -> Recipe:
        """The same recipe for another drawing of the result."""
        return replace(self, drawing=(how, arguments))

    def command(self) -> str:
        """The shell command that makes the same result."""
        from pellucid.register import entry, remaker

        if self.atlas:
            told: str = remaker().command(self)
            return told
        return entry(self.method, self.package).load().command(self)

    def _repr_html_(self) -> str:
        try:
            command = pre(self.command())
        except (PellucidError, LookupError):  # of what is no method, or from a file of anybody's
            command = ""
        return folded("recipe", command + pre(json.dumps(json.loads(self.json()), indent=1)))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _is_photos(value: Any) -> bool:
    rows = value.values() if isinstance(value, dict) else [None]
    return all(
        isinstance(row, dict)
        and row.keys() == {"source", "hash"}
        and all(map(_is_text, row.values()))
        for row in rows
    )


def _is_drawing(value: Any) -> bool:
    pair = isinstance(value, list) and len(value) == 2
    return value is None or (pair and _is_text(value[0]) and _is_table(value[1]))


# What a recipe from a file must look like, whoever wrote it.
_SHAPES: dict[str, Callable[[Any], bool]] = {
    "method": _is_text,
    "settings": _is_table,
    "network": _is_table,
    "photos": _is_photos,
    "seed": lambda value: isinstance(value, int),
    "versions": lambda value: _is_table(value) and all(map(_is_text, value.values())),
    "values": _is_text,
    "drawing": _is_drawing,
    "package": lambda value: value is None or _is_text(value),
    "atlas": lambda value: value is None or (_is_table(value) and _is_text(value.get("place"))),
}


def values_hash(values: Tensor) -> str:
    """SHA-256 of a tensor's shape, type and bytes, 16 hexadecimal digits."""
    digest = hashlib.sha256(f"{values.dtype} {tuple(values.shape)}".encode())
    flat = values.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    digest.update(flat.numpy().data)
    return digest.hexdigest()[:16]


def told(photos: Mapping[str, Photo | tuple[Photo, ...]]) -> dict[str, dict[str, str]]:
    """Photo arguments as a recipe has them."""
    flat: dict[str, Photo] = {}
    for name, given in photos.items():
        if isinstance(given, tuple):
            flat |= {f"{name}#{number}": photo for number, photo in enumerate(given, start=1)}
        else:
            flat[name] = given
    return {key: {"source": photo.source, "hash": photo.hash} for key, photo in flat.items()}


def keys(photos: Mapping[str, Any], name: str) -> list[str]:
    """The keys of one photo argument among those of a recipe, in order."""
    if name in photos:
        return [name]
    return list(takewhile(photos.__contains__, (f"{name}#{number}" for number in count(1))))


def network_flags(network: dict[str, Any]) -> list[str]:
    """The network of a recipe in the words of the shell; none for the bundled one."""
    spec = network.get("spec") or {"name": network.get("name", "")}
    flags = []
    for name, value in spec.items():
        if name == "name":
            flags += ["--network", str(value)] if value != BUNDLED else []
        elif value is not None:
            flags += [f"--{name}", str(value)]
    return flags
