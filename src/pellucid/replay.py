"""replay(): the same picture again, from the recipe inside it."""

from __future__ import annotations

import html
import inspect
import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from torch import nn

from pellucid.errors import PellucidError
from pellucid.heatmap import redrawn
from pellucid.images import Photo, open_image
from pellucid.method import Method
from pellucid.movies import film_text
from pellucid.network import Network
from pellucid.pictures import text_inside
from pellucid.recipe import Recipe, keys, versions
from pellucid.register import entry, remaker
from pellucid.results import Result
from pellucid.zoo import load

MOST_BYTES = 10_000_000  # of a recipe; a small file can unpack into gigabytes


@dataclass(frozen=True)
class Replay:
    """A result made again.

    Attributes:
        result: the new result, drawn like the old one.
        same: whether its values equal the old ones bit for bit.
        differences: what is not as it was (weights, versions, photo, device), in words.
    """

    result: Result
    same: bool
    differences: tuple[str, ...]

    def _repr_html_(self) -> str:
        verdict = "the same, bit for bit" if self.same else "; ".join(self.differences)
        return f"{self.result._repr_html_()}<p>{html.escape(verdict)}</p>"


def replay(
    path: str | os.PathLike[str],
    *,
    network: Network | None = None,
    photo: Any = None,
    atlas: Any = None,
) -> Replay:
    """Makes the result in a file again.

    Args:
        path: a PNG, npz or safetensors file that pellucid saved, or a film.
        network: in place of the recipe's, needed where that was one's own module.
        photo: in place of the recipe's, needed where that had no name or has moved.
        atlas: in place of the recipe's, or the folder of one, needed where that has moved.

    Raises:
        PellucidError: no recipe in the file, or something that it needs cannot be found.
    """
    recipe = read(path)
    if recipe.atlas:
        return _of_atlas(recipe, path, network, photo, atlas)
    if recipe.method == "top_patches":
        raise PellucidError(
            f"{path} was made from a collection that was not kept: make an atlas of it, whose "
            f"pictures can be made again"
        )
    if atlas is not None:
        raise PellucidError(f"{path} was made without an atlas")
    method = _method(recipe, path)
    differences = _changed_versions(recipe, versions() | method.origin)
    net = _network(recipe, path) if network is None else network
    if isinstance(net, nn.Module):
        net = Network(net)
    was = recipe.network
    if net.weights_hash != was.get("weights_hash"):
        differences.append(f"weights: {net.weights_hash} now, {was.get('weights_hash')} then")
    if net.device.type != was.get("device"):
        differences.append(f"device: {net.device.type} now, {was.get('device')} then")
    photos = _photos(recipe, path, photo)
    differences += _changed_photos(recipe, photos)
    given = _arguments(photos)
    clash = {*recipe.settings, *given} & {next(iter(method.options))}
    if clash or recipe.settings.keys() & given.keys():
        raise PellucidError(f"{path}: this recipe is damaged: it sets something twice")
    if recipe.drawing:
        _nearby(recipe.drawing[1].get("photo"), path)
    # A picture may come from anybody: it does not say where on this machine anything is written.
    settings = {
        name: value
        for name, value in recipe.settings.items()
        if name not in method.options or method.options[name].help.names != "folder"
    }
    for name, value in settings.items():
        if name in method.options and method.options[name].help.names == "file":
            _nearby(value, path)
    return _compared(redrawn(method(net, **given, **settings), recipe), recipe, differences)


def _of_atlas(
    recipe: Recipe, path: str | os.PathLike[str], network: Any, photo: Any, atlas: Any
) -> Replay:
    """`replay` of a picture of an atlas."""
    place = recipe.atlas["place"]
    if atlas is None and "://" in place:
        raise PellucidError(
            f"{path} names {place!r}, which is not called unasked: give it as atlas="
        )
    if atlas is None:
        _nearby(place, path)
    photos = _photos(recipe, path, photo)
    made, changed = remaker().replayed(
        recipe,
        place if atlas is None else atlas,
        network,
        [photos[key] for key in keys(photos, "photo")],
    )
    differences = [*_changed_versions(recipe, versions()), *changed]
    return _compared(made, recipe, differences + _changed_photos(recipe, photos))


def _compared(result: Result, recipe: Recipe, differences: list[str]) -> Replay:
    same = result.recipe.values == recipe.values
    if not same and not differences:
        differences.append("values: not the same, though weights, photo and versions are")
    return Replay(result, same, tuple(differences))


def _photos(recipe: Recipe, path: str | os.PathLike[str], instead: Any) -> dict[str, Photo]:
    """The recipe's photos by their names in it."""
    if instead is not None and len(recipe.photos) > 1:
        raise PellucidError(f"{path} was made from several photos: photo= can stand for one only")
    return {name: _photo(known["source"], instead, path) for name, known in recipe.photos.items()}


def _changed_photos(recipe: Recipe, photos: dict[str, Photo]) -> list[str]:
    return [
        f"{name}: its pixels are not those of then"
        for name, known in recipe.photos.items()
        if photos[name].hash != known["hash"]
    ]


def _method(recipe: Recipe, path: str | os.PathLike[str]) -> Method[Any]:
    """The method of a recipe, which may be a plug-in.

    A picture may come from anybody: what it names is said, and not recommended.
    """
    try:
        return entry(recipe.method, recipe.package).load()
    except PellucidError as error:
        if not recipe.package:
            raise
        version = recipe.versions.get(recipe.package, "unknown")
        raise PellucidError(
            f"{path} cannot be made again: {error} (it was made with version {version})"
        ) from None


def _network(recipe: Recipe, path: str | os.PathLike[str]) -> Network:
    """The network that a recipe names, where it may be had without running anybody's code."""
    spec, name = recipe.network.get("spec"), recipe.network.get("name")
    if not spec:
        raise PellucidError(
            f"{path} was made with a network of one's own, {name!r}: give that as network="
        )
    known = inspect.signature(load).parameters.keys() - {"device"}
    if not isinstance(spec, dict) or spec.keys() - known or not isinstance(spec.get("name"), str):
        raise PellucidError(f"{path}: this recipe is damaged: see its network")
    if ".py:" in spec["name"]:
        # A picture may come from anybody; opening it must not run a program that it names.
        raise PellucidError(
            f"{path} was made with the code in {spec['name']}, which is not run unasked: "
            f"give it as the network"
        )
    wrong = [
        key
        for key, value in spec.items()
        if type(value) is not (int if key in ("classes", "seed") else str)
    ]
    if wrong:
        raise PellucidError(f"{path}: this recipe is damaged: see its network's {wrong[0]}")
    for value in spec.values():
        _nearby(value, path)
    try:
        return load(**spec, device=str(recipe.network.get("device")))
    except PellucidError as error:
        if "cannot be used here" not in str(error):
            raise
    return load(**spec)


def _nearby(value: Any, path: str | os.PathLike[str]) -> None:
    """Refuses what lies on another machine, to which Windows would send the user's name and key."""
    if re.match(r"(hf:)?[/\\]{2}", str(value)):
        raise PellucidError(
            f"{path} names {value!r} on another machine, which is not called unasked: give "
            f"it, or a copy of it, yourself"
        )


def _arguments(photos: dict[str, Photo]) -> dict[str, Any]:
    """Photos by argument; "photo#1", "photo#2" are several of one."""
    names = dict.fromkeys(name.partition("#")[0] for name in photos)
    found = {name: [photos[key] for key in keys(photos, name)] for name in names}
    one = {name: photos[name] for name in names if name in photos}
    return {name: several for name, several in found.items() if several} | one


def _photo(source: str, instead: Any, path: str | os.PathLike[str]) -> Photo:
    if instead is not None:
        return open_image(instead)
    if not source:
        raise PellucidError(f"{path} was made from a photo without a name: give it as photo=")
    _nearby(source, path)
    try:
        return open_image(source)
    except PellucidError as error:
        raise PellucidError(f"{error}; if it has moved, give it as photo=") from None


def read(path: str | os.PathLike[str]) -> Recipe:
    """The recipe inside a file that pellucid saved.

    Raises:
        PellucidError: no such file, or none inside.
    """
    file = Path(path)
    if not file.is_file():
        raise PellucidError(f"no file {file}")
    try:
        kind = file.suffix.lower()
        if kind == ".npz":
            # Opened here: numpy leaves a damaged file open.
            with file.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
                if zipfile.ZipFile(opened).getinfo("pellucid.npy").file_size > MOST_BYTES:
                    raise PellucidError(f"{file}: what it says is its recipe is too large for one")
                text = str(arrays["pellucid"])
        elif kind == ".safetensors":
            with safe_open(file, "pt") as tensors:
                text = (tensors.metadata() or {}).get("pellucid", "")
        elif kind == ".mp4":
            text = film_text(file)
        else:
            text = text_inside(file)
    except PellucidError:
        raise
    except Exception as error:  # of zip, zlib, numpy, safetensors: a damaged file has many
        raise PellucidError(f"{file}: no recipe can be read ({error})") from None
    if not text:
        raise PellucidError(
            f"{file} has no recipe inside: it was not saved by pellucid, or re-saved"
        )
    return Recipe.parse(text)


def _changed_versions(recipe: Recipe, now: dict[str, str]) -> list[str]:
    return [
        f"{name}: {now.get(name, 'none')} now, {then} then"
        for name, then in recipe.versions.items()
        if now.get(name) != then
    ]
