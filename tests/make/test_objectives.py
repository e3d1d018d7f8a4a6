"""Objectives: their values written out, their arithmetic, and their texts."""

from math import prod, sqrt
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.images import open_image
from pellucid.make import objectives, penalties
from pellucid.make.objective import Objective, View, each
from pellucid.make.objectives import (
    channel,
    class_score,
    cosine,
    direction,
    diversity,
    layer,
    neuron,
    read,
    unit,
)
from pellucid.make.others import others
from pellucid.make.penalties import alpha_norm, difference, l2, total_variation
from pellucid.target import observe

WANTED = ["", "stem.1", "block", "grouped", "head"]


@pytest.fixture
def view(tiny: pl.Network) -> View:
    """What the small network says of three pictures of noise."""
    images = torch.randn(3, 1, 20, 28, generator=torch.Generator().manual_seed(0))
    with tiny.at_rest(), torch.no_grad():
        return View(tiny, images, observe(tiny, images, set(WANTED)))


def value(objective: Objective, view: View) -> Tensor:
    bound = objective.bind(view.net)
    assert bound.layers <= set(WANTED)
    return bound.value(view)


def test_units_are_read_off(view: View) -> None:
    scores, maps = view.seen[""], view.seen["block"]
    assert torch.equal(value(class_score("cat"), view), scores[:, 2])
    assert torch.equal(value(class_score(2), view), scores[:, 2])
    assert torch.equal(value(unit(4), view), scores[:, 4])
    torch.testing.assert_close(value(channel("block", 5), view), maps[:, 5].mean((1, 2)))
    assert torch.equal(value(neuron("block", 5, 3, 7), view), maps[:, 5, 3, 7])
    assert torch.equal(value(unit(view.net.unit("block:5@3,7")), view), maps[:, 5, 3, 7])
    assert neuron("block", 5, 3, 7).bind(view.net).fixed
    assert not channel("block", 5).bind(view.net).fixed


def test_others_are_all_classes_but_one(view: View) -> None:
    scores = view.seen[""]
    rest = torch.stack([scores[:, number] for number in (0, 1, 3, 4)], 1)
    for name in ("cat", "class:cat", 2):
        torch.testing.assert_close(value(others(name), view), rest.exp().sum(1).log())
    odds = value(class_score("cat") - others("cat"), view)
    torch.testing.assert_close(odds.sigmoid(), scores.softmax(1)[:, 2])
    text = "class:cat - 0.5 * others(class:cat)"
    assert str(read(text, view.net)) == text
    assert str(read("class:cat - 0.5 * others(cat)", view.net)) == text
    with pytest.raises(pl.PellucidError, match="did you mean 'cat'"):
        others("cst").bind(view.net)


def test_a_direction_is_a_sum_over_channels(view: View) -> None:
    way = [0.5, -1.0, 0.0, 2.0, 0.1, 3.0]
    maps = view.seen["block"]
    made = value(direction("block", torch.tensor(way)), view)
    for number in range(3):
        wanted = sum(w * float(maps[number, c].mean()) for c, w in enumerate(way))
        assert float(made[number]) == pytest.approx(wanted, rel=1e-4)
    one = torch.eye(6)[5]
    torch.testing.assert_close(
        value(direction("block", one), view), value(channel("block", 5), view)
    )


@pytest.mark.parametrize("power", [0.0, 1.0, 2.5])
def test_a_cosine_at_every_place(view: View, power: float) -> None:
    way = [0.5, -1.0, 0.3, 2.0, 0.1, 3.0]
    maps = view.seen["block"]
    made = value(cosine("block", torch.tensor(way), power), view)
    length = sqrt(sum(w * w for w in way))
    for number in range(3):
        found = []
        for y in range(maps.shape[2]):
            for x in range(maps.shape[3]):
                here = maps[number, :, y, x].tolist()
                product = sum(map(prod, zip(way, here, strict=True)))
                size = length * sqrt(sum(h * h for h in here))
                angle = product / size if size else 0.0
                found.append(product * max(angle, 0.1) ** power if power else angle)
        assert float(made[number]) == pytest.approx(sum(found) / len(found), rel=1e-3)


def test_a_layer_has_half_the_mean_of_its_squares(view: View) -> None:
    """Whose gradient is the layer itself, over how many numbers it has."""
    maps = view.seen["grouped"].clone().requires_grad_()
    seen = View(view.net, view.images, {"grouped": maps})
    made = value(layer("grouped"), seen)
    torch.testing.assert_close(made, (maps**2).sum((1, 2, 3)) / (2 * maps[0].numel()))
    (slope,) = torch.autograd.grad(made.sum(), maps)
    torch.testing.assert_close(slope, (maps / maps[0].numel()).detach())


def test_diversity_is_how_little_gram_matrices_agree(view: View) -> None:
    maps = view.seen["block"]
    grams = [torch.einsum("ayx,byx->ab", one, one).flatten() for one in maps]
    made = value(diversity("block"), view)
    for number in range(3):
        alike = [
            float(grams[number] @ other / grams[number].norm() / other.norm())
            for at, other in enumerate(grams)
            if at != number
        ]
        assert float(made[number]) == pytest.approx(-sum(alike) / 2, rel=1e-4)
    assert float(value(diversity("block"), view.only(1))) == 0
    same = View(view.net, view.images, {"block": maps[:1].expand(3, -1, -1, -1)})
    torch.testing.assert_close(value(diversity("block"), same), -torch.ones(3))


def test_penalties_by_hand(view: View) -> None:
    image = torch.tensor([[[[0.0, 3.0, 1.0], [4.0, -1.0, 0.0]]]])
    seen = View(view.net, image, {})
    # Steps across and down: 3 and 4 at the first pixel, -2 and -4 at the second.
    for beta in (2.0, 1.0, 3.0):
        wanted = (25 ** (beta / 2) + 20 ** (beta / 2)) / 2
        assert float(value(total_variation(beta), seen)) == pytest.approx(wanted, rel=1e-5)
    assert float(value(l2(), seen)) == pytest.approx((9 + 1 + 16 + 1) / 6)
    assert float(value(alpha_norm(), seen)) == pytest.approx((3**6 + 1 + 4**6 + 1) / 6)
    assert float(value(alpha_norm(1), seen)) == pytest.approx((3 + 1 + 4 + 1) / 6)
    for objective in (total_variation(), total_variation(1.5), l2(), alpha_norm()):
        assert not objective.bind(view.net).layers
        flat = torch.zeros(1, 1, 4, 4, requires_grad=True)
        made = value(objective, View(view.net, flat, {}))
        (slope,) = torch.autograd.grad(made.sum(), flat)
        assert abs(float(made.detach())) < 1e-8 and not slope.any()


def test_the_difference_to_a_photo(view: View, cat: pl.Photo) -> None:
    prepared = view.net.prepare(cat)[0]
    made = value(difference(cat), view)
    for number in range(3):
        wanted = float(((view.images[number] - prepared[0]) ** 2).mean())
        assert float(made[number]) == pytest.approx(wanted, rel=1e-5)
    assert float(value(difference(cat), View(view.net, prepared, {}))) == 0
    larger = nn.functional.interpolate(prepared, (40, 56), mode="bilinear", antialias=True)
    assert float(value(difference(cat), View(view.net, larger, {}))) < 1e-10


def test_they_add_subtract_and_scale(view: View) -> None:
    a, b = channel("block", 1), class_score("bee")
    one, other, small = value(a, view), value(b, view), value(l2(), view)
    cases = [
        (a + b, one + other),
        (a - b, one - other),
        (-a, -one),
        (2 * a, 2 * one),
        (a * 0.5, 0.5 * one),
        (a - 0.1 * l2() + b, one - 0.1 * small + other),
        (-(a - b), other - one),
        (0.5 * (a - 2 * b) - (a + b), 0.5 * (one - 2 * other) - (one + other)),
        (-1 * (3 * (-a)), 3 * one),
    ]
    for objective, wanted in cases:
        torch.testing.assert_close(value(objective, view), wanted)
        again = read(str(objective), view.net)
        torch.testing.assert_close(value(again, view), wanted)
        assert str(again) == str(objective)
    assert (a + b).bind(view.net).layers == {"block", ""}
    assert (a + neuron("block", 1, 2, 2)).bind(view.net).fixed


def test_texts(view: View) -> None:
    a = channel("block", 1)
    texts = {
        str(a - 0.1 * total_variation()): "block:1 - 0.1 * total_variation",
        str(-(a - 0.1 * total_variation(1.5))): "-block:1 + 0.1 * total_variation(1.5)",
        str(2 * (0.5 * a)): "block:1",
        str(a + -1 * l2()): "block:1 - l2",
        str(1e-7 * layer("block")): "1e-07 * layer(block)",
        str(1e20 * diversity("block")): "1e+20 * diversity(block)",
        str(a * (1 / 3)): "0.3333333333333333 * block:1",
        str(class_score("cat") - alpha_norm(4)): "class:cat - alpha_norm(4)",
        str(unit(view.net.unit("class:cat"))): "class:cat",
        str(each([a, class_score("bee")])): "block:1; class:bee",
    }
    for told, wanted in texts.items():
        assert told == wanted
        if ";" not in told:
            assert str(read(told, view.net)) == told


def test_a_photo_with_a_sign_in_its_name(view: View, cat: pl.Photo, here: Path) -> None:
    (here / "a - b + c").mkdir()
    path = Path("a - b + c") / "cat - 2.png"
    pl.Picture(values=cat.floats()).save(path)
    text = f"class:cat - 0.5 * difference({path}) + l2"
    wanted = class_score("cat") - 0.5 * difference(open_image(path)) + l2()
    torch.testing.assert_close(value(read(text, view.net), view), value(wanted, view))
    assert str(read(text, view.net)) == text


def test_for_each_picture_one_of_its_own(view: View) -> None:
    parts = [channel("block", 2), class_score("bee") - l2(), neuron("stem.1", 0, 1, 1)]
    made = value(each(parts), view)
    alone = [value(part, view)[number] for number, part in enumerate(parts)]
    torch.testing.assert_close(made, torch.stack(alone))
    bound = each(parts).bind(view.net)
    assert bound.layers == {"block", "", "stem.1"} and bound.fixed
    with pytest.raises(pl.PellucidError, match="2 objectives are for as many pictures, not for 3"):
        value(each(parts[:2]), view)


def test_a_class_that_is_called_like_an_objective(view: View) -> None:
    """The label counts: it is what a network's own people know it by."""
    labels = ["l2", "layer", "red - green", "dog", "elk"]
    net = pl.Network(view.net.module, size=(20, 28), mean=[0.4], std=[0.3], labels=labels)
    seen = View(net, view.images, view.seen)
    for number, label in enumerate(labels):
        torch.testing.assert_close(value(read(label, net), seen), view.seen[""][:, number])
    torch.testing.assert_close(
        value(read("0.5 * layer(block)", net), seen), 0.5 * value(layer("block"), view)
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bea", "did you mean 'bee'"),
        ("class:bee - 0.1 * totl_variation", "no"),
        ("layr(block)", "no objective 'layr'; did you mean 'layer'"),
        ("layer(blok)", "no layer 'blok'; did you mean 'block'"),
        ("layer", "lacks what it is of"),
        ("diversity()", "lacks what it is of"),
        ("others()", "lacks what it is of"),
        ("block:1 - 1.2.3 * l2", "'1.2.3' in '1.2.3 \\* l2' is not a number"),
        ("total_variation(x)", "total_variation takes a number, not 'x'"),
        ("total_variation(-1)", "beta of total_variation is from 0.1 to 10"),
        ("alpha_norm(0.5)", "alpha of alpha_norm is from 1 to 20"),
        ("difference(no.png)", "no.png"),
        ("direction(block)", "cannot hold the vector"),
        ("block:1@90,0", "is outside"),
    ],
)
def test_wrong_texts(text: str, message: str, tiny: pl.Network) -> None:
    with pytest.raises(pl.PellucidError, match=message):
        read(text, tiny).bind(tiny)


def test_wrong_vectors_and_layers(view: View) -> None:
    net = view.net
    with pytest.raises(pl.PellucidError, match=r"has 6 numbers.*not shape \(5,\)"):
        direction("block", torch.ones(5)).bind(net)
    with pytest.raises(pl.PellucidError, match="not all zeros"):
        cosine("block", torch.zeros(6)).bind(net)
    with pytest.raises(pl.PellucidError, match="no layer 'blck'; did you mean 'block'"):
        layer("blck").bind(net)


def test_a_neuron_outside_of_a_smaller_picture(tiny: pl.Network) -> None:
    """Its place is there at the network's own size, but not in this picture."""
    images = torch.zeros(1, 1, 10, 14)
    with tiny.at_rest(), torch.no_grad():
        seen = View(tiny, images, observe(tiny, images, {"block"}))
    bound = neuron("block", 0, 7, 2).bind(tiny)
    with pytest.raises(pl.PellucidError, match=r"block:0@7,2 is outside.*5 x 7 positions"):
        bound.value(seen)


def test_channels_of_tokens_and_of_what_lies_last() -> None:
    """The channels of a transformer are found wherever its layout has them."""
    module = nn.Sequential(nn.Conv2d(3, 4, 8, 8), nn.Flatten(2), _Swap())
    net = pl.Network(module, size=(16, 24))
    outputs = torch.randn(2, 6, 4)
    seen = View(net, net.blank(2), {"2": outputs})
    assert net.layers["2"].layout.form == "tokens"
    torch.testing.assert_close(channel("2", 3).bind(net).value(seen), outputs[:, :, 3].mean(1))
    way = torch.tensor([1.0, 2.0, 3.0, 4.0])
    torch.testing.assert_close(direction("2", way).bind(net).value(seen), (outputs @ way).mean(1))
    assert diversity("2").bind(net).value(seen).shape == (2,)


class _Swap(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mT


def test_every_name_is_one(tiny: pl.Network) -> None:
    assert set(objectives.NAMED) == {
        "layer", "diversity", "difference", "others", "total_variation", "alpha_norm", "l2"
    }  # fmt: skip
    assert objectives.NAMED["l2"] is penalties.l2
