"""Worded: a thing that a few words name, "blur 0.5 4", and that can be read back from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, ClassVar, TypeVar, get_type_hints

from pellucid.errors import PellucidError, Unknown

BETWEEN = ";"  # the names of several in one text


class Worded:
    """Base of frozen dataclasses whose fields are numbers and short texts.

    Attributes:
        word: its name in a text; the values of its fields follow, the last ones may be left out.
    """

    word: ClassVar[str]

    def __str__(self) -> str:
        values = [(getattr(self, one.name), one.default) for one in fields(self)]  # type: ignore[arg-type]
        while values and values[-1][0] == values[-1][1]:
            values.pop()
        return " ".join([self.word, *(_told(value) for value, _ in values)])


W = TypeVar("W", bound=Worded)


def read(text: str, kinds: Sequence[type[W]], what: str) -> tuple[W, ...]:
    """The things that a text names, ";" between several; "none", or nothing, is none.

    Args:
        kinds: what there is to name.
        what: one of them is called, for errors.

    Raises:
        Unknown: no such word; the message shows the nearest.
        PellucidError: a number is missing, is none, or does not fit.
    """
    if text.strip() in ("", "none"):
        return ()
    return tuple(_one(part, kinds, what) for part in text.split(BETWEEN))


def _one(text: str, kinds: Sequence[type[W]], what: str) -> W:
    first, *words = text.split() or [""]
    known = {kind.word: kind for kind in kinds}
    if first not in known:
        raise Unknown(what, first, known)
    kind = known[first]
    places: list[Any] = list(fields(kind))  # type: ignore[arg-type]
    form = f"{kind.word} {' '.join(place.name.upper() for place in places)}".strip()
    types = get_type_hints(kind)
    if len(words) > len(places):
        raise PellucidError(f"{what} {text.strip()!r} has too many words: it is {form}")
    given = {}
    for place, word in zip(places, words, strict=False):
        try:
            given[place.name] = types[place.name](word)
        except ValueError:
            raise PellucidError(f"{place.name} of {form} is a number, not {word!r}") from None
    try:
        return kind(**given)
    except TypeError:
        raise PellucidError(f"{what} {text.strip()!r} lacks a number: it is {form}") from None


def between(what: str, value: float, low: float, high: float | None = None) -> None:
    """Refuses a number outside of its bounds, both inclusive."""
    if not value >= low or (high is not None and not value <= high) or value in (float("inf"),):
        fits = f"at least {low:g}" if high is None else f"from {low:g} to {high:g}"
        raise PellucidError(f"{what} is {fits}, not {value:g}")


def number(value: float) -> str:
    """A number as short as it can be read back from."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def _told(value: Any) -> str:
    # A text without letters stands for itself as 0: there has to be a word in its place.
    return number(value) if isinstance(value, float) else str(value) or "0"
