"""Neighbours and maps of a collection: what they keep, and what t-SNE costs beside openTSNE alone.

    pellucid atlas build ../shared/data/caltech101/101_ObjectCategories caltech.atlas \
        --layers "relu2; relu4; relu6; relu7"
    python benchmarks/maps.py caltech.atlas          # on how many cores: OMP_NUM_THREADS
    python benchmarks/maps.py caltech.atlas 2000     # a part of the collection, evenly

1. Label agreement: of the 1, 5 and 10 nearest neighbours of each image the share with its label, in
   each layer (cosine) and in pixels (32 x 32, L2). The bundled network has learned from most photos
   of Caltech 101; of classes that it has never seen this would say less for it.
2. Each kind of map of the deepest layer: seconds, and what it keeps.
3. t-SNE: seconds of ours, from features to places, over those of openTSNE's own
   `TSNE(...).fit` on the same principal components, in the same run.
4. The index: recall and time of a query beside exact search, on made-up vectors.
"""

from __future__ import annotations

import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from pellucid.atlas import index
from pellucid.atlas.agreement import agreement
from pellucid.atlas.atlas import Atlas
from pellucid.atlas.nearest import nearest
from pellucid.atlas.pixel_space import in_pixels
from pellucid.atlas.projections import COMPONENTS, PERPLEXITY, Components, projected
from pellucid.atlas.quality import quality
from pellucid.progress import finished

VECTORS, WIDE, QUERIES = 100_000, 256, 20


def part(atlas: Atlas) -> torch.Tensor:
    """Rows that are looked at."""
    count = int(sys.argv[2]) if len(sys.argv) > 2 else len(atlas)
    return torch.linspace(0, len(atlas) - 1, min(count, len(atlas))).round().long()


def agreements(atlas: Atlas, rows: torch.Tensor) -> None:
    """Prints a row for each layer."""
    labels = [atlas.images.labels[row] for row in rows.tolist()]
    print(f"same label among the nearest, of {len(rows):,} photos{'':9}1{'':9}5{'':8}10")
    table = finished(in_pixels(atlas))
    spaces: list[tuple[str, Any, Any]] = [
        (layer, atlas.features(layer), "cosine") for layer in atlas.layers
    ]
    chance = 0.0
    for name, features, metric in [*spaces, ("pixels", table, "l2")]:
        found = agreement(features[rows], labels, metric)
        shares = "".join(f"{share:10.1%}" for share in found.shares.values())
        print(f"  {name:44}{shares}", flush=True)
        chance = found.chance
    print(f"  {'at random':44}{chance:10.1%}")


def maps(features: torch.Tensor, labels: list[str]) -> float:
    """Prints a row for each kind of map; gives the seconds of t-SNE."""
    print(f"\nmaps of {len(features):,} photos")
    seconds = float("nan")
    packages = {"pca": "torch", "tsne": "openTSNE", "umap": "umap", "pacmap": "pacmap"}
    for how, package in packages.items():
        if find_spec(package) is None:
            print(f"  {how}: {package} is not installed")
            continue
        start = time.perf_counter()
        points, _ = finished(projected(features, how, 0))  # type: ignore[arg-type]
        spent = time.perf_counter() - start
        seconds = spent if how == "tsne" else seconds
        found = quality(features, points, labels)
        told = ", ".join(f"{name} {value:.3f}" for name, value in found.items())
        print(f"  {how:8}{spent:6.1f} s  {told}", flush=True)
    return seconds


def by_hand(features: torch.Tensor) -> float:
    """Seconds of openTSNE as its guide calls it, PCA in front counted as well."""
    import openTSNE

    start = time.perf_counter()
    few = Components.of(features, COMPONENTS).of_rows(features).numpy()
    openTSNE.TSNE(
        perplexity=PERPLEXITY,
        initialization="pca",
        learning_rate="auto",
        random_state=0,
        n_jobs=max(1, torch.get_num_threads()),
    ).fit(few)
    return time.perf_counter() - start


def indexes() -> None:
    """Prints recall and times."""
    import lance
    import pyarrow as pa

    random = torch.Generator().manual_seed(0)
    centres = 2 * torch.randn(60, WIDE, generator=random)
    drawn = torch.randint(60, (VECTORS,), generator=random)
    rows = (centres[drawn] + torch.randn(VECTORS, WIDE, generator=random)).relu()
    flat = pa.array(rows.numpy().ravel())
    table = pa.table({"vectors": pa.FixedSizeListArray.from_arrays(flat, WIDE)})
    with tempfile.TemporaryDirectory() as folder:
        dataset = lance.write_dataset(table, Path(folder) / "a.lance")
        start = time.perf_counter()
        made = index.build(dataset, "vectors")
        built = time.perf_counter() - start
        queries = rows[:QUERIES]
        start = time.perf_counter()
        _, found = made.nearest(dataset, queries, 10)
        spent = (time.perf_counter() - start) / QUERIES
        start = time.perf_counter()
        _, exact = nearest(queries, rows, 10)
        in_memory = (time.perf_counter() - start) / QUERIES
    print(
        f"\nindex of {VECTORS:,} x {WIDE}: made in {built:.0f} s, recall {made.recall:.3f} on "
        f"{made.asked} of them, here {index.recall(found, exact):.3f}; a query "
        f"{1000 * spent:.0f} ms, exact in memory {1000 * in_memory:.0f} ms"
    )


def main() -> None:
    """Prints all."""
    atlas = Atlas.open(sys.argv[1])
    rows = part(atlas)
    labels = [atlas.images.labels[row] for row in rows.tolist()]
    agreements(atlas, rows)
    features = atlas.features(atlas.layers[-1])[rows]
    # Both once before: the libraries compile or load something at their first call.
    finished(projected(features[:50], "tsne", 0))
    ours = maps(features, labels)
    theirs = by_hand(features)
    print(f"\nt-SNE: ours {ours:.1f} s, openTSNE by hand {theirs:.1f} s: {ours / theirs:.2f}")
    indexes()


if __name__ == "__main__":
    main()
