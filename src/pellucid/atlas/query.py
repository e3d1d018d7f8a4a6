"""Query: what neighbours can be asked for, and its place among a layer's features."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.atlas.gauge import Gauge
from pellucid.atlas.index import vectors
from pellucid.atlas.pixel_space import opened
from pellucid.atlas.rows import column
from pellucid.errors import PellucidError, Unknown
from pellucid.images import Photo, open_image
from pellucid.unit import Unit

if TYPE_CHECKING:
    from pellucid.atlas.atlas import Atlas

PHOTO, VECTOR = "a photo", "a vector"  # in a recipe


@dataclass(frozen=True, eq=False)
class Query:
    """Something to ask about: a photo, a vector or a unit."""

    name: str
    label: str = ""
    row: int = -1
    photo: Photo | None = None
    vector: Tensor | None = None
    unit: Unit | None = None

    @property
    def told(self) -> int | str:
        """As a recipe has it; the photos themselves stand elsewhere in it."""
        if self.row >= 0:
            return self.row
        return PHOTO if self.photo else self.name


def read(atlas: Atlas, one: Any) -> Query:
    """Whatever `neighbours` takes.

    Raises:
        PellucidError: no such row, unit or photo.
    """
    if isinstance(one, Unit):
        return _of_unit(atlas, one)
    if isinstance(one, int) and not isinstance(one, bool):
        if not 0 <= one < len(atlas):
            raise PellucidError(f"{atlas.path} has images 0 to {len(atlas) - 1}, not {one}")
        images = atlas.images
        photo = opened(atlas.thumbnails([one]), [one])[0]
        return Query(images.uris[one], images.labels[one], one, photo)
    if isinstance(one, Tensor) and one.ndim == 1:
        return Query(f"{VECTOR} of {len(one)} numbers", vector=one.detach().cpu().float())
    if isinstance(one, str):
        unit = re.fullmatch(r"(.+):\d+", one)
        if one.startswith("class:") or (unit and unit[1] in atlas.layers):
            return _of_unit(atlas, atlas.network().unit(one))
    photo = open_image(one)
    return Query(photo.source or "photo", photo=photo)


def _of_unit(atlas: Atlas, unit: Unit) -> Query:
    if not unit.is_class and unit.layer not in atlas.layers:
        raise Unknown("surveyed layer", unit.layer, atlas.layers, f"(in {atlas.path})")
    if unit.position or unit.token is not None:
        raise PellucidError(f"a whole channel can be asked about, not {unit}")
    return Query(str(unit), unit=unit)


def vectors_of(
    atlas: Atlas, queries: Sequence[Query], layer: str
) -> Float[Tensor, "asked numbers"]:
    """The layer's numbers of each; of photos from outside as the survey would have them."""
    net, plan = atlas.network(), atlas.store.manifest.plan
    rows = [query.row for query in queries if query.row >= 0]
    name = column(atlas.layers.index(layer))
    stored = iter(vectors(atlas.store.rows(rows, [name])[name]).float() if rows else ())
    found = []
    for query in queries:
        if query.vector is not None:
            found.append(query.vector)
        elif query.row >= 0:
            found.append(next(stored))
        else:
            crop = net.preprocess.crop(cast(Photo, query.photo))[0]
            found.append(Gauge(net, plan).run([crop], [0]).features[layer][0])
    lengths = {len(vector) for vector in found}
    if len(lengths) > 1:
        raise PellucidError(f"vectors of one layer have one length, these have {sorted(lengths)}")
    return torch.stack(found)
