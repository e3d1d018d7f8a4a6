"""Networks that answer place by place: their classes and units, and what a class is."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
import segmenter
from pellucid.area import foremost, winners
from pellucid.target import targets, values

LABELS = ["__background__", "cat", "dog", "eel@1,1"]


class Painter(nn.Module):
    """Answers with a map of scores that is given, plus a little of what it sees."""

    def __init__(self, scores: Tensor, made: Callable[[Tensor], Any] = lambda x: x) -> None:
        super().__init__()
        self.scores, self.made = nn.Parameter(scores), made

    def forward(self, x: Tensor) -> Any:
        seen = x.mean((1, 2, 3)).view(-1, 1, 1, 1)
        return self.made(self.scores + 1e-3 * seen)


def painted() -> Tensor:
    """Two rows of cat, a column of dog below it, the rest background; no eel."""
    scores = torch.zeros(1, 4, 5, 6)
    scores[0, 0] = 1
    scores[0, 1, :2] = torch.arange(12.0).view(2, 6) + 2
    scores[0, 2, 2:, 4] = 3
    return scores


def network(made: Callable[[Tensor], Any] = lambda x: x) -> pl.Network:
    return pl.Network(Painter(painted(), made), size=(10, 12), labels=LABELS)


@pytest.mark.parametrize(
    "made", [lambda x: x, lambda x: {"aux": -x, "out": x}, lambda x: {"logits": x, "out": -x}]
)
def test_classes_have_places(made: Callable[[Tensor], Any]) -> None:
    net = network(made)
    assert (net.places, net.classes, net.measure) == ((5, 6), 4, "probability")
    assert net.labels == LABELS
    assert net.scores(net.blank(2)).shape == (2, 4, 5, 6)
    unit = net.unit("cat@1,5")
    assert str(unit) == str(net.unit(unit)) == str(net.unit("class:1@1,5")) == "class:cat@1,5"
    with torch.no_grad():
        assert float(net.neurons(net.blank(), unit)) == 13
        assert float(net.neurons(net.blank(), net.unit(2))) == pytest.approx(9 / 30)
    assert str(net.best(net.blank())) == "class:cat"


def test_a_network_of_one_answer_has_no_places(tiny: pl.Network) -> None:
    assert tiny.places is None
    with pytest.raises(pl.PellucidError, match="no class 'cat@1,1'"):
        tiny.unit("cat@1,1")


def test_a_label_with_a_place_in_it_is_a_label() -> None:
    net = network()
    assert net.unit("eel@1,1").position is None
    assert net.unit("class:eel@1,1@4,5").position == (4, 5)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("cat@5,0", r"the output of Painter has 5 x 6 positions, @0,0 to @4,5; @5,0 is outside"),
        ("cat@token0", r"has 0 prefix tokens"),
        ("cat@here", r"a position is @ROW,COLUMN"),
        ("cow@1,1", r"no class 'cow'; did you mean 'dog'"),
    ],
)
def test_places_that_are_none(name: str, told: str) -> None:
    with pytest.raises(pl.PellucidError, match=told.partition(";")[0]):
        network().unit(name)


def read(net: pl.Network, wanted: Any, count: int = 1) -> tuple[list[Any], Tensor]:
    found = targets(net, wanted, net.blank(count))
    return found, values(net, net.blank(count), found, torch.arange(count)).detach()


def test_a_class_is_its_mean_score_where_it_wins() -> None:
    found, read_values = read(network(), "cat; dog; eel@1,1; cat@0,3")
    assert read_values[:, 0].tolist() == pytest.approx([7.5, 3, 0, 5])
    told = [one.told(0, "score") for one in found]
    assert told[0] == "; score is the mean over the 40% of 5 x 6 places where it wins"
    assert told[2] == "; score is the mean over all 5 x 6 places, for it wins at none"
    assert told[3] == ""


def test_the_largest_area_but_background_is_asked_about() -> None:
    found, read_values = read(network(), None)
    assert found[0].name(0) == "class:cat" and float(read_values) == 7.5
    assert (
        found[0].told(0, "score").endswith("of all classes but background it has the largest area")
    )
    plain = pl.Network(Painter(painted()), size=(10, 12))
    assert read(plain, None)[0][0].name(0) == "class:0"
    assert "but" not in read(plain, None)[0][0].told(0, "score")


def test_foremost() -> None:
    answers = torch.tensor([[0, 0, 0, 2], [1, 2, 0, 0]])
    assert foremost(answers, ["a", "b", "c"]) == 0
    assert foremost(answers, ["Background", "b", "c"]) == 2
    assert foremost(torch.zeros(2, 2, dtype=torch.long), ["_background_", "b"]) == 0


def test_of_an_only_class_the_places_are_those_above_zero() -> None:
    scores = torch.tensor([[[[-1.0, 2.0], [4.0, -3.0]]]])
    assert winners(scores).tolist() == [[[-1, 0], [0, -1]]]
    net = pl.Network(Painter(scores), size=8, labels=["road"])
    found, read_values = read(net, None)
    assert float(read_values) == 3 and net.measure == "score"
    assert "50% of 2 x 2 places" in found[0].told(0, "score")
    assert "score is" in pl.occlusion(net, "photo:cat").caption


def test_each_photo_has_its_own_class_and_places() -> None:
    """The twin: scores picked and averaged by hand."""
    net = segmenter.network()
    some = segmenter.scenes(6, torch.Generator().manual_seed(3))
    inputs = net.preprocess.normalise(some.pixels)
    scores = net.scores(inputs).detach()
    rows = torch.tensor([5, 0, 1, 1, 4, 3, 2])
    for wanted in (None, "ring"):
        (found,) = targets(net, wanted, inputs)
        with torch.no_grad():
            seen = values(net, inputs[rows].flip(3), [found], rows)[0]
            other = net.scores(inputs[rows].flip(3))
        for at, row in enumerate(rows.tolist()):
            mine = scores[row].argmax(0)
            number = 3
            if wanted is None:
                number = max(range(1, 4), key=lambda one: int((mine == one).sum()))
            assert found.name(row) == f"class:{segmenter.NAMES[number]}"
            there = mine == number
            there = there if there.any() else torch.ones_like(there)
            assert float(seen[at]) == pytest.approx(
                float(other[at, number][there].mean()), rel=1e-5
            )


def test_a_function_that_fails_is_told_in_words() -> None:
    with pytest.raises(pl.PellucidError, match=r"function wrong fails .*'' \(1, 4, 5, 6\)$"):
        pl.saliency(network(), "photo:cat", target=wrong)


def wrong(seen: Any) -> Tensor:
    return seen[""].out[:, 3].mean((1, 2))  # type: ignore[no-any-return]


def test_half_precision_counts_many_places() -> None:
    scores = torch.full((1, 2, 300, 300), 2.0, dtype=torch.float16)
    scores[:, 0] = 1
    net = pl.Network(Painter(scores), size=300)
    assert float(read(net, 1)[1]) == pytest.approx(2, rel=1e-5)


def test_what_needs_one_answer_says_so() -> None:
    net = segmenter.network()
    for ask in (lambda: pl.attack(net, "photo:cat"), lambda: pl.fool(net, "disc")):
        with pytest.raises(pl.PellucidError, match="segmenter answers place by place"):
            ask()


def test_a_class_can_be_drawn_everywhere_and_at_one_place() -> None:
    net = segmenter.network()
    for want in ("class:disc", "class:disc@12,12"):
        drawn = pl.feature(net, want, steps=12, recipe="simple")
        assert 0 < drawn.facts["fresh probability"] < 1
        assert float(drawn.curve[-1]) > float(drawn.curve[0])
