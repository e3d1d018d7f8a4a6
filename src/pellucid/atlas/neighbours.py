"""Neighbours of photos, rows, vectors and units in an atlas."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.atlas import index, provenance
from pellucid.atlas.agreement import COUNTS, agreement
from pellucid.atlas.nearest import METRICS, Metric, nearest
from pellucid.atlas.pixel_space import SIDE, as_seen, in_pixels, opened
from pellucid.atlas.query import Query, read, vectors_of
from pellucid.atlas.rows import column
from pellucid.atlas.store import IMAGES
from pellucid.errors import PellucidError, Unknown
from pellucid.method import Step
from pellucid.neighbours import Asked, Near, Neighbours
from pellucid.unit import Unit

if TYPE_CHECKING:
    from pellucid.atlas.atlas import Atlas

Found = tuple[Float[Tensor, "asked count"], Int[Tensor, "asked count"]]
SPACES = {"cosine": "cosine", "l2": "L2"}


def neighbours(
    atlas: Atlas,
    asked: Any,
    *,
    count: int = 8,
    layer: str | None = None,
    metric: Metric = "cosine",
    pixels: bool = False,
) -> Generator[Step, None, Neighbours]:
    """The images of an atlas that are nearest, step by step.

    Args:
        asked: one or a list of these: a row of the atlas, a photo (whatever `open_image` takes), a
            vector of the layer's features, a unit such as "relu7:12" or "class:ant", for which
            the images come that raise it most.
        count: of neighbours.
        layer: a surveyed one, in whose features is searched; the deepest if none.
        metric: "cosine" or "l2".
        pixels: also search among the pixels, and measure label agreement of both.

    Raises:
        Unknown: no such layer, unit or metric.
        PellucidError: a row outside of the atlas, or a vector of another length.
    """
    if metric not in METRICS:
        raise Unknown("metric", metric, METRICS)
    if count < 1:
        raise PellucidError(f"at least 1 neighbour can be asked for, not {count}")
    name = layer if layer is not None else atlas.layers[-1]
    if name not in atlas.layers:
        raise Unknown("surveyed layer", name, atlas.layers, f"(in {atlas.path})")
    several = asked if isinstance(asked, list | tuple) else [asked]
    if not several:
        raise PellucidError("nothing is asked about: the list is empty")
    queries = [read(atlas, one) for one in several]
    yield Step(0, 1, f"searching in {name}")
    far, rows = _by_features(atlas, queries, name, metric, count)
    by_pixels: Found | None = None
    shares: list[tuple[str, dict[int, float]]] = []
    over, facts = "", dict[str, Any]()
    if pixels:
        table = yield from in_pixels(atlas)
        by_pixels = _by_pixels(atlas, queries, table, count)
        labelled = sum(map(bool, atlas.images.labels))
        if labelled > 1:
            yield Step(1, 1, "measuring label agreement")
            labels = atlas.images.labels
            features = agreement(atlas.features(name), labels, metric, COUNTS)
            plain = agreement(table, labels, "l2", COUNTS)
            shares = [(f"features of {name}", features.shares), ("pixels", plain.shares)]
            shares += [("at random", dict.fromkeys(features.shares, features.chance))]
            whole = features.asked == features.among
            among = "" if whole else f" among {features.among:,}"
            over = f"{features.asked:,} photos{among}, each left out in turn"
            facts = {"features": _plain(features.shares), "pixels": _plain(plain.shares)}
    made = _told(atlas, queries, (far, rows), by_pixels)
    heads: tuple[str, ...] = ("asked", f"nearest in features of {name}, {SPACES[metric]}")
    if all(query.unit for query in queries):
        heads = ("asked", "photos that raise it most")
    heads += (f"nearest in pixels, {SIDE} x {SIDE}, L2",) if pixels else ()
    return Neighbours(
        values=far.float(),
        asked=made,
        heads=heads,
        agreement=tuple(shares),
        over=over,
        facts=facts,
        caption=f"{len(made)} asked, {far.shape[1]} neighbours of each in {name} ({metric})",
        recipe=provenance.recipe(
            atlas,
            "atlas neighbours",
            {
                "asked": [query.told for query in queries],
                "layer": name,
                "metric": metric,
                "count": count,
                "pixels": pixels,
            },
            far.float(),
            [query.photo for query in queries if query.photo and query.row < 0],
        ),
    )


def agreements(
    atlas: Atlas, metric: Metric = "cosine", counts: Sequence[int] = COUNTS
) -> Generator[Step, None, list[tuple[str, dict[int, float]]]]:
    """Label agreement of neighbours in every layer, in pixels, and at random.

    Raises:
        PellucidError: fewer than two images have a label.
    """
    labels, found = atlas.images.labels, []
    chance: dict[int, float] = {}
    for number, layer in enumerate(atlas.layers):
        yield Step(number, len(atlas.layers) + 1, f"label agreement in {layer}")
        made = agreement(atlas.features(layer), labels, metric, counts)
        found.append((layer, made.shares))
        chance = dict.fromkeys(made.shares, made.chance)
    table = yield from in_pixels(atlas)
    found += [("pixels", agreement(table, labels, "l2", counts).shares), ("at random", chance)]
    return found


def indexed(atlas: Atlas, layer: str | None = None, metric: Metric = "cosine") -> index.Index:
    """Makes an index of a layer's features, for collections too large to search in memory.

    Raises:
        PellucidError: somebody writes into the atlas, or Lance makes no index of it.
    """
    name = layer if layer is not None else atlas.layers[-1]
    if name not in atlas.layers:
        raise Unknown("surveyed layer", name, atlas.layers, f"(in {atlas.path})")
    store = atlas.store
    with store.folder.alone():
        store.refresh()
        dataset = store.dataset(IMAGES)
        made = index.build(dataset, column(atlas.layers.index(name)), metric)
        versions = store.manifest.versions | {IMAGES: int(dataset.version)}
        store.set(store.manifest.but(versions=versions))
    return made


def _plain(shares: dict[int, float]) -> dict[str, float]:
    return {str(count): share for count, share in shares.items()}


def _by_features(
    atlas: Atlas, queries: list[Query], layer: str, metric: Metric, count: int
) -> Found:
    count = min(count, len(atlas) - any(query.row >= 0 for query in queries))
    if count < 1:
        raise PellucidError(f"{atlas.path} has no other image")
    far = torch.full((len(queries), count), torch.nan, dtype=torch.float64)
    rows = torch.full((len(queries), count), -1)
    for number, query in enumerate(queries):
        if query.unit is not None:
            some, best = _raising(atlas, query.unit, count)
            far[number, : len(some)], rows[number, : len(some)] = some, best
    searched = [number for number, query in enumerate(queries) if query.unit is None]
    if searched:
        vectors = vectors_of(atlas, [queries[number] for number in searched], layer)
        own = torch.tensor([queries[number].row for number in searched])
        far[searched], rows[searched] = _search(atlas, vectors, layer, metric, count, own)
    return far, rows


def _search(
    atlas: Atlas, vectors: Tensor, layer: str, metric: Metric, count: int, own: Tensor
) -> Found:
    if len(atlas) <= index.LARGE:
        far, rows = nearest(vectors, atlas.features(layer), count, metric, own)
    else:
        dataset, name = atlas.store.dataset(IMAGES), column(atlas.layers.index(layer))
        found = index.known(dataset, name, metric)
        if found is None:
            far, rows = index.scanned(dataset, name, vectors, count, metric, own)
        else:
            far, rows = found.nearest(dataset, vectors, count + 1)
            far = far.where(rows != own[:, None], torch.inf)
            order = far.argsort(dim=1, stable=True)
            far, rows = far.gather(1, order), rows.gather(1, order)
    return far[:, :count], rows[:, :count]


def _raising(atlas: Atlas, unit: Unit, count: int) -> tuple[Tensor, Tensor]:
    """Images by a channel's mean, or by a class's probability, the greatest first."""
    if unit.is_class:
        images = atlas.images
        values = images.probability.double().where(images.predicted == unit.channel, -1.0)
        some = values.argsort(descending=True, stable=True)[:count]
        some = some[values[some] >= 0]
        if not len(some):
            raise PellucidError(f"the network sees {unit} in no image of {atlas.path}")
        return values[some], some
    features = atlas.features(unit.layer)
    channels = atlas.network().layers[unit.layer].layout.channels
    values = features.reshape(len(features), channels, -1)[:, unit.channel].double().mean(1)
    some = values.argsort(descending=True, stable=True)[:count]
    return values[some], some


def _by_pixels(atlas: Atlas, queries: list[Query], table: Tensor, count: int) -> Found:
    count = min(count, len(atlas) - any(query.row >= 0 for query in queries))
    far = torch.full((len(queries), count), torch.nan, dtype=torch.float64)
    rows = torch.full((len(queries), count), -1)
    for number, query in enumerate(queries):
        if query.photo is None:
            continue
        asked = table[[query.row]].float() if query.row >= 0 else as_seen(query.photo)
        one, some = nearest(asked, table, count, "l2", torch.tensor([query.row]))
        far[number], rows[number] = one[0] / 255, some[0]
    return far, rows


def _told(
    atlas: Atlas, queries: list[Query], features: Found, pixels: Found | None
) -> tuple[Asked, ...]:
    wanted = torch.cat([found[1].flatten() for found in (features, pixels) if found])
    kept = sorted({*wanted.tolist()} - {-1})
    pictures = dict(zip(kept, opened(atlas.thumbnails(kept), kept), strict=True))
    images = atlas.images

    def near(found: Found | None, number: int) -> tuple[Near, ...]:
        if found is None:
            return ()
        pairs = zip(found[0][number].tolist(), found[1][number].tolist(), strict=True)
        return tuple(
            Near(row, far, images.labels[row], images.uris[row], pictures[row].floats())
            for far, row in pairs
            if row >= 0
        )

    return tuple(
        Asked(
            query.name,
            query.label,
            None if query.photo is None else query.photo.floats(),
            near(features, number),
            near(pixels, number),
        )
        for number, query in enumerate(queries)
    )
