"""The softmax, highest first."""

import math

import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid import tiles


def test_is_the_softmax_of_the_scores(tiny: pl.Network, cat: pl.Photo) -> None:
    with tiny.at_rest():
        scores = tiny.module(tiny.prepare(cat)[0])[0].tolist()
    whole = sum(map(math.exp, scores))
    wanted = sorted(
        ((math.exp(s) / whole, s, n) for s, n in zip(scores, tiny.labels, strict=True)),
        reverse=True,
    )
    found = pl.predict(tiny, cat, top=3)
    assert found.names == tuple(name for *_, name in wanted[:3])
    assert found.values.tolist() == pytest.approx([share for share, *_ in wanted[:3]])
    assert found.scores.tolist() == pytest.approx([score for _, score, _ in wanted[:3]])
    assert float(pl.predict(tiny, cat, top=99).values.sum()) == pytest.approx(1)
    assert len(pl.predict(tiny, cat, top=99).names) == 5


def test_of_equal_scores_the_first_comes_first(cat: pl.Photo) -> None:
    module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 6))
    nn.init.zeros_(module[2].weight)
    nn.init.zeros_(module[2].bias)
    net = pl.Network(module, size=8)
    assert pl.predict(net, cat).names == ("0", "1", "2", "3", "4")
    assert pl.saliency(net, cat).caption.startswith("|gradient| of class:0")


def test_a_network_without_scores(cat: pl.Photo) -> None:
    with pytest.raises(pl.PellucidError, match="not a row of class scores"):
        pl.predict(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(2)), cat)
    with pytest.raises(pl.PellucidError, match="2 labels"):
        net = pl.Network(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)), size=8, labels=["a", "b"])
        pl.predict(net, cat)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_scores_that_are_no_numbers_are_refused(value: float, cat: pl.Photo) -> None:
    module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 4))
    with torch.no_grad():
        module[2].bias[2] = value
        module[2].bias[0] = -math.inf  # as a class is left out: not that one is to blame
    with pytest.raises(pl.PellucidError, match=rf"score of class:wasp is {value}: .* not sound"):
        pl.predict(pl.Network(module, size=8, labels=["ant", "bee", "wasp", "fly"]), cat)
    with torch.no_grad():
        module[2].bias[2] = -math.inf
    assert pl.predict(pl.Network(module, size=8), cat).values.sum() == pytest.approx(1)


def test_of_an_only_class_the_score_is_shown(cat: pl.Photo) -> None:
    module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 1))
    found = pl.predict(pl.Network(module, size=8, labels=["rust"]), cat)
    assert found.measure == "score" and found.values.tolist() == [1]
    assert repr(found) == f"<Ranking rust {float(found.scores[0]):.3g}>"
    image = found.image()[:, :, -tiles.LISTED :]
    bar = torch.tensor(tiles.BAR).view(3, 1, 1)
    assert image.min() < 0.5, "there is something written"
    assert not ((image - bar).abs().amax(0) < 0.01).any()
    two = pl.Network(nn.Sequential(module[:2], nn.Linear(3, 2)), size=8)
    assert pl.predict(two, cat, top=1).measure == "probability"


def test_scores_that_overflow_when_exponentiated() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    with torch.no_grad():
        module[1].weight.fill_(1e6)
        module[1].weight[0] *= -1
    found = pl.predict(pl.Network(module, size=2), torch.ones(3, 4, 4))
    assert found.values.tolist() == [1, 0]
