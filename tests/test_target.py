"""Targets: units, best classes, functions of a recording, and several of them at once."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

import pellucid as pl
from pellucid.target import described, observe, split, targets, values

TWO = ("photo:cat", "photo:motorcycle")


def test_every_map_of_several_is_the_map_of_one(bundled: pl.Network) -> None:
    names = ["Motorbikes", "relu3:7", "relu5:2@3,4"]
    found = pl.saliency(bundled, TWO, target=names)
    assert found.values.shape == (2, 3, 112, 112) and len(found) == len(list(found)) == 6
    for row, photo in enumerate(TWO):
        for column, name in enumerate(names):
            alone = pl.saliency(bundled, photo, target=name)
            one = found[row, column]
            torch.testing.assert_close(one.values, alone.values, rtol=1e-4, atol=1e-6)
            assert (one.caption, one.photo.source) == (alone.caption, photo)


def test_a_list_of_one_is_a_list(bundled: pl.Network) -> None:
    assert pl.saliency(bundled, ["photo:cat"]).values.shape == (1, 1, 112, 112)
    assert pl.saliency(bundled, "photo:cat", target=["Motorbikes"]).values.shape == (112, 112)


def test_each_photo_has_its_own_best_class(bundled: pl.Network) -> None:
    found = pl.saliency(bundled, TWO)
    best = [f"class:{pl.predict(bundled, photo).names[0]}" for photo in TWO]
    assert [names[0] for names in found.names] == best and best[0] != best[1]
    for row, name in enumerate(best):
        alone = pl.saliency(bundled, TWO[row], target=name).values
        torch.testing.assert_close(found[row, 0].values, alone, rtol=1e-4, atol=1e-6)


def test_ones_own_function_of_a_recording(tiny: pl.Network, cat: pl.Photo) -> None:
    """Of several layers, one called as a function among them; the scores are ""."""

    def mixed(seen: dict[str, Tensor]) -> Tensor:
        return seen["block.relu"][:, 2, 3, 4] + 2 * seen[""][:, 1] + seen["relu()"].mean((1, 2, 3))

    inputs = tiny.prepare(cat)[0]
    with tiny.at_rest(), torch.no_grad():
        (target,) = targets(tiny, mixed, inputs)
        assert target.layers == {"block.relu", "", "relu()"}
        value = values(tiny, inputs, [target], torch.zeros(1, dtype=torch.long))[0]
        wanted = mixed(observe(tiny, inputs, {"block.relu", "", "relu()"}))
    torch.testing.assert_close(value, wanted)
    found = pl.saliency(tiny, cat, target=mixed)
    assert found.caption.startswith("|gradient| of function mixed")
    assert found.recipe.settings["target"] == described(mixed) == "function mixed"
    one = pl.saliency(tiny, cat, target=lambda seen: seen[""][:, 1])
    assert torch.equal(one.values, pl.saliency(tiny, cat, target="bee").values)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (lambda seen: seen["block.rleu"], "no layer 'block.rleu'; did you mean 'block.relu'"),
        (lambda seen: seen["qqq"], "no layer 'qqq'; there is [^,]"),
        (lambda seen: seen["block.relu"], r"a tensor of shape \(1,\) for a batch of 1, not \(1, 6"),
        (lambda seen: seen[""][:, 0].item(), "for a batch of 1, not float"),
        (lambda seen: torch.zeros(1), "reads no layer"),
        ([], "the list is empty"),
        (" ; ", "several targets have one ';' between each two"),
        ("ant; ; bee", "several targets have one ';' between each two"),
        (["ant", "wasp"], "no class 'wasp'"),
        ("function mean", "which a recipe cannot hold"),
        (3.5, "target is a text, not 3.5"),
    ],
)
def test_wrong_targets(target: object, message: str, tiny: pl.Network, cat: pl.Photo) -> None:
    with pytest.raises(pl.PellucidError, match=message):
        pl.saliency(tiny, cat, target=target)


def test_values_that_are_no_numbers_are_said(tiny: pl.Network, cat: pl.Photo) -> None:
    for wrong, word in ((float("nan"), "nan"), (float("inf"), "-?inf")):
        tiny.module.head.bias.data[2] = wrong
        with pytest.raises(pl.PellucidError, match=f"class:cat is {word}: the network's values"):
            pl.saliency(tiny, cat, target="ant; cat")


def test_a_label_may_hold_the_sign_between(cat: pl.Photo) -> None:
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2))
    net = pl.Network(module, size=2, labels=["a; b", "c"])
    assert pl.saliency(net, cat, target="a; b").caption.startswith("|gradient| of class:a; b")
    for wanted in ("c; a; b", ["c", "a; b"], ("class:c", "class:a; b"), "1;class:a;b"):
        found = pl.saliency(net, cat, target=wanted)
        assert found.names == (("class:c", "class:a; b"),)
    assert split(" a ;b") == ["a", "b"]


def test_tables_of_maps_are_saved_picked_and_replayed(bundled: pl.Network, here: Path) -> None:
    found = pl.saliency(bundled, TWO, target="Motorbikes; cougar_face")
    made = {
        "all": found,
        "over": found.over(opacity=0.5),
        "one": found[1, 0],
        "last": found[-1, -1],
    }
    made["one over"] = found[1, 0].over()
    for name, result in made.items():
        result.save(f"{name}.png")
        again = pl.replay(f"{name}.png")
        assert again.same, name
        assert torch.equal(again.result.image(), result.image()), name
    # A row for each photo: itself and two maps.
    height, width = found.image().shape[1:]
    assert 3 * 224 < width < 4 * 224 and 2 * 149 < height < 2 * 200
    assert not torch.equal(made["one"].image(), made["last"].image())
    assert found.recipe.command() == (
        "pellucid saliency photo:cat photo:motorcycle --target 'Motorbikes; cougar_face'"
    )
    with pytest.raises(pl.PellucidError, match=r"from \[0, 0\] to \[1, 1\], not \[2, 0\]"):
        found[2, 0]
    with pytest.raises(pl.PellucidError, match="their own photos only"):
        found.over("photo:cat")
    with pytest.raises(pl.PellucidError, match="can stand for one only"):
        pl.replay("all.png", photo="photo:cat")


@pytest.mark.parametrize("pick", [3, [1], ["a", 0], [True, 0], [9, 9], {"a": 1}])
def test_a_wrong_pick_in_a_recipe_is_refused(pick: object, bundled: pl.Network, here: Path) -> None:
    found = pl.saliency(bundled, TWO)
    wrong = found[0, 0].recipe.drawn("pick", pick=pick)
    from pellucid.heatmap import redrawn

    with pytest.raises(pl.PellucidError, match=r"picked by|there are maps of"):
        redrawn(found, wrong)


def test_reduced_colours(bundled: pl.Network, cat: pl.Photo) -> None:
    inputs = bundled.prepare(cat)[0].requires_grad_()
    with bundled.at_rest():
        (gradient,) = torch.autograd.grad(bundled.scores(inputs)[0, 5], inputs)
    wanted = {
        "max": gradient[0].abs().amax(0),
        "sum": gradient[0].abs().sum(0),
        "signed": gradient[0].sum(0),
    }
    for how, value in wanted.items():
        found = pl.saliency(bundled, cat, target=5, reduce=how)
        torch.testing.assert_close(found.values, value)
        assert found.scale == ("signed" if how == "signed" else "positive")
