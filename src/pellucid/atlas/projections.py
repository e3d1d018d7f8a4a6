"""Projections: rows of numbers to two, by PCA, t-SNE, UMAP or PaCMAP."""

from __future__ import annotations

import logging
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.method import Step

Projection = Literal["tsne", "pca", "umap", "pacmap"]
PROJECTIONS: tuple[Projection, ...] = get_args(Projection)
PACKAGES = {"tsne": "atlas", "umap": "umap", "pacmap": "pacmap"}
NAMES = {"tsne": "t-SNE", "pca": "PCA", "umap": "UMAP", "pacmap": "PaCMAP"}
COMPONENTS = 50  # of PCA in front of the others: less noise, and quicker distances
PERPLEXITY, NEIGHBOURS = 30.0, 15
EARLY, LATE, AT_ONCE = 250, 500, 25  # iterations of t-SNE, and between two steps
LEAST = 5  # images for a map other than PCA's
INIT_SPREAD = 1e-4  # standard deviation of t-SNE's beginning


@dataclass(frozen=True)
class Components:
    """Principal components: what turns features into few numbers.

    Attributes:
        mean: of the features.
        axes: (numbers, components), the widest first, each with its largest entry positive.
        share: of the variance, that each axis carries.
    """

    mean: Float[Tensor, "numbers"]
    axes: Float[Tensor, "numbers components"]
    share: Float[Tensor, "components"]

    @classmethod
    def of(cls, rows: Float[Tensor, "images numbers"], count: int) -> Components:
        """From the covariance matrix: exact, and quick where the rows are many and short."""
        mean = rows.double().mean(0)
        covariance = torch.zeros(rows.shape[1], rows.shape[1], dtype=torch.float64)
        for part in torch.split(rows, 2**14):
            centred = part.double() - mean
            covariance += centred.T @ centred
        sizes, axes = torch.linalg.eigh(covariance)
        sizes, axes = sizes.flip(0).clamp(min=0)[:count], axes.flip(1)[:, :count]
        signs = axes.gather(0, axes.abs().argmax(0, keepdim=True)).sign()
        whole = covariance.trace().clamp(min=torch.finfo(torch.float64).tiny)
        return cls(mean, axes * signs.where(signs != 0, 1), sizes / whole)

    def of_rows(self, rows: Float[Tensor, "images numbers"]) -> Float[Tensor, "images components"]:
        """Rows in these components."""
        return torch.cat(
            [(part.double() - self.mean) @ self.axes for part in torch.split(rows, 2**14)]
        )


def projected(
    features: Float[Tensor, "images numbers"], how: Projection, seed: int
) -> Generator[Step, None, tuple[Float[Tensor, "images 2"], dict[str, Any]]]:
    """Two numbers for each row, and what is to be said of how.

    Raises:
        PellucidError: too few images, or the library is not installed.
    """
    if how != "pca":
        library(how)
        if len(features) < LEAST:
            raise PellucidError(
                f"a map by {NAMES[how]} needs {LEAST} images at least, and here are "
                f"{len(features)}; PCA needs 2"
            )
    if len(features) < 2:
        raise PellucidError("a map needs 2 images at least, and here is 1")
    yield Step(0, 1, "PCA")
    components = Components.of(features, min(COMPONENTS, features.shape[1]))
    few = components.of_rows(features)
    plane = torch.nn.functional.pad(few[:, :2], (0, max(0, 2 - few.shape[1])))
    if how == "pca":
        shares = [round(share, 4) for share in components.share[:2].tolist()]
        return plane.float(), {"variance of the two axes": shares}
    if not float(plane[:, 0].std()) > 0:
        raise PellucidError("all images have the same features here: there is nothing to map")
    if how == "tsne":
        return (yield from _tsne(few, plane, seed))
    yield Step(0, 1, f"{NAMES[how]}, without a sign of life until it is done")
    rows = few.float().numpy()
    points, facts = (_umap if how == "umap" else _pacmap)(rows, plane.float().numpy(), seed)
    return torch.from_numpy(np.asarray(points, dtype=np.float32).copy()), facts


def _tsne(
    few: Float[Tensor, "images components"], plane: Float[Tensor, "images 2"], seed: int
) -> Generator[Step, None, tuple[Float[Tensor, "images 2"], dict[str, Any]]]:
    """As Kobak and Berens (2019) recommend it: PCA's plane as the beginning, rate n / 12."""
    import openTSNE

    count = len(few)
    perplexity = min(PERPLEXITY, (count - 1) / 3)
    total = EARLY + LATE
    yield Step(0, total, f"t-SNE: neighbours of {count} images")
    likeness = openTSNE.affinity.PerplexityBasedNN(
        few.numpy(), perplexity=perplexity, random_state=seed
    )
    begin = (plane / plane[:, 0].std(correction=0) * INIT_SPREAD).numpy().copy()
    made = openTSNE.TSNEEmbedding(
        begin,
        likeness,
        learning_rate=max(count / 12, 50.0),
        negative_gradient_method="bh" if count < 10_000 else "fft",
        random_state=seed,
        n_jobs=max(1, torch.get_num_threads()),
    )
    rate, error = max(count / 12, 50.0), float("nan")
    for done in range(0, total, AT_ONCE):
        early = done < EARLY
        made.optimize(
            AT_ONCE,
            exaggeration=12 if early else 1,
            momentum=0.5 if early else 0.8,
            learning_rate=rate,
            inplace=True,
        )
        error = float(made.kl_divergence)
        yield Step(done + AT_ONCE, total, f"t-SNE: divergence {error:.3f}")
    facts = {"perplexity": perplexity, "rate": rate, "divergence": error}
    return torch.from_numpy(np.asarray(made, dtype=np.float32).copy()), facts


def _umap(rows: Any, plane: Any, seed: int) -> tuple[Any, dict[str, Any]]:
    import warnings

    near = min(NEIGHBOURS, len(rows) - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a seed means one thread, and what it goes without
        import umap

        made = umap.UMAP(
            n_neighbors=near,
            init=plane / plane.std() * 5,
            random_state=seed,
        )
        return made.fit_transform(rows), {"neighbours": near}


def _pacmap(rows: Any, _plane: Any, seed: int) -> tuple[Any, dict[str, Any]]:
    import warnings

    near = min(10, len(rows) - 1)
    log = logging.getLogger("pacmap")
    before = log.level
    log.setLevel(logging.ERROR)  # it warns of its seed, and of what it goes without
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pacmap

            made = pacmap.PaCMAP(n_neighbors=near, random_state=seed, apply_pca=False)
            return made.fit_transform(rows, init="pca"), {"neighbours": near}
    finally:
        log.setLevel(before)


def library(how: Projection) -> None:
    """Asks for the library of a projection, before long work.

    Raises:
        PellucidError: it is not installed.
    """
    from importlib.util import find_spec

    module = {"tsne": "openTSNE", "umap": "umap", "pacmap": "pacmap"}[how]
    if find_spec(module) is None:
        raise PellucidError(
            f"a map by {NAMES[how]} needs {module}: pip install 'pellucid[{PACKAGES[how]}]'"
        )
