"""Projections, what they keep, and new photos on them: twins, known cases, the libraries' calls."""

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import openTSNE
import pytest
import torch
from scipy.stats import spearmanr
from sklearn.manifold import trustworthiness as theirs

from pellucid.atlas import projections
from pellucid.atlas.nearest import nearest
from pellucid.atlas.placing import placed
from pellucid.atlas.projections import Components, projected
from pellucid.atlas.quality import kept, quality, spearman, trustworthiness
from pellucid.errors import PellucidError
from pellucid.method import Step
from pellucid.progress import finished


def rows(count: int = 90, wide: int = 12) -> torch.Tensor:
    """Three groups far apart, one after another."""
    random = torch.Generator().manual_seed(4)
    centres = 12 * torch.randn(3, wide, generator=random)
    return centres[torch.arange(count) % 3] + torch.randn(count, wide, generator=random)


LABELS = [f"group {number % 3}" for number in range(90)]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projections, "EARLY", 50)
    monkeypatch.setattr(projections, "LATE", 100)


def test_components_are_those_of_the_singular_values() -> None:
    features = rows(40, 9)
    found = Components.of(features, 4)
    centred = features.double() - features.double().mean(0)
    left, sizes, _ = torch.linalg.svd(centred, full_matrices=False)
    expected = (left * sizes)[:, :4]
    torch.testing.assert_close(found.of_rows(features).abs(), expected.abs())
    torch.testing.assert_close(found.share, (sizes.square() / sizes.square().sum())[:4])
    largest = found.axes.gather(0, found.axes.abs().argmax(0, keepdim=True))
    assert bool((largest > 0).all())


def test_pca_is_the_plane_of_most_variance_and_takes_new_rows() -> None:
    features = rows()
    points, facts = finished(projected(features, "pca", 0))
    torch.testing.assert_close(
        points.double(), Components.of(features, 2).of_rows(features), atol=1e-4, rtol=1e-4
    )
    assert facts["variance of the two axes"][0] > facts["variance of the two axes"][1] > 0
    where, how = placed(features[:4], features, points, "pca")
    torch.testing.assert_close(where, points[:4])
    assert how == "projected as the others were"
    line, _ = finished(projected(torch.arange(3.0)[:, None], "pca", 0))
    assert line.shape == (3, 2) and not line[:, 1].any()


def test_tsne_keeps_groups_and_is_the_same_twice(quick: None) -> None:
    features = rows()
    torch.manual_seed(1)
    first, facts = finished(projected(features, "tsne", 5))
    torch.manual_seed(2)
    np.random.seed(3)
    second, _ = finished(projected(features, "tsne", 5))
    assert torch.equal(first, second)
    assert quality(features, first, LABELS)["same label nearby"] == 1
    assert facts["perplexity"] == pytest.approx(89 / 3)
    # A photo that is there already comes to lie among its own, the others stay.
    where, how = placed(features[:6] + 0.01, features, first, "tsne")
    _, near = nearest(where, first, 5, "l2")
    assert bool((near % 3 == (torch.arange(6) % 3)[:, None]).all())
    assert "the others staying in place" in how


def test_tsne_is_openTSNE_called_by_hand(quick: None) -> None:
    features = rows()
    few = Components.of(features, 12).of_rows(features)
    plane = few[:, :2].numpy()
    near = openTSNE.affinity.PerplexityBasedNN(few.numpy(), perplexity=89 / 3, random_state=0)
    made = openTSNE.TSNEEmbedding(
        plane / plane[:, 0].std() * 1e-4, near, negative_gradient_method="bh", random_state=0
    )
    made.optimize(50, exaggeration=12, momentum=0.5, learning_rate=50, inplace=True)
    made.optimize(100, exaggeration=1, momentum=0.8, learning_rate=50, inplace=True)
    points, facts = finished(projected(features, "tsne", 0))
    np.testing.assert_allclose(points.numpy(), np.asarray(made), rtol=0.05, atol=0.1)
    assert facts["divergence"] == pytest.approx(float(made.kl_divergence), rel=0.02)


def test_tsne_stops_between_iterations(quick: None) -> None:
    work = projected(rows(), "tsne", 0)
    for _ in range(4):
        step = next(work)
        assert isinstance(step, Step) and step.total in (1, 150)
    with pytest.raises(KeyboardInterrupt):
        work.throw(KeyboardInterrupt)


class _Asked(ModuleType):
    """In place of a library: notes what it is asked for, and lays the first two numbers out."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.settings: dict[str, Any] = {}

    def UMAP(self, **settings: Any) -> "_Asked":
        self.settings = settings
        return self

    PaCMAP = UMAP

    def fit_transform(self, given: Any, init: Any = None) -> Any:
        assert given.shape == (90, 12) and given.dtype == np.float32
        return given[:, :2]


@pytest.fixture(params=["umap", "pacmap"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Asked]:
    made = _Asked(request.param)
    monkeypatch.setitem(sys.modules, request.param, made)
    monkeypatch.setattr(projections, "library", lambda how: None)
    yield made


def test_umap_and_pacmap_are_seeded(library: _Asked) -> None:
    how: Any = library.__name__
    features = rows()
    points, facts = finished(projected(features, how, 7))
    assert points.shape == (90, 2) and library.settings["random_state"] == 7
    assert facts["neighbours"] == library.settings["n_neighbors"]
    where, told = placed(features[[4]], features, points, how)
    torch.testing.assert_close(where, points[[4]])
    assert "10 nearest in features" in told
    with pytest.raises(PellucidError, match="of 12 numbers for each photo, not 3"):
        placed(torch.zeros(1, 3), features, points, how)


@pytest.mark.parametrize("how", ["tsne", "umap", "pacmap"])
def test_what_cannot_be_mapped(how: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projections, "library", lambda how: None)
    with pytest.raises(PellucidError, match="needs 5 images at least, and here are 3"):
        finished(projected(rows(3), how, 0))
    with pytest.raises(PellucidError, match="all images have the same features"):
        finished(projected(torch.ones(9, 4), how, 0))
    monkeypatch.undo()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    extra = "atlas" if how == "tsne" else how
    with pytest.raises(PellucidError, match=rf"pip install 'pellucid\[{extra}\]'"):
        finished(projected(rows(), how, 0))


def test_quality_equals_other_peoples() -> None:
    random = torch.Generator().manual_seed(0)
    features = rows()
    points = features[:, :2] + 3 * torch.randn(90, 2, generator=random)
    found = quality(features, points, LABELS)
    assert found["trustworthiness"] == pytest.approx(
        float(theirs(features.numpy(), points.numpy(), n_neighbors=10)), abs=1e-9
    )
    far = [torch.pdist(one.double()).numpy() for one in (features, points)]
    assert found["distance correlation"] == pytest.approx(float(spearmanr(*far).statistic))
    both = [
        {(one, int(other)) for one in range(90) for other in order[one, 1:11]}
        for order in (torch.cdist(one, one).argsort(dim=1) for one in (features, points))
    ]
    assert found["neighbours kept"] == pytest.approx(len(both[0] & both[1]) / 900)
    same = [LABELS[one] == LABELS[other] for one, other in both[1]]
    assert found["same label nearby"] == pytest.approx(sum(same) / 900)


def test_quality_of_known_cases() -> None:
    features = rows()
    perfect = quality(features[:, :2], features[:, :2])
    assert perfect == pytest.approx(
        {"neighbours kept": 1, "trustworthiness": 1, "distance correlation": 1}
    )
    assert quality(torch.zeros(1, 3), torch.zeros(1, 2)) == {}
    assert spearman(torch.ones(4), torch.arange(4.0)) == 0
    tied = torch.tensor([1.0, 2.0, 2.0, 5.0]), torch.tensor([4.0, 1.0, 1.0, 0.0])
    assert spearman(*tied) == pytest.approx(-1)
    assert kept(torch.tensor([[1, 2]]), torch.tensor([[2, 3]])) == 0.5
    # The farthest taken for the nearest costs the most.
    line = torch.arange(7.0)[:, None]
    worst = trustworthiness(line, torch.tensor([0]), torch.tensor([[6]]))
    assert worst == pytest.approx(1 - 5 * 2 / (1 * (14 - 3 - 1)))
