"""Maps: the map of an atlas, made once and kept in it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Int
from torch import Tensor

from pellucid.atlas import provenance
from pellucid.atlas.map import Map, New
from pellucid.atlas.placing import placed
from pellucid.atlas.projections import NAMES, PROJECTIONS, Projection, projected
from pellucid.atlas.quality import quality
from pellucid.atlas.query import Query, vectors_of
from pellucid.errors import PellucidError, Unknown
from pellucid.images import Photo
from pellucid.method import Step
from pellucid.progress import finished
from pellucid.recipe import told as told_photos

if TYPE_CHECKING:
    from pellucid.atlas.atlas import Atlas


def mapping(
    atlas: Atlas,
    method: Projection = "tsne",
    *,
    layer: str | None = None,
    seed: int = 0,
    keep: bool = True,
) -> Generator[Step, None, Map]:
    """A map of all images, step by step; the one that the atlas keeps where it has it already.

    Args:
        method: "tsne" (van der Maaten, Hinton 2008), "pca", "umap" (McInnes, Healy, Melville
            2018) or "pacmap" (Wang and others 2021).
        layer: a surveyed one; the deepest if none.
        seed: of all random numbers; the same one makes the same map on the same machine.
        keep: a new one in the atlas.

    Raises:
        PellucidError: unknown method or layer, too few images, or a library is not installed.
    """
    if method not in PROJECTIONS:
        raise Unknown("map method", method, PROJECTIONS)
    layer = layer if layer is not None else atlas.layers[-1]
    name = f"{method}-{layer}-{seed}"
    images = atlas.images
    found = _kept(atlas, name)
    if found is None:
        seed %= 2**32  # more is no seed to numpy
        features = atlas.features(layer)
        points, facts = yield from projected(features, method, seed)
        yield Step(1, 1, "measuring the map")
        facts = {"images": len(points)} | facts | quality(features, points, images.labels, seed)
        try:
            if keep:
                atlas.write_map(name, points, facts)
        except PellucidError as error:  # a map is a map, also where the atlas is read-only
            facts["not kept"] = str(error)
        found = points, facts
    return _made(atlas, *found, method, layer, seed)


def sketch(atlas: Atlas, layer: str) -> Map:
    """The map by PCA at once, neither measured nor kept: to look at while another one is made.

    Raises:
        PellucidError: unknown layer, or a single image.
    """
    points, facts = finished(projected(atlas.features(layer), "pca", 0))
    return _made(atlas, points, facts, "pca", layer, 0)


def placing(atlas: Atlas, made: Map, photos: Sequence[Photo]) -> Map:
    """A map with photos from outside placed on it; see `placing.placed`.

    Raises:
        PellucidError: openTSNE is not installed.
    """
    queries = [Query(photo.source or "photo", photo=photo) for photo in photos]
    if not queries:
        return made
    vectors = vectors_of(atlas, queries, made.layer)
    features = atlas.features(made.layer)
    places, how = placed(vectors, features, made.values, made.how, made.seed)
    new = [
        New(query.name, (x, y), how) for query, (x, y) in zip(queries, places.tolist(), strict=True)
    ]
    known = told_photos({"photo": tuple(photos)})
    return replace(made, new=(*made.new, *new), recipe=replace(made.recipe, photos=known))


def told(made: Map) -> str:
    """Its quality in words."""
    return ", ".join(f"{name} {value:.3f}" for name, value in made.quality)


def rightness(
    labels: Sequence[str], predicted: Int[Tensor, "images"], classes: Sequence[str]
) -> Int[Tensor, "images"]:
    """1 where the predicted class bears the label's name, 0 where not, -1 where nothing does."""
    names = [plainly(name) for name in classes]
    known = {*names}
    rows = zip(map(plainly, labels), predicted.tolist(), strict=True)
    return torch.tensor(
        [
            int(names[number] == label) if label in known and number >= 0 else -1
            for label, number in rows
        ],
        dtype=torch.long,
    )


def plainly(name: str) -> str:
    """A class's name without what differs between a folder's and a network's way to write it."""
    return name.split(",")[0].replace("_", " ").strip().casefold()


def _made(
    atlas: Atlas, points: Tensor, facts: dict[str, Any], method: Projection, layer: str, seed: int
) -> Map:
    predicted, right = _predictions(atlas)
    made = Map(
        values=points.float(),
        labels=tuple(atlas.images.labels),
        predicted=predicted,
        right=right,
        uris=tuple(atlas.images.uris),
        how=method,
        layer=layer,
        network=atlas.network().name,
        kept=atlas,
        seed=seed,
        facts=facts,
        recipe=provenance.recipe(
            atlas, "atlas map", {"layer": layer, "method": method}, points.float(), seed=seed
        ),
    )
    return replace(made, caption=f"{NAMES[method]} of {layer}: {told(made)}")


def _kept(atlas: Atlas, name: str) -> tuple[Tensor, dict[str, Any]] | None:
    if name not in atlas.maps:
        return None
    points, facts = atlas.read_map(name)
    return (points, dict(facts)) if len(points) == len(atlas) else None


def _predictions(atlas: Atlas) -> tuple[tuple[str, ...], Int[Tensor, "images"]]:
    numbers, classes = atlas.images.predicted, atlas.classes
    names = tuple(classes[one].split(",")[0] if one >= 0 else "" for one in numbers.tolist())
    return names, rightness(atlas.images.labels, numbers, classes)
