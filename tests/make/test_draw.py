"""A drawing: many pictures at once as each alone, seen as the recipe says, told at any time."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.make.draw import FRESH, Drawing
from pellucid.make.manner import MANNERS, Manner, manner
from pellucid.make.objective import Objective, View, each
from pellucid.make.objectives import channel, class_score, diversity, neuron, read
from pellucid.make.penalties import difference, l2
from pellucid.make.transforms import seen
from pellucid.method import Step
from pellucid.target import observe


@pytest.fixture(autouse=True)
def at_rest(tiny: pl.Network, all_digits: None) -> Iterator[None]:
    with tiny.at_rest():
        yield


def drawn(net: pl.Network, want: Objective, how: Manner, **settings: object) -> Drawing:
    drawing = Drawing(net, want.bind(net), how, **settings)
    for _ in drawing.run(want):
        pass
    return drawing


@pytest.mark.parametrize("name", MANNERS)
def test_each_of_many_is_drawn_as_alone(name: str, tiny: pl.Network) -> None:
    parts = [channel("block", 1), class_score("bee"), channel("stem.1", 4) - 0.1 * l2()]
    how = manner(name).but(steps=6)
    together = drawn(tiny, each(parts), how, count=3).so_far()
    for number, part in enumerate(parts):
        alone = drawn(tiny, part, how).so_far()
        torch.testing.assert_close(together.pictures[number], alone.pictures[0], atol=1e-4, rtol=0)
        torch.testing.assert_close(
            together.curve[:, number], alone.curve[:, 0], atol=1e-4, rtol=1e-3
        )
        torch.testing.assert_close(together.weight[number], alone.weight[0], atol=1e-4, rtol=1e-3)


def test_many_on_the_bundled_network(bundled: pl.Network) -> None:
    """A grid of channels is one run: the very pictures of single runs."""
    parts = [channel("conv3", number) for number in (0, 7, 30)]
    how = manner("lucid").but(steps=8, size="48")
    with bundled.at_rest():
        together = drawn(bundled, each(parts), how, count=3).so_far()
        for number, part in enumerate(parts):
            alone = drawn(bundled, part, how).so_far()
            torch.testing.assert_close(
                together.pictures[number], alone.pictures[0], atol=1e-4, rtol=0
            )


def test_the_value_is_the_mean_over_the_views(tiny: pl.Network) -> None:
    """Of the views that the generator gives in turn, each looked at by itself."""
    how = manner("maco").but(steps=1, views=5, transforms="crop 0.5 0.9; noise 0.1")
    want = channel("block", 2) - 0.3 * l2()
    drawing = Drawing(tiny, want.bind(tiny), how, seed=3)
    images = drawing.sheet.images().detach()
    random = torch.Generator().manual_seed(3)
    how.canvas.sheet(tiny, random)  # the same numbers are drawn before the first view
    found = []
    for _ in range(5):
        view = images
        for transform in how.transforms:
            view = transform(view, random)
        with torch.no_grad():
            maps = observe(tiny, view, {"block"})["block"]
        found.append(float(maps[0, 2].mean()) - 0.3 * float(images.square().mean()))
    for _ in drawing.run(want):
        pass
    assert drawing.values[0][0] == pytest.approx(sum(found) / 5, rel=1e-4, abs=1e-5)
    assert len(set(found)) == 5


def test_views_of_several_pictures_are_not_mixed_up(tiny: pl.Network) -> None:
    parts = [class_score(number) for number in range(3)]
    how = manner("maco").but(steps=4, views=3)
    together = drawn(tiny, each(parts), how, count=3).so_far()
    for number, part in enumerate(parts):
        alone = drawn(tiny, part, how).so_far()
        torch.testing.assert_close(together.pictures[number], alone.pictures[0], atol=1e-4, rtol=0)


def test_a_neuron_is_not_moved_away_from(tiny: pl.Network) -> None:
    want = neuron("block", 2, 3, 4)
    drawing = Drawing(tiny, want.bind(tiny), manner("maco"))
    assert list(map(str, drawing.transforms)) == ["noise 0.08"]
    still = Drawing(tiny, want.bind(tiny), manner("lucid"))
    assert not still.transforms
    assert len(Drawing(tiny, class_score(0).bind(tiny), manner("lucid")).transforms) == 4
    # Seen afresh it is seen as it is.
    values = still.fresh(3)
    torch.testing.assert_close(values, still.plain().expand(3, 1))


def test_told_at_any_time(tiny: pl.Network) -> None:
    want = class_score("cat")
    drawing = Drawing(tiny, want.bind(tiny), manner("jitter").but(steps=5), count=2)
    before = drawing.so_far()
    assert before.step == 0 and before.curve.shape == (0, 2) and not before.alive.any()
    work = drawing.run(want)
    steps = [next(work) for _ in range(3)]
    now = drawing.so_far()
    assert now.step == 3 and now.curve.shape == (3, 2) and now.alive.all()
    assert now.curve[2, 0] == pytest.approx(
        float(steps[2].text.split(" = ")[1].split()[0]), rel=1e-2
    )
    assert steps[2].text.endswith("on average")
    torch.testing.assert_close(now.pictures, tiny.preprocess.denormalise(now.inputs).clamp(0, 1))
    assert not torch.equal(now.pictures, before.pictures)
    assert bool((now.weight > 0).any()) and now.weight.shape == (2, 20, 28)


def test_the_weight_adds_up_what_the_gradient_was(tiny: pl.Network) -> None:
    """Of one step without transforms: the size of the gradient, summed over the colours."""
    want = channel("block", 2)
    begins = torch.rand(1, 1, 20, 28, generator=torch.Generator().manual_seed(0))
    drawing = drawn(tiny, want, manner("simple").but(steps=1), begins=begins)
    given = tiny.preprocess.normalise(begins).requires_grad_()
    value = tiny.neurons(given, tiny.unit("block:2")).sum()
    (gradient,) = torch.autograd.grad(value, given)
    torch.testing.assert_close(drawing.so_far().weight, gradient.abs().sum(1))


def test_seen_afresh_by_transforms_that_it_has_not_met(tiny: pl.Network) -> None:
    """The same views for every picture and every seed, so that recipes can be compared."""
    want = class_score("cat")
    drawing = drawn(tiny, want, manner("lucid").but(steps=2))
    values = drawing.fresh(4)
    random = torch.Generator().manual_seed(1_000_003)
    images = drawing.so_far().inputs
    for number in range(4):
        view = seen(images, FRESH, random)
        with torch.no_grad():
            scores = tiny.scores(view)[0]
        assert float(values[number, 0]) == pytest.approx(float(scores[2]), rel=1e-4, abs=1e-5)
        shares = drawing.fresh_probabilities(4)[number, 0]
        torch.testing.assert_close(shares, scores.softmax(0), atol=1e-5, rtol=0)
    torch.testing.assert_close(drawing.plain(), tiny.scores(images)[:, 2].detach())


def test_begins_with_pictures(tiny: pl.Network) -> None:
    begins = torch.rand(2, 1, 20, 28, generator=torch.Generator().manual_seed(0)) * 0.9 + 0.05
    for canvas in ("pixels", "fourier"):
        how = manner("simple").but(canvas=canvas, regularisers="none", steps=1, rate=0.0)
        drawing = drawn(tiny, class_score(0), how, count=2, begins=begins)
        torch.testing.assert_close(drawing.so_far().pictures, begins, atol=1e-4, rtol=0)


def test_towards_a_photo(tiny: pl.Network, cat: pl.Photo) -> None:
    """An objective that does not ask the network at all: the picture becomes the photo."""
    how = manner("simple").but(regularisers="none", climb="plain 100", steps=60)
    made = drawn(tiny, -difference(cat), how).so_far()
    wanted, _ = tiny.preprocess.crop(cat)
    torch.testing.assert_close(made.pictures[0], wanted, atol=1e-3, rtol=0)


def test_diversity_drives_pictures_apart(tiny: pl.Network) -> None:
    """From starts that differ a little, the pictures of a batch end less alike."""
    begins = 0.4 + 0.02 * torch.randn(3, 1, 20, 28, generator=torch.Generator().manual_seed(0))
    how = manner("simple").but(steps=20)

    def alike(want: Objective) -> float:
        made = drawn(tiny, want, how, count=3, begins=begins).so_far()
        with torch.no_grad():
            maps = observe(tiny, made.inputs, {"block"})
        bound = diversity("block").bind(tiny)
        return -float(bound.value(View(tiny, made.inputs, maps)).mean())

    plain = channel("block", 2)
    assert alike(plain + 5 * diversity("block")) < alike(plain) - 0.05


def test_transforms_that_enlarge_are_made_room_for(tiny: pl.Network) -> None:
    how = manner("simple").but(transforms="pad 0.2; jitter 0.1", steps=2)
    drawing = drawn(tiny, class_score(0), how)
    assert drawing.size == (28, 36) and drawing.so_far().pictures.shape == (1, 1, 20, 28)


@pytest.mark.parametrize("size", ["17x23", "64", "9x60"])
@pytest.mark.parametrize("name", ["simple", "lucid", "maco"])
def test_odd_sizes(name: str, size: str, tiny: pl.Network) -> None:
    made = drawn(tiny, class_score(0), manner(name).but(size=size, steps=2)).so_far()
    wanted = {"17x23": (17, 23), "64": (64, 90), "9x60": (9, 60)}[size]
    assert made.pictures.shape == (1, 1, *wanted) and made.weight.shape == (1, *wanted)


def test_the_users_network_is_not_touched(tiny: pl.Network) -> None:
    """It is run on a copy; also an objective's text makes the same drawing."""
    before = {name: value.clone() for name, value in tiny.module.state_dict().items()}
    calls: list[Step | Tensor] = []
    want = read("block:1 - 0.1 * l2", tiny)
    drawing = Drawing(tiny, want.bind(tiny), manner("lucid").but(steps=3))
    handle = tiny.module.stem.register_forward_hook(lambda *_: calls.append(torch.zeros(())))
    steps = list(drawing.run(want))
    handle.remove()
    assert len(steps) == 3 and not calls
    for name, value in tiny.module.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_dead_picture_beside_living_ones(tiny: pl.Network) -> None:
    """It is told by itself, and keeps nothing of the others."""
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 2, 3), nn.ReLU())
    with torch.no_grad():
        module[2].weight[0].zero_()
        module[2].bias[0] = -1
        module[2].bias[1] = 1
    net = pl.Network(module, size=(12, 14), mean=[0.5], std=[0.5])
    with net.at_rest():
        want = each([channel("3", 0), channel("3", 1)])
        made = drawn(net, want, manner("simple").but(steps=3), count=2).so_far()
    assert made.alive.tolist() == [False, True]
    assert not made.inputs[0].any() and bool(made.inputs[1].any())
