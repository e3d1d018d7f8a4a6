"""Charts, badges and judgements: what is drawn stands where the numbers say."""

import json

import pytest
import torch

import pellucid as pl
from pellucid.badges import HEIGHT, badged
from pellucid.chart import BLUE, ORANGE, Axis, Line, chart
from pellucid.curve import Bases, Curve, Pair
from pellucid.ink import inked, text_width
from pellucid.judgement import Badge, Judgement, short
from pellucid.tiles import dotted, tailed, wrapped

WHITE = torch.ones(3, 60, 80)


def test_a_line_lies_where_it_is_drawn_and_has_soft_edges() -> None:
    page = inked(WHITE, [(10, 20.5), (70, 20.5)], (0, 0, 0), 3)
    assert torch.equal(page[:, 20, 12:68], torch.zeros(3, 56))
    assert bool((page[:, :18] == 1).all()) and bool((page[:, 23:] == 1).all())
    slanted = inked(WHITE, [(5, 5), (75, 55)], (0, 0, 0), 2)
    assert bool(((slanted > 0.1) & (slanted < 0.9)).any())
    assert bool((WHITE == 1).all())


def test_an_area_is_filled() -> None:
    page = inked(WHITE, [(10, 10), (50, 10), (50, 40), (10, 40)], (1, 0, 0), opacity=0.5)
    assert page[:, 25, 30].tolist() == pytest.approx([1, 0.5, 0.5])
    assert bool((page[:, 45:] == 1).all())


def test_what_lies_outside_of_the_picture_is_cut_off() -> None:
    page = inked(WHITE, [(-30, 30), (200, 30)], (0, 0, 0), 2)
    assert page.shape == WHITE.shape and float(page[0, 30, 0]) < 0.5
    assert torch.equal(inked(WHITE, [(-30, -30), (-20, -9)], (0, 0, 0), 2), WHITE)


def where(page: torch.Tensor, colour: tuple[float, float, float]) -> torch.Tensor:
    """Rows and columns of one colour."""
    away = (page - torch.tensor(colour).view(3, 1, 1)).abs().amax(0)
    return (away < 0.08).nonzero()


def test_a_chart_puts_higher_numbers_higher() -> None:
    lines = [
        Line([(0, 0.9), (1, 0.9)], "high", BLUE),
        Line([(0, 0.1), (1, 0.1)], "low", ORANGE, dash=6),
    ]
    axis = Axis(0, 1, [(0, "0"), (1, "1")], "share")
    page = chart("Title", lines, axis, axis, (200, 240))
    assert page.shape == (3, 200, 240) and float(page.min()) >= 0 and float(page.max()) <= 1
    plot = page[:, 60:]  # below the legend
    high, low = where(plot, BLUE), where(plot, ORANGE)
    assert float(high[:, 0].float().mean()) < float(low[:, 0].float().mean()) - 60
    assert len(low) < 0.75 * len(high)  # dashed
    assert high[:, 1].min() < 40 and high[:, 1].max() > 225


@pytest.mark.parametrize(
    ("low", "high"), [(0, 0.82), (0, 1), (-3.2, 41.0), (0, 0), (0, 0.0004), (-0.3, -0.1), (0, 7e5)]
)
def test_an_axis_has_a_few_ticks_around_all_numbers(low: float, high: float) -> None:
    axis = Axis.around(low, high)
    hair = 1e-6 * (high - low)
    assert axis.low <= low + hair and axis.high >= high - hair and axis.low < axis.high
    assert 2 <= len(axis.ticks) <= 8
    values = [float(text) for _, text in axis.ticks]
    assert values == pytest.approx([value for value, _ in axis.ticks], rel=1e-2)
    assert (values[0], values[-1]) == pytest.approx((axis.low, axis.high))
    assert axis.high - axis.low <= 2 * (high - low) or low == high


def test_lines_of_text_are_cut_between_words() -> None:
    text = "the quick brown fox jumps over the lazy dog"
    lines = wrapped(text, 80)
    assert len(lines) > 2 and " ".join(lines) == text


def flat(value: float) -> Pair:
    curve = Curve((0.0, 1.0), (value, value))
    return Pair(curve, curve)


def judgement(
    net: pl.Network,
    *,
    alike: float = 0.1,
    area: float = 0.5,
    noise: float = 0.1,
    scatter: float = 0.02,
    empty: bool = False,
) -> Judgement:
    photo = pl.open_image("photo:cat")
    values = torch.zeros(4, 4) if empty else torch.arange(16.0).reshape(4, 4)
    found = pl.Heatmap(values=values, photo=photo, frame=net.prepare(photo)[1])
    return Judgement(
        name="made up", heatmap=found, reference=found, stages=("b", "a"), maps=(found, found),
        correlations=(alike + 0.1, alike - 0.1), similarities=(alike, alike),
        curves=None if empty else flat(area),
        bases=Bases(flat(0.4), flat(0.3), (scatter, scatter)), sensitivity=noise,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "marks"),
    [
        ({}, ["good", "bad", "good", "good"]),
        ({"alike": 0.4, "area": 0.35, "noise": 0.5}, ["fair", "fair", "bad", "fair"]),
        ({"alike": 0.9, "area": 0.2, "noise": 2.0}, ["bad", "good", "bad", "bad"]),
        ({"alike": -0.9, "area": 0.4, "noise": 0.0}, ["good", "fair", "fair", "good"]),
        ({"area": 0.419}, ["good", "fair", "fair", "good"]),
        ({"area": 0.419, "scatter": 0.0}, ["good", "bad", "good", "good"]),
        ({"area": 0.381, "scatter": 0.0}, ["good", "fair", "bad", "good"]),
        ({"area": 0.400001, "scatter": 0.0}, ["good", "fair", "fair", "good"]),
        ({"empty": True, "area": 0.4, "noise": 0.0}, ["bad", "bad", "bad", "bad"]),
    ],
)
def test_badges_say_what_the_numbers_mean(
    tiny: pl.Network, settings: dict[str, float], marks: list[str]
) -> None:
    found = judgement(tiny, **settings)
    assert [badge.mark for badge in found.badges] == marks
    assert all(found.meaning(badge).endswith(".") for badge in found.badges)
    assert json.loads(json.dumps(found.data()))["badges"][0]["measure"] == "randomised"


def test_insertion_may_fail_against_the_centre_alone(tiny: pl.Network) -> None:
    found = judgement(tiny, area=0.45)
    bases = Bases(flat(0.4), flat(0.6), (0.01, 0.01))
    better = Judgement(**{**vars(found), "bases": bases})
    assert better.badges[2] == Badge("insertion", 0.45, "fair", "centre 0.60", "0.45")


@pytest.mark.parametrize(
    ("area", "deletion", "insertion"),
    [
        (0.5, "makes the answer fall sooner.", "sooner than chance or the centre."),
        (0.41, "makes the answer fall as soon, or nearly.", "answer back as soon, or nearly."),
        (0.2, "sooner than by chance or from the centre.", "bring the answer back sooner."),
    ],
)
def test_sooner_is_told_from_as_soon(
    tiny: pl.Network, area: float, deletion: str, insertion: str
) -> None:
    found = judgement(tiny, area=area)
    told = [found.meaning(badge) for badge in found.badges[1:3]]
    assert told[0].endswith(deletion) and told[1].endswith(insertion)


def test_of_another_verdict_the_numbers_look_different(tiny: pl.Network) -> None:
    worse, better, centre, equal = (
        [str(badge) for badge in judgement(tiny, area=area, scatter=0.0).badges[1:3]]
        for area in (0.4004, 0.3996, 0.3003, 0.400001)
    )
    assert worse == ["deletion 0.4004, chance 0.4", "insertion 0.4004, chance 0.4"]
    assert better[1] == "insertion 0.3996, chance 0.4"
    assert centre[0] == "deletion 0.3003, centre 0.3"
    assert equal == ["deletion 0.40, as chance 0.40", "insertion 0.40, as chance 0.40"]


def test_a_number_beside_a_limit_shows_on_which_side_it_lies(tiny: pl.Network) -> None:
    badges = judgement(tiny, alike=0.4996, noise=0.2996).badges
    assert str(badges[0]) == "randomised 0.4996, changes in part"
    assert str(badges[3]) == "noise 0.2996, steady"


def test_chance_is_the_mean_of_random_orders_and_scatters_as_they_do() -> None:
    fall, rise = ([Curve((0.0, 0.5, 1.0), (1, end, end)) for end in ends]
                  for ends in ((0.0, 0.2, 0.1), (0.5, 0.5, 0.8)))  # fmt: skip
    bases = Bases.of(list(map(Pair, fall, rise)), flat(0.3))
    assert bases.random.deletion.values == pytest.approx((1, 0.1, 0.1))
    assert bases.scatter == pytest.approx((0.15, 0.225))
    assert bases.data()["random"]["scatter"]["deletion"] == pytest.approx(0.15)


def test_a_stage_whose_map_is_empty_says_nothing_of_likeness(tiny: pl.Network) -> None:
    found = judgement(tiny, alike=0.6)
    empty = judgement(tiny, empty=True).heatmap
    half = Judgement(**{**vars(found), "maps": (empty, found.heatmap), "correlations": (0.0, 0.5)})
    assert half.numbers[0] == 0.5 and half.badges[0].mark == "bad"
    gone = Judgement(**{**vars(found), "maps": (empty, empty), "correlations": (0.0, 0.0)})
    assert gone.badges[0] == Badge("randomised", 0.0, "fair", "vanishes", "0.00")
    assert "empty" in gone.meaning(gone.badges[0])


def test_small_and_large_numbers_are_told(tiny: pl.Network) -> None:
    written = [short(number) for number in (0.0, 0.5, -0.31, 0.00294, -0.004, 12.345, 1234.5)]
    assert written == ["0.00", "0.50", "-0.31", "0.0029", "-0.004", "12.35", "1.2e+03"]


def test_of_long_names_the_end_is_shown() -> None:
    name = "features.denseblock4.denselayer10.norm1"
    assert tailed(name, 90).startswith("…") and name.endswith(tailed(name, 90)[1:])
    assert tailed("conv1", 90) == "conv1"


@pytest.mark.parametrize(
    ("name", "width", "text"),
    [
        ("features.0", 90, "features.0"),
        ("features.11.expand1x1", 90, "…11.expand1x1"),
        ("features.10.squeeze", 70, "…10.squeeze"),
        ("features.5.5.attn", 60, "…5.5.attn"),
        ("features.denseblock4.denselayer10.norm1", 84, "…layer10.norm1"),
        ("encoder.layers.encoder_layer_11.self_attention", 78, "…11.self_atte…"),
        ("encoder.very_long_attention", 78, "…very_long_…"),
        ("averyveryverylongname", 60, "…averyve…"),
    ],
)
def test_a_layer_keeps_its_number_whole(name: str, width: float, text: str) -> None:
    shown = dotted(name, width)
    assert text_width(shown, 11) <= width
    assert shown == text


def test_marks_differ_in_form_not_only_in_colour() -> None:
    drawn = []
    for mark in ("good", "fair", "bad"):
        page = badged(torch.ones(3, HEIGHT, 60), Badge("x", 0.5, mark, "", "0.50"), 0)
        drawn.append(page.amax(0)[:, :16] > 0.98)  # the white of the stroke
    assert all((drawn[a] ^ drawn[b]).sum() > 8 for a, b in ((0, 1), (0, 2), (1, 2)))


def test_a_long_number_keeps_away_from_the_name_of_its_measure() -> None:
    def gaps(measure: str, number: str) -> list[int]:
        badge = Badge(measure, 0.5, "good", "changes", number)
        page = badged(torch.ones(3, HEIGHT, 240), badge, 0)[:, :, HEIGHT + 2 :]
        blank = (page > 0.98).all(0).all(0).int()
        # Where ink begins after at least as many empty columns as stand between two words.
        return [at for at in range(5, len(blank)) if not blank[at] and blank[at - 5 : at].all()]

    for number in ("-0.0086", "-0.00000086"):
        assert len(gaps("randomised", number)) == 2
    assert gaps("deletion", "0.12")[-1] == gaps("noise", "0.12345")[-1]
