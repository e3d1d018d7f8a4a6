"""What a worker tells of an atlas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import replace
from functools import wraps
from pathlib import PurePath
from typing import Any

import torch

from pellucid.app.lab.bench import Bench
from pellucid.app.lab.outcome import Outcome
from pellucid.app.lab.shelf import Shelf
from pellucid.app.lab.wall_room import hung
from pellucid.atlas.maps import mapping, sketch
from pellucid.atlas.nearest import nearest
from pellucid.atlas.patches import patches_of
from pellucid.atlas.pixel_space import as_seen, opened
from pellucid.atlas.projections import PROJECTIONS, Projection
from pellucid.errors import PellucidError, Unknown
from pellucid.images import Photo, thumbnail
from pellucid.method import Step
from pellucid.page import LANGUAGES, Language
from pellucid.patches import Patch

Work = Generator[Step, None, Outcome]
MOST_NEAR = 24  # neighbours of one photo
LARGE, CROP = 480, 224  # px: the longer side of a photo's picture, of a patch's
HANDED = 2048  # px: the longer side of a photo that is handed to another tab


def _told(task: Callable[..., Work]) -> Callable[..., Work]:
    """What goes wrong in a task, without this machine's folders."""

    @wraps(task)
    def told(bench: Bench, **given: Any) -> Work:
        with bench.shelf.plain():
            return (yield from task(bench, **given))

    return told


@_told
def draw(bench: Bench, *, layer: str, method: Projection = "tsne", quick: bool = False) -> Work:
    """The map of all photos, as a file for the page.

    Args:
        quick: PCA, neither measured nor kept; where the map that was asked for is kept, that.
    """
    shelf = bench.shelf
    _layer(shelf, layer)
    if method not in PROJECTIONS:
        raise Unknown("map method", method, PROJECTIONS)
    yield Step(0, 1, "")
    kept = f"{method}-{layer}-0" in shelf.atlas.maps
    if quick and not kept:
        made = sketch(shelf.atlas, layer)
    else:
        made = yield from mapping(shelf.atlas, method, layer=layer)
    return Outcome(shelf.drawn(made) | {"final": kept or not quick, "how": made.how})


@_told
def unpack(bench: Bench) -> Work:
    """The thumbnails of all photos, as files for the page."""
    yield from bench.shelf.unpack()
    return Outcome({"sheets": bench.shelf.sheets})


@_told
def look(
    bench: Bench,
    *,
    layer: str,
    row: int | None = None,
    photo: list[str] | None = None,
    count: int = 8,
) -> Work:
    """A photo, and what is nearest to it in features and in pixels.

    Args:
        row: of the atlas; or
        photo: from elsewhere: where it is and what it is called.
    """
    shelf = bench.shelf
    atlas = shelf.atlas
    _layer(shelf, layer)
    if not isinstance(count, int) or not 1 <= count <= MOST_NEAR:
        raise PellucidError(f"1 to {MOST_NEAR} neighbours can be asked for, not {count}")
    yield Step(0, 1, "")
    if photo is not None:
        given = bench.photo(*photo)
        about, picture = _seen(shelf, given, photo[1] or given.source), given
        asked: Any = given
    else:
        asked = shelf.row(row)
        about, picture = shelf.known(asked), opened(atlas.thumbnails([asked]), [asked])[0]
        try:
            picture = atlas.photo(asked)
        except PellucidError:
            about["gone"] = True  # the file; its thumbnail is in the atlas
    small = picture if photo else opened(atlas.thumbnails([asked]), [asked])[0]
    found = atlas.neighbours(asked, count=count, layer=layer)[0]
    features = [shelf.known(near.row) | {"distance": near.distance} for near in found.features]
    plain: list[dict[str, Any]] | None = None
    if photo is not None or len(shelf.rows) == len(atlas):
        yield from shelf.unpack()
    table = shelf.pixels()
    if table is not None:
        own = -1 if photo else asked
        query = table[[own]].float() if own >= 0 else as_seen(small)
        far, rows = nearest(query, table, count, "l2", torch.tensor([own]))
        pairs = zip(rows[0].tolist(), (far[0] / 255).tolist(), strict=True)
        plain = [shelf.known(near) | {"distance": distance} for near, distance in pairs]
    shelf.ensure(one["row"] for one in [*features, *(plain or [])])
    about |= {"layer": layer, "features": features, "pixels": plain}
    return Outcome(about, {"photo.jpg": thumbnail(picture, LARGE, 85)})


@_told
def hand(bench: Bench, *, row: int) -> Work:
    """A photo of the collection, read again, for another tab."""
    shelf = bench.shelf
    row = shelf.row(row)
    yield Step(0, 1, "")
    photo = shelf.atlas.photo(row)
    name = shelf.name(row).rsplit("#")[-1].rsplit(".", 1)[0] or f"photo-{row}"
    return Outcome({"row": row}, {f"{name}.jpg": thumbnail(photo, HANDED, 95)})


@_told
def channels(bench: Bench, *, layer: str) -> Work:
    """Of each channel of a layer how often it is active, and what its best photos show."""
    shelf = bench.shelf
    _layer(shelf, layer)
    yield Step(0, 1, layer)
    best, found = shelf.atlas.best(layer), shelf.atlas.statistics(layer)
    labels, listed = shelf.atlas.images.labels, []
    for channel, images in enumerate(best.images.tolist()):
        names = Counter(labels[row] for row in images if row >= 0 and labels[row])
        label, times = names.most_common(1)[0] if names else ("", 0)
        listed.append(
            {
                "channel": channel,
                "active": float(found.active[channel]),
                "label": label,
                "times": times,
                "of": sum(row >= 0 for row in images),
            }
        )
    return Outcome({"layer": layer, "channels": listed})


@_told
def channel(
    bench: Bench, *, layer: str, channel: int, negative: bool = False, count: int = 12
) -> Work:
    """The best patches of a channel, and how it answers to the collection."""
    shelf = bench.shelf
    _layer(shelf, layer)
    if isinstance(channel, bool) or not isinstance(channel, int):
        raise PellucidError(f"a channel is a whole number, not {channel!r}")
    made = yield from patches_of(
        shelf.atlas, layer, channel, keep=max(1, min(int(count), MOST_NEAR)), negative=negative
    )
    # Whoever gets the picture is not told where on this machine the atlas is.
    known = made.recipe.atlas | {"place": PurePath(made.recipe.atlas["place"]).name}
    made = replace(made, recipe=replace(made.recipe, atlas=known))
    found = shelf.atlas.statistics(layer)
    patches = made[channel]
    shelf.ensure(one.row for one in patches)
    told = [shelf.known(one.row) | _placed(one) for one in patches]
    files = {
        f"{number}.jpg": thumbnail(Photo(one.pixels), CROP, 88)
        for number, one in enumerate(patches)
    }
    facts = {
        "layer": layer,
        "channel": channel,
        "negative": negative,
        "images": found.images,
        "patches": told,
        "status": made.status,
        "edges": found.edges[channel].tolist(),
        "counts": found.counts[channel].tolist(),
    }
    facts |= {
        name: float(getattr(found, name)[channel])
        for name in ("mean", "highest", "lowest", "active")
    }
    side = "-negative" if negative else ""
    return Outcome(facts, files | {f"{layer}-{channel}{side}.png": made.file(".png")})


@_told
def wall(bench: Bench, *, layer: str, method: Projection = "tsne", lang: Language = "en") -> Work:
    """The photos side by side, as a page in the folder that is served."""
    shelf = bench.shelf
    _layer(shelf, layer)
    if method not in PROJECTIONS:
        raise Unknown("map method", method, PROJECTIONS)
    if lang not in LANGUAGES:
        raise Unknown("language", lang, LANGUAGES)
    folder, told = yield from hung(shelf, layer, method, lang)
    return Outcome({"folder": folder, "caption": told})


def _layer(shelf: Shelf, layer: str) -> None:
    if layer not in shelf.atlas.layers:
        raise Unknown("surveyed layer", layer, shelf.atlas.layers)


def _seen(shelf: Shelf, photo: Photo, name: str) -> dict[str, Any]:
    """What there is to say of a photo that is not in the collection."""
    net = shelf.atlas.network()
    sees, share = "", 0.0
    if shelf.atlas.classes:
        crop = net.preprocess.crop(photo)[0]
        with net.at_rest(), torch.no_grad():
            scores = net.scores(net.preprocess.normalise(crop[None]).to(net.device, net.dtype))
        best = scores[0].float().softmax(0).cpu().max(0)
        sees, share = shelf.atlas.classes[int(best.indices)].split(",")[0], float(best.values)
    height, width = photo.size
    return {
        "row": None, "label": "", "file": name.removeprefix("photo:"), "size": [height, width],
        "sees": sees, "share": share, "right": None,
    }  # fmt: skip


def _placed(patch: Patch) -> dict[str, Any]:
    """A patch's value, and its box as shares of the photo's height and width."""
    height, width = patch.size
    top, left, bottom, right = patch.box
    return {
        "value": patch.value,
        "place": list(patch.place),
        "box": [top / height, left / width, bottom / height, right / width],
        "gone": bool(patch.why),
    }


TASKS = {
    "collection map": draw,
    "collection unpack": unpack,
    "collection photo": look,
    "collection hand": hand,
    "collection channels": channels,
    "collection channel": channel,
    "collection wall": wall,
}
