"""pellucid: see through vision networks."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

# The public names, for those who read without running: `as` says to them that it is public.
if TYPE_CHECKING:
    from pellucid.atlas.atlas import Atlas as Atlas
    from pellucid.atlas.map import Map as Map
    from pellucid.atlas.patches import top_patches as top_patches
    from pellucid.atlas.stream import stream as stream
    from pellucid.attacked import Attacked as Attacked
    from pellucid.box import Box as Box
    from pellucid.comparison import Comparison as Comparison
    from pellucid.curve import Curve as Curve
    from pellucid.cutout import Cutout as Cutout
    from pellucid.errors import PellucidError as PellucidError
    from pellucid.errors import Unknown as Unknown
    from pellucid.facet import Facets as Facets
    from pellucid.fields import Field as Field
    from pellucid.fields import fields as fields
    from pellucid.film import Film as Film
    from pellucid.fooled import Fooled as Fooled
    from pellucid.heatmap import Heatmap as Heatmap
    from pellucid.heatmap import Heatmaps as Heatmaps
    from pellucid.images import Photo as Photo
    from pellucid.images import open_image as open_image
    from pellucid.inverted import Inverted as Inverted
    from pellucid.judgement import Badge as Badge
    from pellucid.judgement import Judgement as Judgement
    from pellucid.layers import Layer as Layer
    from pellucid.layout import Layout as Layout
    from pellucid.make.fourier import fourier as fourier
    from pellucid.make.objectives import channel as channel
    from pellucid.make.objectives import class_score as class_score
    from pellucid.make.objectives import cosine as cosine
    from pellucid.make.objectives import direction as direction
    from pellucid.make.objectives import diversity as diversity
    from pellucid.make.objectives import layer as layer
    from pellucid.make.objectives import neuron as neuron
    from pellucid.make.objectives import unit as unit
    from pellucid.make.others import others as others
    from pellucid.make.painting.training import train_stylist as train_stylist
    from pellucid.make.penalties import alpha_norm as alpha_norm
    from pellucid.make.penalties import difference as difference
    from pellucid.make.penalties import l2 as l2
    from pellucid.make.penalties import total_variation as total_variation
    from pellucid.make.phase import phase as phase
    from pellucid.make.pixels import pixels as pixels
    from pellucid.method import Step as Step
    from pellucid.method import method as method
    from pellucid.neighbours import Neighbours as Neighbours
    from pellucid.network import Network as Network
    from pellucid.option import Help as Help
    from pellucid.patches import Patch as Patch
    from pellucid.patches import Patches as Patches
    from pellucid.pointing import Pointing as Pointing
    from pellucid.pointing import PointingGame as PointingGame
    from pellucid.pointing import pointing as pointing
    from pellucid.pointing import pointing_game as pointing_game
    from pellucid.portrait import Portrait as Portrait
    from pellucid.preprocess import Frame as Frame
    from pellucid.preprocess import Preprocess as Preprocess
    from pellucid.progress import follow as follow
    from pellucid.progress import progress as progress
    from pellucid.quilted import Quilted as Quilted
    from pellucid.recipe import Recipe as Recipe
    from pellucid.record import Recording as Recording
    from pellucid.record import recording as recording
    from pellucid.replay import Replay as Replay
    from pellucid.replay import replay as replay
    from pellucid.results import Grid as Grid
    from pellucid.results import Picture as Picture
    from pellucid.results import Ranking as Ranking
    from pellucid.results import Result as Result
    from pellucid.segmented import Segmentation as Segmentation
    from pellucid.stock import photos as photos
    from pellucid.unit import Unit as Unit
    from pellucid.verdict import Verdict as Verdict
    from pellucid.zoo import load as load
    from pellucid.zoo import networks as networks

# Where the public names live; the methods are found by the register.
_HOMES = {
    "atlas.patches": ("top_patches",),
    "atlas.atlas": ("Atlas",),
    "atlas.map": ("Map",),
    "atlas.stream": ("stream",),
    "attacked": ("Attacked",),
    "box": ("Box",),
    "comparison": ("Comparison",),
    "cutout": ("Cutout",),
    "errors": ("PellucidError", "Unknown"),
    "facet": ("Facets",),
    "fields": ("Field", "fields"),
    "film": ("Film",),
    "fooled": ("Fooled",),
    "images": ("Photo", "open_image"),
    "inverted": ("Inverted",),
    "curve": ("Curve",),
    "judgement": ("Badge", "Judgement"),
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
    "progress": ("follow", "progress"),
    "quilted": ("Quilted",),
    "recipe": ("Recipe",),
    "record": ("Recording", "recording"),
    "replay": ("Replay", "replay"),
    "heatmap": ("Heatmap", "Heatmaps"),
    "results": ("Grid", "Picture", "Ranking", "Result"),
    "segmented": ("Segmentation",),
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
