"""trust and compare: whether they tell a map that is worth believing from one that is not."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.explain.asked import Asked
from pellucid.explain.explainers import Explainer, explainer, explainers
from pellucid.explain.judge import Plan, baselines, judged
from pellucid.explain.protocol import Protocol
from pellucid.heatmap import Heatmap
from pellucid.judgement import MEASURES, Judgement


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


def test_the_target_is_settled_before_the_network_is_destroyed(
    tiny: pl.Network, cat: pl.Photo
) -> None:
    best = pl.predict(tiny, cat).names[0]
    few = {"stages": 2, "samples": 1, "pieces": 4}
    by_itself, named = (pl.trust(tiny, "saliency", cat, target=t, **few) for t in (None, best))
    assert torch.equal(by_itself.values, named.values) and by_itself.target == f"class:{best}"


def test_any_target_of_one_number(tiny: pl.Network, cat: pl.Photo) -> None:
    few = {"stages": 2, "samples": 1, "pieces": 4}
    for target in ("block:3", "stem:2@4,5", lambda seen: seen["stem"][:, 1].mean((1, 2))):
        found = pl.trust(tiny, "saliency", cat, target=target, **few)
        assert bool(found.values.isfinite().all())
        assert "classifier" not in found.judgement.stages and "head" not in found.judgement.stages
    assert "activation" in pl.trust(tiny, pl.saliency, cat, target="block:3", **few).protocol


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("salience", "did you mean 'saliency'"),
        (" nope", "no explanation 'nope'; there is"),
        ("predict", "gives no map of a target"),
        ("trust", "gives no map of a target"),
        ("activations", "gives no map of a target"),
    ],
)
def test_only_explanations_are_judged(tiny: pl.Network, name: str, says: str) -> None:
    for work in (lambda: pl.trust(tiny, name, "photo:cat"),
                 lambda: pl.compare(tiny, "photo:cat", methods=f"saliency; {name}")):  # fmt: skip
        with pytest.raises(pl.Unknown, match=says):
            work()


def test_one_target_at_a_time(tiny: pl.Network) -> None:
    with pytest.raises(pl.PellucidError, match="one target at a time"):
        pl.trust(tiny, "saliency", "photo:cat", target="bee; cat")


def test_a_network_without_weights_is_said() -> None:
    class Bare(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.sum((2, 3))

    with pytest.raises(pl.PellucidError, match="no weights before class:0 to shuffle"):
        pl.trust(pl.Network(Bare(), size=8), "saliency", "photo:cat", target=0)


def test_explanations_are_found_in_the_register() -> None:
    found = explainers()
    assert {"saliency", "occlusion"} <= found.keys()
    assert not {"trust", "compare", "predict", "activations", "feature"} & found.keys()
    assert explainer("saliency") == found["saliency"]


class Cut(nn.Module):
    """A network that no gradient passes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x.detach()).relu().mean((2, 3))


def test_one_that_does_not_suit_the_network_says_why_and_holds_up_nobody(cat: pl.Photo) -> None:
    net = pl.Network(Cut(), size=16)
    few = {"stages": 2, "samples": 1, "pieces": 4, "methods": "saliency, occlusion"}
    steps = list(pl.compare.steps(net, cat, **few))
    assert [step.done for step in steps] == [1, 2, 3, 4, 9, *range(10, 15)]
    assert {step.total for step in steps} == {14}
    found = pl.compare(net, cat, **few)
    assert found.values.shape == (1, len(MEASURES))
    assert [each.name for each in found.judgements] == ["occlusion"]
    assert found.failed["saliency"].startswith("no gradient reaches the image")
    data = json.loads(json.dumps(found.data()))
    assert data["failed"] == found.failed and data["methods"][0]["method"] == "occlusion"
    with pytest.raises(pl.PellucidError, match="no method explains this: saliency: no gradient"):
        pl.compare(net, cat, **few | {"methods": "saliency"})


def test_many_maps_are_drawn_coarsely_and_the_one_is_not(tiny: pl.Network, cat: pl.Photo) -> None:
    found = pl.trust(tiny, "occlusion", cat, stages=2, samples=1, pieces=4).judgement
    fine = pl.occlusion(tiny, cat)
    assert torch.equal(found.heatmap.values, fine.values)
    shapes = {tuple(each.values.shape) for each in (found.reference, *found.maps)}
    assert shapes == {(5, 7)} and fine.values.numel() > 35


def test_compare_says_of_each_what_trust_says_of_it(tiny: pl.Network, cat: pl.Photo) -> None:
    """By the defaults of both; whatever stands before it; also where coarse maps are drawn."""
    names = ("saliency", "cam:layercam", "occlusion")
    beside = pl.compare(tiny, cat, methods="; ".join(names))
    for name, row in zip(names, beside.values, strict=True):
        alone = pl.trust(tiny, name, cat)
        assert torch.equal(row, alone.values), name
        assert alone.protocol == beside.protocol
        assert alone.caption.endswith(beside.caption[beside.caption.rindex("(") :])
    assert "trials of noise up to 0.02)" in beside.caption and "stages of shuf" in beside.caption


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


def test_a_photo_of_one_colour_gives_occlusion_nothing_to_judge(bundled: pl.Network) -> None:
    few = {"stages": 2, "samples": 1, "pieces": 4}
    grey = torch.full((3, 64, 64), 0.5)
    found = pl.trust(bundled, "occlusion", grey, **few)
    assert found.judgement.empty and found.caption.endswith(": an empty map, nothing to judge")
    assert found.image().shape[0] == 3
    beside = pl.compare(bundled, grey, methods="occlusion; saliency", **few)
    assert beside.values[0].isnan().all() and beside.values[1].isfinite().all()
    assert beside.image().shape[0] == 3


def test_what_is_watched_has_its_name(tiny: pl.Network, cat: pl.Photo) -> None:
    few = {"stages": 1, "samples": 1, "pieces": 2}
    assert pl.trust(tiny, "saliency", cat, target="bee", **few).what == "probability"
    assert pl.compare(tiny, cat, target="block:3", methods="saliency", **few).what == "activation"


def test_the_result_carries_all_that_is_drawn(tiny: pl.Network, cat: pl.Photo) -> None:
    found = pl.trust(tiny, "occlusion", cat, stages=2, samples=1, pieces=4)
    data = json.loads(json.dumps(found.data()))
    assert dict(zip(MEASURES, found.values.tolist(), strict=True)) == pytest.approx(data["numbers"])
    assert len(data["deletion"]["values"]) == 5 and data["insertion"]["shares"][-1] == 1
    assert data["random"]["deletion"]["area"] > 0 and "1/4 of all at a time" in data["protocol"]
    assert len(data["randomisation"]["spearman"]) == 2
    assert found.caption.startswith("occlusion of class:") and "randomised" in found.caption
