"""Judgement: what the measures found of one map, and the badges that say it in words."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from math import isclose, isnan, nan
from typing import Any, Literal

from pellucid.curve import Bases, Pair
from pellucid.digits import apart
from pellucid.heatmap import Heatmap
from pellucid.notebook import table

Mark = Literal["good", "fair", "bad"]
# The numbers of a judgement, in the order of a result's values.
MEASURES = ("randomised", "ssim", "deletion", "insertion", "noise")
# Mean rank correlation with the maps of the shuffled networks: below the first the map has changed,
# from the second on it has hardly. Conventions, as such limits are; the curve says more.
CHANGED, UNCHANGED = 0.3, 0.5
# Greatest change of the map under noise, as a share of the map.
STEADY, FRAGILE = 0.3, 1.0


@dataclass(frozen=True)
class Badge:
    """One measure in a few words.

    Attributes:
        measure: its name, as in `MEASURES`.
        mark: good, fair or bad.
        words: what that means here.
        number: the value in as few characters as tell it from the one it is compared with.
    """

    measure: str
    value: float
    mark: Mark
    words: str
    number: str

    def __str__(self) -> str:
        """In one line."""
        return f"{self.measure} {self.number}, {self.words}"


@dataclass(frozen=True)
class Judgement:
    """What was measured of one map.

    Attributes:
        heatmap: the map.
        reference: the same, drawn as coarsely as those of the stages.
        stages: how far down the weights were shuffled, the last layer first.
        maps: the map after each of these.
        correlations: Spearman's, of the sizes of each with those of the reference.
        similarities: SSIM of the same.
        curves: pixels in the order of the map; None of an empty one, which has none.
        bases: deletion and insertion without any map.
        sensitivity: greatest change under noise, as a share of the map.
        held: whether the question itself, of places settled beforehand, holds a map there.
    """

    name: str
    heatmap: Heatmap
    reference: Heatmap
    stages: tuple[str, ...]
    maps: tuple[Heatmap, ...]
    correlations: tuple[float, ...]
    similarities: tuple[float, ...]
    curves: Pair | None
    bases: Bases
    sensitivity: float
    held: bool = False

    @classmethod
    def of_nothing(cls, name: str, heatmap: Heatmap, bases: Bases) -> Judgement:
        """Of an empty map, of which nothing is measured."""
        return cls(name, heatmap, heatmap, (), (), (), (), None, bases, nan)

    @property
    def empty(self) -> bool:
        """Whether the map is the same everywhere, and says nothing."""
        return self.curves is None

    @property
    def vanished(self) -> bool:
        """Whether the map was empty at most stages: it changed, with too little to compare."""
        return not self.empty and 2 * sum(one.flat for one in self.maps) > len(self.maps)

    @property
    def clean(self) -> float:
        """The answer of the whole photo."""
        return self.bases.random.deletion.values[0]

    @property
    def numbers(self) -> tuple[float, ...]:
        """One for each of `MEASURES`; NaN of an empty map.

        Of the stages the mean, those left out whose map is empty, unless it has vanished.
        """
        if self.curves is None:
            return (nan,) * len(MEASURES)
        told = [self.vanished or not one.flat for one in self.maps]
        return (
            sum(compress(self.correlations, told)) / sum(told),
            sum(compress(self.similarities, told)) / sum(told),
            self.curves.deletion.area,
            self.curves.insertion.area,
            self.sensitivity,
        )

    @property
    def badges(self) -> tuple[Badge, ...]:
        """In the order of `MEASURES`, SSIM left to the curve."""
        alike, _, deleted, inserted, noise = self.numbers
        if self.empty:
            shown = (name for name in MEASURES if name != "ssim")
            return tuple(Badge(name, nan, "bad", "an empty map", short(nan)) for name in shown)
        return (
            Badge("randomised", alike, *self._randomised(alike), beyond(alike, CHANGED, UNCHANGED)),
            self._compared("deletion", deleted),
            self._compared("insertion", inserted),
            Badge("noise", noise, *self._shaken(noise), beyond(noise, STEADY, FRAGILE)),
        )

    def _randomised(self, alike: float) -> tuple[Mark, str]:
        if self.vanished:
            return "fair", "vanishes"
        if self.held and alike >= CHANGED:
            return "fair", "stays in place"
        if alike >= UNCHANGED:
            return "bad", "hardly changes"
        return ("fair", "changes in part") if alike >= CHANGED else ("good", "changes")

    def _compared(self, which: str, area: float) -> Badge:
        random, middle = (getattr(base, which) for base in (self.bases.random, self.bases.centre))
        up = -1 if which == "deletion" else 1
        mark: Mark = "good" if up * area > up * random.area else "bad"
        if self._as_chance(which):
            return Badge(which, area, "fair", f"as chance {short(random.area)}", short(area))
        name, other = "chance", random.area
        if mark == "good" and (up * area < up * middle.area or _same(area, middle.area)):
            mark, name, other = "fair", "centre", middle.area
        number, beaten = beside(area, other)
        return Badge(which, area, mark, f"{name} {beaten}", number)

    def _as_chance(self, which: str) -> bool:
        """Whether an area differs from the mean of random orders by no more than these do."""
        area = getattr(self.curves, which).area
        chance = getattr(self.bases.random, which).area
        scatter = self.bases.scatter[0 if which == "deletion" else 1]
        return abs(area - chance) <= scatter or _same(area, chance)

    def _shaken(self, noise: float) -> tuple[Mark, str]:
        if noise >= FRAGILE:
            return "bad", "another map"
        return ("fair", "moves") if noise >= STEADY else ("good", "steady")

    def _repr_html_(self) -> str:
        columns = ("measure", "number", "", "what that means")
        rows = ((b.measure, short(b.value), b.words, self.meaning(b)) for b in self.badges)
        return self.heatmap._repr_html_() + table(self.name, columns, rows, right=("number",))

    def meaning(self, badge: Badge) -> str:
        """A badge in a sentence."""
        if self.empty:
            return "The map is the same everywhere: there is nothing to believe or to doubt."
        if self.vanished and badge.measure == "randomised":
            return (
                "With shuffled weights the map is mostly empty: it changes, but there is hardly "
                "another to see."
            )
        if self.held and badge.measure == "randomised" and badge.mark == "fair":
            return (
                "The question itself is about places, and holds the map there whatever the "
                "network has learned: this number says nothing against it."
            )
        if badge.measure in _AS_CHANCE and self._as_chance(badge.measure):
            return _AS_CHANCE[badge.measure]
        return _MEANINGS[badge.measure, badge.mark]

    def data(self) -> dict[str, Any]:
        """As plain JSON data, the maps left out; of an empty map null for each number."""
        numbers = zip(MEASURES, self.numbers, strict=True)
        return {
            "method": self.name,
            "caption": self.heatmap.caption,
            "numbers": {name: _plain(number) for name, number in numbers},
            "badges": [vars(badge) | {"value": _plain(badge.value)} for badge in self.badges],
            "randomisation": {
                "shuffled down to": list(self.stages),
                "spearman": list(self.correlations),
                "ssim": list(self.similarities),
            },
            **(self.curves.data() if self.curves else {}),
        }


def short(number: float) -> str:
    """A number in few characters; of none a dash."""
    if isnan(number):
        return "-"
    size = abs(number)
    return f"{number:.2f}" if 0.01 <= size < 100 or not size else f"{number:.2g}"


def beside(one: float, other: float) -> tuple[str, str]:
    """Two numbers as `short` has them, with more digits where they would look the same."""
    texts = short(one), short(other)
    if texts[0] != texts[1] or _same(one, other):
        return texts
    first, second = apart(one, other)
    return first, second


def beyond(number: float, *limits: float) -> str:
    """A number in few characters, but so that it shows on which side of each limit it lies."""
    return max((beside(number, limit)[0] for limit in limits), key=len)


def _same(one: float, other: float) -> bool:
    """Whether two numbers are one but for what nobody would read."""
    return isclose(one, other, rel_tol=1e-4)


def _plain(number: float) -> float | None:
    return None if isnan(number) else number  # JSON knows no NaN


_MEANINGS = {
    ("randomised", "good"): "The map follows what the network has learned: destroy that, and it "
    "becomes another.",
    ("randomised", "fair"): "Part of the map stays when the network is destroyed: that part shows "
    "the photo, not the network.",
    ("randomised", "bad"): "The map stays when the network is destroyed: it shows the photo, not "
    "what was learned.",
    ("deletion", "good"): "Without the pixels it marks, the answer falls sooner than by chance or "
    "from the centre.",
    ("deletion", "fair"): "Better than chance, but deleting from the centre outward does no worse.",
    ("deletion", "bad"): "Deleting pixels at random makes the answer fall sooner.",
    ("insertion", "good"): "The pixels it marks bring the answer back sooner than chance or the "
    "centre.",
    ("insertion", "fair"): "Better than chance, but inserting from the centre outward does no "
    "worse.",
    ("insertion", "bad"): "Pixels inserted at random bring the answer back sooner.",
    ("noise", "good"): "Noise that hardly shows leaves the map nearly as it is.",
    ("noise", "fair"): "Noise that hardly shows moves the map visibly.",
    ("noise", "bad"): "Noise that hardly shows gives quite another map.",
}
_AS_CHANCE = {
    "deletion": "Deleting pixels at random makes the answer fall as soon, or nearly.",
    "insertion": "Pixels inserted at random bring the answer back as soon, or nearly.",
}
