"""Export: an atlas as files that other tools open."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.atlas.atlas import Atlas
from pellucid.atlas.store import IMAGES
from pellucid.errors import PellucidError
from pellucid.writing import write_whole

SMALL = ("uri", "label", "height", "width", "checksum", "probability")


def exported(
    atlas: Atlas,
    path: str | os.PathLike[str],
    *,
    layer: str | None = None,
    map: str | None = None,
    force: bool = False,
) -> Path:
    """Saves an atlas as one file.

    Args:
        path: ends in .parquet: a row for each image with its thumbnail as {"bytes", "path"}, its
            features, and its place on a map as x and y, as `embedding-atlas FILE --x x --y y
            --image image` opens it; or in .npz: features, best places and statistics by layer.
        layer: whose features; None, all layers'.
        map: whose places; None, the first map, if there is one.

    Raises:
        PellucidError: another ending, the file is there, an unknown layer or map.
    """
    target = Path(path).expanduser()
    if target.suffix not in (".parquet", ".npz"):
        raise PellucidError(f"an atlas is exported as .parquet or .npz, not {target.name!r}")
    if os.path.lexists(target) and not force:
        raise PellucidError(f"{target} is there already; --force (force=True) overwrites it")
    layers = atlas.layers if layer is None else (layer,)
    for name in layers:
        atlas.statistics(name)  # raises where it was not surveyed
    chosen = map or next(iter(atlas.maps), None)
    content = (_parquet if target.suffix == ".parquet" else _arrays)(atlas, layers, chosen)
    write_whole(target, content)
    return target


def _parquet(atlas: Atlas, layers: tuple[str, ...], map: str | None) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    table = atlas.store.table(IMAGES, [*SMALL, "thumbnail"])
    columns: dict[str, Any] = {name: table[name] for name in SMALL}
    classes = atlas.classes
    columns["prediction"] = [
        classes[index] if index >= 0 else "" for index in atlas.images.predicted.tolist()
    ]
    columns["image"] = pa.array(
        [
            {"bytes": small, "path": os.path.basename(uri)}
            for small, uri in zip(table["thumbnail"].to_pylist(), atlas.images.uris, strict=True)
        ],
        pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
    )
    for layer in layers:
        values = atlas.features(layer).numpy()
        flat = pa.array(values.reshape(-1))
        columns[layer] = pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    if map is not None:
        points, _ = atlas.read_map(map)
        columns |= {"x": points[:, 0].numpy(), "y": points[:, 1].numpy()}
    buffer = io.BytesIO()
    parquet.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def _arrays(atlas: Atlas, layers: tuple[str, ...], map: str | None) -> bytes:
    images = atlas.images
    arrays: dict[str, Any] = {
        "uri": np.array(images.uris),
        "label": np.array(images.labels),
        "predicted": images.predicted.numpy(),
        "probability": images.probability.numpy(),
    }
    for layer in layers:
        best, statistics = atlas.best(layer), atlas.statistics(layer)
        arrays |= {
            f"{layer}/features": atlas.features(layer).numpy(),
            f"{layer}/best_values": best.values.numpy(),
            f"{layer}/best_images": best.images.numpy(),
            f"{layer}/best_places": best.places.numpy(),
        }
        for name in ("mean", "highest", "lowest", "active", "edges", "counts"):
            arrays[f"{layer}/{name}"] = getattr(statistics, name).numpy()
    if map is not None:
        arrays["map"] = atlas.read_map(map)[0].numpy()
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()
