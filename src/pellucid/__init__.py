"""pellucid: see through vision networks."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

# ruff: noqa: F401 (the public names, for those who read without running)
if TYPE_CHECKING:
    from pellucid.atlas.atlas import Atlas
    from pellucid.atlas.map import Map
    from pellucid.atlas.patches import top_patches
    from pellucid.atlas.stream import stream
    from pellucid.box import Box
    from pellucid.comparison import Comparison
    from pellucid.cutout import Cutout
    from pellucid.errors import PellucidError, Unknown
    from pellucid.facet import Facets
    from pellucid.fields import Field, fields
    from pellucid.film import Film
    from pellucid.heatmap import Heatmap, Heatmaps
    from pellucid.images import Photo, open_image
    from pellucid.judgement import Badge, Curve, Judgement
    from pellucid.layers import Layer
    from pellucid.layout import Layout
    from pellucid.make.fourier import fourier
    from pellucid.make.objectives import (
        channel,
        class_score,
        cosine,
        direction,
        diversity,
        layer,
        neuron,
        unit,
    )
    from pellucid.make.others import others
    from pellucid.make.painting.training import train_stylist
    from pellucid.make.penalties import alpha_norm, difference, l2, total_variation
    from pellucid.make.phase import phase
    from pellucid.make.pixels import pixels
    from pellucid.method import Step, method
    from pellucid.neighbours import Neighbours
    from pellucid.network import Network
    from pellucid.option import Help
    from pellucid.patches import Patch, Patches
    from pellucid.pointing import Pointing, PointingGame, pointing, pointing_game
    from pellucid.portrait import Portrait
    from pellucid.preprocess import Frame, Preprocess
    from pellucid.recipe import Recipe
    from pellucid.record import Recording, recording
    from pellucid.replay import Replay, replay
    from pellucid.results import Grid, Picture, Ranking, Result
    from pellucid.stock import photos
    from pellucid.unit import Unit
    from pellucid.verdict import Verdict
    from pellucid.zoo import load, networks

# Where the public names live; the methods are found by the register.
_HOMES = {
    "atlas.patches": ("top_patches",),
    "atlas.atlas": ("Atlas",),
    "atlas.map": ("Map",),
    "atlas.stream": ("stream",),
    "box": ("Box",),
    "comparison": ("Comparison",),
    "cutout": ("Cutout",),
    "errors": ("PellucidError", "Unknown"),
    "facet": ("Facets",),
    "fields": ("Field", "fields"),
    "film": ("Film",),
    "images": ("Photo", "open_image"),
    "judgement": ("Badge", "Curve", "Judgement"),
    "layers": ("Layer",),
    "layout": ("Layout",),
    "make.fourier": ("fourier",),
    "make.painting.training": ("train_stylist",),
    "make.objectives": (
        "channel",
        "class_score",
        "cosine",
        "direction",
        "diversity",
        "layer",
        "neuron",
        "unit",
    ),
    "make.others": ("others",),
    "make.penalties": ("alpha_norm", "difference", "l2", "total_variation"),
    "make.phase": ("phase",),
    "make.pixels": ("pixels",),
    "method": ("Step", "method"),
    "neighbours": ("Neighbours",),
    "network": ("Network",),
    "option": ("Help",),
    "patches": ("Patch", "Patches"),
    "pointing": ("Pointing", "PointingGame", "pointing", "pointing_game"),
    "portrait": ("Portrait",),
    "preprocess": ("Frame", "Preprocess"),
    "recipe": ("Recipe",),
    "record": ("Recording", "recording"),
    "replay": ("Replay", "replay"),
    "heatmap": ("Heatmap", "Heatmaps"),
    "results": ("Grid", "Picture", "Ranking", "Result"),
    "stock": ("photos",),
    "unit": ("Unit",),
    "verdict": ("Verdict",),
    "zoo": ("load", "networks"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    found: Any
    if name == "__all__":
        # Without the plug-ins: a star must not import them all.
        from pellucid.register import ours

        found = sorted([*_HOME, *ours()])
    elif name in _HOME:
        found = getattr(import_module(f"pellucid.{_HOME[name]}"), name)
    else:
        found = _method(name)
    globals()[name] = found
    return found


def _method(name: str) -> Any:
    import warnings

    from pellucid.errors import PellucidError
    from pellucid.register import entries, plugins, rivals

    if name not in entries():
        broken = [each.broken(each.problem) for each in plugins() if each.name == name]
        why = f": {broken[0]}" if broken else ""
        raise AttributeError(f"module 'pellucid' has no attribute {name!r}{why}")
    for told in rivals(name):
        warnings.warn(told, stacklevel=3)
    try:
        return entries()[name].load()
    except PellucidError as error:  # what looks for a name in vain is told so as Python does
        raise AttributeError(str(error)) from error


def __dir__() -> list[str]:
    from pellucid.register import entries

    return sorted([*_HOME, *entries(), "__version__"])


class _House(ModuleType):
    """Keeps `pellucid.fields` the function, where importing the file would bind the file."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _House
