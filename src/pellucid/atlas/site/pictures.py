"""Pictures: what the pages show of some units, as the contents of files."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from jaxtyping import Float
from torch import Tensor

from pellucid.atlas.site.crops import crops, sheet
from pellucid.atlas.site.guiding import guided
from pellucid.atlas.site.ward import Ward
from pellucid.errors import PellucidError
from pellucid.images import Photo
from pellucid.make.features import features
from pellucid.method import Step
from pellucid.pictures import file_bytes
from pellucid.recipe import versions

Made = tuple[dict[str, bytes], dict[str, Any]]  # files by name, and facts about them
QUALITY = 82  # of JPEG


def patches_origin(ward: Ward, channels: tuple[int, ...]) -> dict[str, Any]:
    """All that the patches of some units are made of, as plain data."""
    sums = ward.atlas.images.checksums
    spots = [[[sums[row], at] for row, at, _ in ward.spots(channel)] for channel in channels]
    return {
        "network": ward.net.weights_hash,
        "input": str(ward.net.preprocess),
        "layer": ward.name,
        "channels": list(channels),
        "spots": spots,
        "versions": versions(),
    }


def patches(ward: Ward, channels: tuple[int, ...], opened: Callable[[int], Photo]) -> Made:
    """The best patches of some units, and the guided gradient in each: two sheets for a unit.

    Args:
        opened: gives the photo of a row.
    """
    spots = [(channel, row, at) for channel in channels for row, at, _ in ward.spots(channel)]
    photos: dict[int, Photo | None] = {}
    for _, row, _ in spots:
        if row not in photos:
            try:
                photos[row] = opened(row)
            except PellucidError:  # it was there during the survey
                photos[row] = None
    there = [(spot, photo) for spot in spots if (photo := photos[spot[1]]) is not None]
    gradients: dict[tuple[int, int, int], Tensor] = {}
    why = ""
    if there:
        places = [(channel, at) for (channel, _, at), _ in there]
        try:
            maps, _ = guided(ward.net, ward.name, [photo for _, photo in there], places)
            gradients = dict(zip((spot for spot, _ in there), maps, strict=True))
        except PellucidError as error:
            why = str(error)
    files: dict[str, bytes] = {}
    for channel in channels:
        own = [spot for spot in spots if spot[0] == channel]
        if not own:
            continue
        tiles = [
            crops(ward.net, ward.layer, photos[row], at, gradients.get((channel, row, at)))
            for _, row, at in own
        ]
        stem = f"{ward.folder}/{channel}"
        files[f"{stem}-patches.jpg"] = _jpeg(sheet([first for first, _ in tiles]))
        if gradients:
            files[f"{stem}-guided.jpg"] = _jpeg(sheet([second for _, second in tiles]))
    lost = sum(photo is None for photo in photos.values())
    return files, {"why": why, "lost": lost, "guided": bool(gradients)}


def drawing_origin(
    ward: Ward, channels: tuple[int, ...], settings: dict[str, Any]
) -> dict[str, Any]:
    """All that the drawings of some units are made of, as plain data."""
    return {
        "network": ward.net.weights_hash,
        "module": repr(ward.net.module),
        "input": str(ward.net.preprocess),
        "device": ward.net.device.type,
        "layer": ward.name,
        "channels": list(channels),
        "settings": settings,
        "versions": versions(),
    }


def drawn(
    ward: Ward, channels: tuple[int, ...], settings: dict[str, Any]
) -> Generator[Step, None, Made]:
    """What some units look for, one picture of each: the method `features`.

    Args:
        settings: of it, with "steps".

    Raises:
        KeyboardInterrupt: also where the method itself would end early with a sketch.
    """
    words = "; ".join(map(str, channels))
    work = features.steps(ward.net, ward.name, channels=words, batch=len(channels), **settings)
    try:
        while True:
            try:
                step = next(work)
            except StopIteration as end:
                made = end.value
                break
            yield step
    finally:
        work.close()
    if made.recipe.settings["steps"] != settings["steps"] or len(made.values) != len(channels):
        raise KeyboardInterrupt
    empty = (made.dead | made.silent).tolist()
    files = {
        f"{ward.folder}/{channel}-drawn.jpg": _jpeg(picture.expand(3, -1, -1))
        for channel, picture, nothing in zip(channels, made.values, empty, strict=True)
        if not nothing
    }
    facts = {
        "command": features.command(made.recipe),
        "scores": made.scores.tolist(),
        "empty": empty,
    }
    return files, facts


def _jpeg(image: Float[Tensor, "3 height width"]) -> bytes:
    eight = (image.detach().cpu().float().clamp(0, 1) * 255).round().byte()
    return file_bytes(eight, quality=QUALITY)
