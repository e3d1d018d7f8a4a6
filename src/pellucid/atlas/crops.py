"""Crops: the places that a survey names, cut from their photos."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid import tiles
from pellucid.atlas.best import NONE, Best
from pellucid.box import Box
from pellucid.counted import counted
from pellucid.errors import PellucidError
from pellucid.explain.guided import guided as guided_gradient
from pellucid.fields.axis import Status
from pellucid.images import Photo
from pellucid.layers import Layer
from pellucid.method import Step
from pellucid.network import Network
from pellucid.patches import Patch, Patches, cut
from pellucid.recipe import Recipe, values_hash

SMALL = 192  # px, the longer side of a photo that is kept whole


@dataclass(frozen=True)
class Source:
    """One photo of a collection, not opened yet.

    Attributes:
        row: its number, which `Best.images` names.
    """

    row: int
    uri: str
    opened: Callable[[], Photo]


def gathered(
    net: Network,
    layer: str,
    best: Best,
    channels: Sequence[int],
    sources: Iterable[Source],
    *,
    negative: bool = False,
    guided: bool = False,
) -> Generator[Step, None, Patches]:
    """The patches that `best` names, cut from their photos, each photo opened once.

    Args:
        sources: the photos that `best` names for these channels.
    """
    known = net.layer(layer) if layer else net.layers[""]
    places: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, channel in enumerate(channels):
        for rank, row in enumerate(best.images[channel].tolist()):
            if row != NONE:
                places[row].append((number, rank))
    found: dict[tuple[int, int], Patch] = {}
    for done, source in enumerate(sources, 1):
        units = [
            (key, channels[key[0]], int(best.places[channels[key[0]], key[1]]))
            for key in places[source.row]
        ]
        heights = [float(best.values[channel, key[1]]) for key, channel, _ in units]
        cuts = _cuts(net, known, source, [unit[1:] for unit in units], heights, guided)
        found |= {key: patch for (key, _, _), patch in zip(units, cuts, strict=True)}
        yield Step(done, len(places), f"cutting from {done:,} of {len(places):,} photos")
    rows = tuple(
        tuple(
            found[number, rank] for rank in range(best.images.shape[1]) if (number, rank) in found
        )
        for number in range(len(channels))
    )
    values = best.values[list(channels)].clone()
    values[best.images[list(channels)] == NONE] = torch.nan
    settings = {
        "layer": layer, "channels": list(channels), "keep": values.shape[1],
        "negative": negative, "guided": guided,
    }  # fmt: skip
    network = {
        "name": net.name, "weights_hash": net.weights_hash, "spec": net.spec,
        "device": net.device.type,
    }  # fmt: skip
    status = seen(known)
    return Patches(
        values=values,
        caption=_told(known, channels, negative, rows),
        recipe=Recipe("top_patches", settings, network=network, values=values_hash(values)),
        layer=layer,
        channels=tuple(channels),
        found=rows,
        status=status,
    )


def seen(layer: Layer) -> Status:
    """How far a layer's boxes are to be trusted; "whole" where its units have no places."""
    field = layer.field
    if field is None or field.grid != layer.layout.grid:
        return "whole"
    return field.status


def boxes(
    layer: Layer, place: tuple[int, int], image: tuple[int, int]
) -> tuple[Box[int], Box[int]]:
    """What a unit sees of the network's input, and what it would see if that had no edges.

    Of a unit whose window is larger than the input, the second is the input.
    """
    field = layer.field
    if seen(layer) == "whole" or field is None:
        whole = Box(0, 0, *image)
        return whole, whole
    box, spans = field.box(*place), []
    for axis, at, first, last, length in (
        (field.vertical, place[0], box.top, box.bottom, image[0]),
        (field.horizontal, place[1], box.left, box.right, image[1]),
    ):
        low, high = axis.span(at)
        fits = high - low <= length
        spans.append((min(low, first), max(high, last)) if fits else (0, length))
    return box, Box(spans[0][0], spans[1][0], spans[0][1], spans[1][1])


def _cuts(
    net: Network,
    layer: Layer,
    source: Source,
    units: Sequence[tuple[int, int]],
    values: Sequence[float],
    guided: bool,
) -> list[Patch]:
    """The patches of one photo, for channels and places."""
    width = layer.layout.grid[1]
    places = [(at // width, at % width) for _, at in units]
    image = net.preprocess.size
    both = [boxes(layer, place, image) for place in places]
    try:
        photo, why = source.opened(), ""
    except PellucidError as error:  # it was there during the survey
        photo, why = Photo(torch.zeros(3, *image, dtype=torch.uint8)), str(error)
    frame = net.preprocess.frame(photo.size)
    names = [
        f"{layer.name}:{channel}@{y},{x}"
        for (channel, _), (y, x) in zip(units, places, strict=True)
    ]
    maps = _guided(net, photo, names) if guided and not why else None
    small = _small(photo)
    made = []
    for number, (place, (box, window)) in enumerate(zip(places, both, strict=True)):
        in_photo = frame.box(Box(*map(float, box)))
        part = None
        if maps is not None:
            part = maps[number][:, box.top : box.bottom, box.left : box.right].clone()
        made.append(
            Patch(
                source=source.uri,
                row=source.row,
                place=place,
                value=values[number],
                box=in_photo,
                window=frame.box(Box(*map(float, window))),
                pixels=cut(photo.pixels, in_photo),
                photo=small,
                size=photo.size,
                guided=part,
                why=why,
            )
        )
    return made


def _guided(
    net: Network, photo: Photo, names: Sequence[str]
) -> Float[Tensor, "units channels height width"]:
    """Guided gradients of some units, together: they share the passes."""
    alike = list(dict.fromkeys(names))
    grid = guided_gradient.bare(net, photo, target="; ".join(alike), reduce="colour")
    by_name = dict(zip(alike, grid.values, strict=True))
    return torch.stack([by_name[name] for name in names])


def _small(photo: Photo) -> Tensor:
    height, width = photo.size
    scale = min(1.0, SMALL / max(height, width))
    if scale == 1:
        return photo.pixels
    size = max(1, round(height * scale)), max(1, round(width * scale))
    return (tiles.resized(photo.floats(), size) * 255).round().byte()


def _told(
    layer: Layer,
    channels: Sequence[int],
    negative: bool,
    rows: Sequence[Sequence[Patch]],
) -> str:
    name = layer.name or "the scores"
    which = f"{name}:{channels[0]}" if len(channels) == 1 else f"{len(channels)} channels of {name}"
    most = "most negative" if negative else "greatest"
    kept = max(map(len, rows))
    if not kept:
        are = "is" if len(channels) == 1 else "are"
        return f"{which} {are} " + ("never negative" if negative else "0 in every photo")
    text = f"{which}: the {kept} {most} places of each"
    if len(channels) == 1:
        text = f"{which}: the {counted(kept, f'{most} place')}"
    nothing = sum(not row for row in rows)
    if nothing:
        text += f" ({nothing} of them {'never negative' if negative else '0 in every photo'})"
    unread = sum(bool(one.why) for row in rows for one in row)
    more = {"exact": "", "at most": "; boxes are upper bounds", "whole": "; crops are whole"}
    return (
        text
        + more[seen(layer)]
        + (f"; {counted(unread, 'photo')} can no longer be read" * (unread > 0))
    )
