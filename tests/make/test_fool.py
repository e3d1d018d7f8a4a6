"""fool(): static that a network is sure about, and how far it had to go for it."""

from math import ceil, log, sqrt
from pathlib import Path

import pytest
import torch
from torch import nn

import pellucid as pl
from conftest import attentive


def test_of_a_linear_score_the_steps_are_known() -> None:
    """Each raises the log-odds by its length times that of their slope."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 2))
    net = pl.Network(module, size=16, mean=[0.5] * 3, std=[0.25] * 3)
    slope = (module[1].weight[1] - module[1].weight[0]).detach()
    made = pl.fool(net, "class:1", rate=0.01, confidence=0.95)
    length = 0.01 * sqrt(slope.numel()) * float(slope.norm())
    begin = net.scores(net.preprocess.normalise(made.clean[None]))[0].detach()
    steps = ceil((log(0.95 / 0.05) - float(begin[1] - begin[0])) / length)
    # Where a pixel is black or white already it can go one way only, so a little more is needed.
    assert steps <= made.facts["steps"] <= 1.1 * steps + 1
    free = ((made.values > 0.01) & (made.values < 0.99)).flatten()
    change = (made.change.flatten() / 0.25)[free]
    alike = torch.cosine_similarity(change, slope[free], dim=0)
    assert float(alike) > 0.99


def test_the_saved_picture_is_what_the_network_is_sure_of(bundled: pl.Network, here: Path) -> None:
    made = pl.fool(bundled, "sunflower", confidence=0.97)
    assert made.facts["success"] and made.facts["probability"] >= 0.97
    made.alone().save("nonsense.png")
    seen = pl.predict(bundled, "nonsense.png")
    assert seen.names[0] == "sunflower" and float(seen.values[0]) >= 0.97
    assert pl.replay("nonsense.png").same
    assert len(made.curve) == made.facts["steps"] + 1
    assert float(made.curve[0]) < 0.01 and float(made.curve[-2]) < 0.98
    # It is still far nearer to its static than to any other.
    other = pl.fool(bundled, "sunflower", confidence=0.97, seed=1)
    assert float(made.change.norm()) < 0.5 * float((made.values - other.clean).norm())
    assert torch.equal(pl.fool(bundled, "sunflower", confidence=0.97).values, made.values)
    assert made.data()["confidence"] == 0.97 and made.image().shape[0] == 3


def test_says_so_where_it_does_not_come_so_far(bundled: pl.Network) -> None:
    made = pl.fool(bundled, "sunflower", steps=2)
    assert not made.facts["success"] and made.facts["steps"] == 2
    assert made.caption.startswith("static does not become sunflower: it comes to 0.")


def test_stopped_early(bundled: pl.Network, here: Path) -> None:
    work = pl.fool.steps(bundled, "sunflower")
    for _ in range(4):
        next(work)
    with pytest.raises(StopIteration) as stop:
        work.throw(KeyboardInterrupt)
    made = stop.value.value
    assert made.facts["steps"] == 4 and "stopped early" in made.caption
    made.save("part.png")
    assert pl.replay("part.png").same


def test_the_last_step_is_the_last_also_before_its_time(bundled: pl.Network) -> None:
    steps = list(pl.fool.steps(bundled, "sunflower", confidence=0.5, steps=100))
    assert len(steps) < 50 and steps[-1].done == steps[-1].total == 100


def test_wrong_requests(bundled: pl.Network) -> None:
    for settings, message in [
        ({"target": "sunflowr"}, "did you mean 'sunflower'"),
        ({"target": "conv4:1"}, "sure of a class, and conv4:1 is none"),
        ({"target": "sunflower", "confidence": 1}, "confidence is from 0.01 to"),
        ({"target": "hedgehog", "confidence": 0.1}, "taken for class:hedgehog at 5"),
    ]:
        with pytest.raises(pl.PellucidError, match=message):
            pl.fool(bundled, **settings)


def test_no_gradient_says_so() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    with torch.no_grad():
        module[1].weight.zero_()
    net = pl.Network(module, size=2, mean=[0.5] * 3, std=[0.2] * 3)
    with pytest.raises(pl.PellucidError, match="no gradient of class:0 reaches"):
        pl.fool(net, "class:0", steps=3)


def test_transformers_and_grey() -> None:
    net = pl.Network(attentive(), size=(20, 28), mean=[0.4], std=[0.3])
    made = pl.fool(net, "class:3", steps=60, confidence=0.6)
    assert made.facts["success"] and made.values.shape == (1, 20, 28)
