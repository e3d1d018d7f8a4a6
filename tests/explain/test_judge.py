"""Judging a map: whether one that is worth believing is told from one that is not."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.explain.asked import Asked
from pellucid.explain.explainers import Explainer
from pellucid.explain.judge import Plan, baselines, judged
from pellucid.explain.protocol import Protocol
from pellucid.heatmap import Heatmap
from pellucid.judgement import Judgement


def finished(work: Any) -> Any:
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value


class MadeUp(Explainer):
    """An explanation that is any function of a network."""

    def __init__(self, draw: Callable[[pl.Network], Heatmap]) -> None:
        vars(self).update(name="made up", draw=draw)

    def quick(self, net: pl.Network) -> Explainer:
        return self

    def explain(self, net: pl.Network, asked: Asked) -> Heatmap:
        return vars(self)["draw"](net)


def judge(
    net: pl.Network, photo: Any, target: Any, explain: Callable[[pl.Network], Heatmap], **how: Any
) -> Judgement:
    torch.manual_seed(0)
    with net.at_rest():
        asked = Asked.of(net, pl.open_image(photo), target)
        plan = Plan.of(asked, Protocol(**{"stages": 3, "samples": 2, "pieces": 14} | how))
        bases = finished(baselines(asked, plan))
        return finished(judged(MadeUp(explain), asked, plan, bases))


def map_of(
    net: pl.Network, photo: Any, draw: Callable[[pl.Network, Tensor], Tensor]
) -> Callable[[pl.Network], Heatmap]:
    """An explanation that is a function of the network and its input."""

    def explain(network: pl.Network) -> Heatmap:
        given = pl.open_image(photo)
        inputs, frame = network.prepare(given)
        return Heatmap(values=draw(network, inputs), photo=given, frame=frame)

    return explain


def edges(_net: pl.Network, inputs: Tensor) -> Tensor:
    """No explanation at all: where the photo itself has edges."""
    down, across = torch.gradient(inputs[0].mean(0))
    return torch.hypot(down, across)


def dot() -> tuple[pl.Network, Tensor]:
    """A network whose answer is how bright one patch is; and a photo of noise with it bright."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 2))
    weight = torch.zeros(2, 28, 28)
    weight[1, 4:9, 18:23] = 0.4
    with torch.no_grad():
        module[1].weight.copy_(weight.flatten(1))
        module[1].bias.copy_(torch.tensor([4.0, 0.0]))
    net = pl.Network(module, size=28, mean=[0.4], std=[0.3], labels=["none", "dot"])
    photo = 0.4 + 0.2 * (torch.rand(1, 28, 28, generator=torch.Generator().manual_seed(3)) - 0.5)
    photo[0, 4:9, 18:23] += 0.4
    return net, photo


def test_the_truth_is_told_from_a_map_drawn_at_random() -> None:
    net, photo = dot()
    mask = net.module[1].weight[1].detach().reshape(28, 28).clone()
    random = torch.rand(28, 28, generator=torch.Generator().manual_seed(4))
    truth = judge(net, photo, "dot", map_of(net, photo, lambda net, _: mask))
    chance = judge(net, photo, "dot", map_of(net, photo, lambda net, _: random))
    upside = judge(net, photo, "dot", map_of(net, photo, lambda net, _: -mask))
    areas = [each.curves.deletion.area for each in (truth, chance, upside)]
    assert areas[0] < 0.2 < areas[1] < areas[2]
    areas = [each.curves.insertion.area for each in (truth, chance, upside)]
    assert areas[0] > areas[1] > areas[2] and areas[0] > 0.6
    assert [badge.mark for badge in truth.badges[1:3]] == ["good", "good"]
    assert [badge.mark for badge in upside.badges[1:3]] == ["bad", "bad"]
    assert truth.clean > 0.9


def test_an_edge_detector_is_found_out(bundled: pl.Network) -> None:
    """It looks like the photo, and does not care about the network."""
    found = judge(bundled, "photo:cat", None, map_of(bundled, "photo:cat", edges))
    assert found.correlations == pytest.approx([1] * 3)
    assert found.similarities == pytest.approx([1] * 3)
    assert found.badges[0].mark == "bad" and found.badges[0].words == "hardly changes"


def test_the_gradient_follows_the_weights(bundled: pl.Network) -> None:
    found = judge(bundled, "photo:motorcycle", None, lambda net: pl.saliency(
        net, "photo:motorcycle", target="Motorbikes"
    ))  # fmt: skip
    assert found.badges[0].mark == "good" and max(found.correlations) < 0.5
    assert found.stages == ("conv6", "conv4", "conv1")


def test_the_gradient_of_a_linear_network_changes_at_once() -> None:
    torch.manual_seed(0)
    net = pl.Network(nn.Sequential(nn.Flatten(), nn.Linear(3 * 20 * 20, 2)), size=20)
    found = judge(net, "photo:cat", "class:0", lambda net: pl.saliency(net, "photo:cat"))
    assert found.stages == ("1",) and abs(found.correlations[0]) < 0.2
    assert found.sensitivity == 0


def test_the_copies_are_destroyed_and_never_the_network(tiny: pl.Network) -> None:
    hashes: list[str] = []

    def explain(net: pl.Network) -> Heatmap:
        hashes.append(net.weights_hash)
        return pl.saliency(net, "photo:cat", target="bee")

    judge(tiny, "photo:cat", "bee", explain)
    own = tiny.weights_hash
    # The map, three stages of which each is another, two noises on the network itself.
    assert hashes[0] == hashes[4] == hashes[5] == own
    assert len({own, *hashes[1:4]}) == 4


def test_maps_of_another_grid_are_laid_on_the_first(tiny: pl.Network) -> None:
    own = tiny.weights_hash

    def explain(net: pl.Network) -> Heatmap:
        given = pl.open_image("photo:cat")
        side = 6 if net.weights_hash == own else 3
        values = torch.arange(float(side)).expand(side, -1)
        return Heatmap(values=values, photo=given, frame=net.preprocess.frame(given.size))

    assert judge(tiny, "photo:cat", "bee", explain).correlations[-1] > 0.95


def test_every_method_meets_the_same_destroyed_networks_and_noise(
    tiny: pl.Network, cat: pl.Photo
) -> None:
    seen: list[list[float]] = []

    def explain(net: pl.Network) -> Heatmap:
        inputs, _ = net.prepare(cat)
        seen[-1].append(float(inputs.sum()) + sum(float(w.sum() * w[0].sum()) for w in
                        net.module.parameters()))  # fmt: skip
        return pl.saliency(net, cat, target="bee")

    for _ in range(2):
        seen.append([])
        judge(tiny, cat, "bee", explain)
        torch.rand(3)
    assert seen[0] == seen[1] and len(set(seen[0])) == 6
    seen.append([])
    judge(tiny, cat, "bee", explain, seed=1)
    assert seen[0] != seen[2]


def flat(net: pl.Network, value: float) -> Heatmap:
    """The same number everywhere, but for roundings."""
    given = pl.open_image("photo:cat")
    noise = torch.rand(6, 6, generator=torch.Generator().manual_seed(5))
    values = value * (1 + 1e-6 * noise)
    return Heatmap(values=values, photo=given, frame=net.preprocess.frame(given.size))


def test_a_map_that_is_only_rounding_is_not_judged(tiny: pl.Network) -> None:
    found = judge(tiny, "photo:cat", "bee", lambda net: flat(net, 0.3))
    assert found.empty and all(number != number for number in found.numbers)
    assert {(badge.mark, badge.words) for badge in found.badges} == {("bad", "an empty map")}
    data = json.loads(json.dumps(found.data(), allow_nan=False))
    assert set(data["numbers"].values()) == {None} and found.clean > 0


@pytest.mark.parametrize(("empty", "words"), [(1, "hardly changes"), (2, "vanishes")])
def test_it_takes_half_of_the_stages_to_say_what_has_become_of_a_map(
    tiny: pl.Network, empty: int, words: str
) -> None:
    """One map that happens to be alike, or unlike, decides nothing."""
    own, calls = tiny.weights_hash, 0

    def explain(net: pl.Network) -> Heatmap:
        nonlocal calls
        calls += net.weights_hash != own
        if net.weights_hash != own and calls <= empty:
            return flat(net, 0.0)
        return map_of(net, "photo:cat", edges)(net)

    found = judge(tiny, "photo:cat", "bee", explain)
    assert found.badges[0].words == words
    assert found.numbers[0] == pytest.approx(1 if empty == 1 else 1 / 3)
