"""What a network that answers place by place says: shares, places, colours."""

import json
from itertools import combinations
from pathlib import Path

import pytest
import torch
from torch import nn

import pellucid as pl
import segmenter
from pellucid.segmented import COLOURS, GREY
from shell import shell


class Fixed(nn.Module):
    """The same scores whatever it sees."""

    def __init__(self, answers: torch.Tensor, classes: int) -> None:
        super().__init__()
        scores = nn.functional.one_hot(answers, classes).permute(2, 0, 1)[None].float()
        self.scores = nn.Parameter(4 * scores)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scores.expand(len(x), -1, -1, -1)


ANSWERS = torch.tensor(
    [[0, 0, 0, 0, 3, 3, 3, 0], [0, 0, 0, 0, 3, 3, 3, 1], [2, 0, 0, 0, 3, 3, 3, 1]]
)
LABELS = ["background", "ant", "bee", "cat", "dog"]


def fixed(answers: torch.Tensor = ANSWERS, labels: list[str] = LABELS) -> pl.Network:
    return pl.Network(Fixed(answers, len(labels)), size=(48, 128), labels=labels, name="fixed")


PHOTO = torch.zeros(3, 48, 128)


def test_the_classes_by_their_areas() -> None:
    found = pl.predict(fixed(), PHOTO)
    assert isinstance(found, pl.Segmentation)
    assert found.names == ("background", "cat", "ant", "bee")
    torch.testing.assert_close(found.values, torch.tensor([12, 9, 2, 1]) / 24)
    assert found.scores.tolist() == [4] * 4
    assert torch.equal(found.answers, ANSWERS)
    assert (found.rest, found.measure) == (0, "area")
    assert found.caption == "background 50%, cat 38%, ant 8% of 3 x 8 places, says fixed"
    assert found.data()["ranking"][1] == {"name": "cat", "area": 0.375, "score": 4.0}
    assert repr(found) == "<Segmentation background 50%, cat 38%, ant 8%, bee 4%>"


def test_each_class_has_its_colour_where_it_is() -> None:
    """On black, told by its hue: the middle of each place."""
    drawn = pl.predict(fixed(), PHOTO).over()
    assert drawn.shape == (3, 48, 128)
    inks = {0: GREY, 3: COLOURS[0], 1: COLOURS[1], 2: COLOURS[2]}
    for row in range(3):
        for column in range(8):
            shade = drawn[:, 16 * row + 8, 16 * column + 8]
            ink = torch.tensor(inks[int(ANSWERS[row, column])])
            low, high = shade.min(), ink.min()
            near = (shade - low) / (ink - high).abs().max().clamp(min=1e-6)
            hue = (ink - high) / (ink - high).abs().max().clamp(min=1e-6)
            slope = near.max() if hue.max() > 0 else torch.tensor(1.0)
            torch.testing.assert_close(near / slope.clamp(min=1e-6), hue, atol=0.02, rtol=0)


def test_the_colours_are_told_apart() -> None:
    """No two are near each other, and none is near the grey of background."""
    for one, other in combinations([*COLOURS, GREY], 2):
        far = (torch.tensor(one) - torch.tensor(other)).abs().sum()
        assert far > 0.35, (one, other)


def test_only_the_largest_are_listed() -> None:
    found = pl.predict(fixed(), PHOTO, top=2)
    assert found.names == ("background", "cat") and found.rest == 2
    plain = pl.predict(fixed(), PHOTO).image()
    assert found.image().shape == plain.shape and not torch.equal(found.image(), plain)
    many = torch.arange(40).repeat(3, 1)
    crowd = pl.predict(fixed(many, [str(number) for number in range(40)]), PHOTO, top=20)
    assert len(crowd.names) == 20 and crowd.rest == 20
    assert crowd.image().isfinite().all()


def test_of_an_only_class_the_area_above_zero_is_shown() -> None:
    scores = torch.tensor([[[[1.0, -1.0], [-2.0, -1.0]]]])
    module = Fixed(torch.zeros(2, 2, dtype=torch.long), 1)
    module.scores.data = scores
    found = pl.predict(pl.Network(module, size=16, labels=["road"]), "photo:cat")
    assert found.values.tolist() == [0.25] and found.answers.tolist() == [[0, -1], [-1, -1]]
    module.scores.data = -scores.abs()
    assert pl.predict(pl.Network(module, size=16), "photo:cat").values.tolist() == [0]


def test_the_shapes_are_found_where_they_are() -> None:
    some = segmenter.scenes(4, torch.Generator().manual_seed(30))
    for row in range(4):
        found = pl.predict(segmenter.network(), some.photo(row))
        assert float((found.answers == some.coarse()[row]).float().mean()) > 0.95


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_scores_that_are_no_numbers_are_refused(value: float) -> None:
    net = fixed()
    net.module.scores.data[0, 1, 2, 5] = value
    with pytest.raises(pl.PellucidError, match=rf"score of class:ant@2,5 is {value}: .* not sound"):
        pl.predict(net, PHOTO)


def test_a_network_that_scores_all_alike_says_so() -> None:
    net = fixed()
    net.module.scores.data.zero_()
    assert "scores all classes alike" in pl.predict(net, PHOTO).caption


def test_in_the_shell_and_again_from_its_recipe(here: Path) -> None:
    lines = [
        "import torch, pellucid as pl",
        "def made():",
        "    torch.manual_seed(3)",
        "    layers = torch.nn.Conv2d(3, 4, 8, 8), torch.nn.Upsample(scale_factor=4)",
        "    return pl.Network(torch.nn.Sequential(*layers), size=64, labels=list('abcd'))",
    ]
    (here / "own.py").write_text("\n".join(lines))
    words = "predict", "photo:cat", "--network", "own.py:made"
    told = shell(*words, "--out", "found.png").stdout
    assert "32 x 32 places" in told and "area" in told and "probability" not in told
    data = json.loads(shell(*words, "--json").stdout)
    assert sum(one["area"] for one in data["ranking"]) == pytest.approx(1, abs=1e-4)
    again = pl.replay("found.png", network=pl.load("own.py:made", device="cpu"))
    assert again.same and isinstance(again.result, pl.Segmentation)
