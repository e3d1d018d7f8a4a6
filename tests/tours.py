"""What tours in tests are made of."""

from collections.abc import Callable, Generator, Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import torch
from torch import nn

import pellucid as pl
from pellucid.method import Method, Step
from pellucid.results import Picture


class Page(HTMLParser):
    """What a test wants to know of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.tags = text, []
        self.feed(text)

    tags: list[tuple[str, dict[str, str | None]]]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, attribute: str) -> list[str]:
        return [given[attribute] or "" for _, given in self.tags if attribute in given]


def network() -> pl.Network:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = nn.Sequential(
            nn.Conv2d(3, 4, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(4, 4, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(4, 4, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4, 3),
        )
    return pl.Network(module, size=16, labels=["ant", "bee", "cat"], name="small")


def photo(source: str = "") -> pl.Photo:
    generator = torch.Generator().manual_seed(0)
    return pl.Photo(torch.randint(0, 256, (3, 20, 24), generator=generator).byte(), source)


def finished(work: Generator[Step, None, Path]) -> tuple[Path, list[Step]]:
    steps = []
    while True:
        try:
            steps.append(next(work))
        except StopIteration as stop:
            return stop.value, steps


def invented(name: str, body: Callable[[], Iterable[Step]], count: int = 1) -> Method[Any]:
    """A method that does what a test wants, then gives a picture."""

    def function(net: pl.Network, *, number: int = 1) -> Generator[Step, None, Picture]:
        """Does something."""
        yield from body()
        return Picture(values=torch.full((3, 4, 4), 0.5), caption=f"{name} {number}")

    function.__name__ = name
    function.__annotations__ = {"net": pl.Network, "number": int, "return": Picture}
    return Method(function, lambda net: [{"number": n} for n in range(1, count + 1)])


def nothing() -> Iterable[Step]:
    return []


def shown(path: Path) -> list[str]:
    """The pictures beside a page."""
    return sorted(file.stem for file in (path.parent / "pictures").iterdir())
