"""Wanted: the packages that pellucid asks for, and which of them are there in a fitting version."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OURS = "pellucid"


@dataclass(frozen=True)
class Wanted:
    """One package.

    Attributes:
        versions: that fit, such as ">=2.6"; "" for any.
        installed: its version here; "" where it is not installed.
        fits: whether that is one of them.
    """

    name: str
    versions: str
    installed: str
    fits: bool

    def __str__(self) -> str:
        """What is wrong with it, in few words."""
        here = f" (here is {self.installed})" if self.installed else ""
        return f"{self.name}{self.versions}{here}"


def core(asked: list[str]) -> list[Wanted]:
    """What a package cannot do without, from its requirements as its metadata states them."""
    return _looked_up([Requirement(text) for text in asked], "")


def extras(asked: list[str], names: list[str]) -> dict[str, list[Wanted]]:
    """What each of these extras consists of, besides the core."""
    known = [Requirement(text) for text in asked]
    base = {each.name for each in _looked_up(known, "")}
    found = {name: _looked_up(known, name) for name in sorted(names)}
    return {name: [one for one in parts if one.name not in base] for name, parts in found.items()}


def _looked_up(known: list[Requirement], extra: str) -> list[Wanted]:
    found: dict[str, Wanted] = {}
    for each in known:
        if each.marker and not each.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(each.name)
        if name == OURS:  # an extra made of others: "pellucid[hf,atlas]"
            for part in each.extras - {extra}:
                found |= {one.name: one for one in _looked_up(known, part)}
            continue
        try:
            here = version(name)
        except PackageNotFoundError:
            here = ""
        fits = bool(here) and each.specifier.contains(here, prereleases=True)
        found[name] = Wanted(name, str(each.specifier), here, fits)
    return list(found.values())
