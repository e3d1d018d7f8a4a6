"""The tour's timetable: what is shown in which order, and what there is no time for."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pellucid.errors import PellucidError
from pellucid.images import Photo, open_image
from pellucid.method import Method, Step
from pellucid.network import Network
from pellucid.recipe import Recipe
from pellucid.results import Result

Clock = Callable[[], float]
Made = TypeVar("Made")
PROBE = 1.0, 0.1  # seconds, and part of its share, that a method's pace is judged on


class TooLong(Exception):
    """A method was stopped because it would not be done in its share of the time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.0f} s")
        self.seconds = seconds


@dataclass(frozen=True)
class Task:
    """One picture to be made.

    Attributes:
        number: from 1, within its method.
        further: how far from the first picture of its method: the round that it belongs to.
    """

    method: Method[Any]
    settings: dict[str, Any]
    photos: dict[str, Photo]
    number: int
    further: int

    @property
    def name(self) -> str:
        """For files and anchors."""
        return f"{self.method.name}-{self.number}"

    def command(self, net: Network) -> str:
        """What makes this picture in the shell."""
        defaults = {
            name: known.default
            for name, known in self.method.options.items()
            if known.kind == "setting" and not known.required
        }
        return self.method.command(
            Recipe(
                self.method.name,
                defaults | self.settings,
                network={"name": net.name, "spec": net.spec},
                photos={name: {"source": photo.source} for name, photo in self.photos.items()},
            )
        )


def tasks(method: Method[Any], net: Network, photos: Sequence[Photo], quick: bool) -> list[Task]:
    """All pictures of one method: its examples on the first photo, its first on the other photos.

    Not every example on every photo: a lecture that shows all of it is not listened to.

    Raises:
        PellucidError: the method has no example for this network.
    """
    examples = _examples(method, net)
    open_to = [
        name for name, known in method.options.items() if known.kind == "photo" and known.required
    ]
    made: list[Task] = []

    def add(settings: dict[str, Any], first: int, further: int) -> None:
        plain = {name: value for name, value in settings.items() if name not in open_to}
        # A method of two photos gets two different ones, where there are two.
        chosen = {
            name: open_image(settings.get(name, photos[(first + place) % len(photos)]))
            for place, name in enumerate(open_to)
        }
        made.append(Task(method, plain, chosen, len(made) + 1, further))

    for further, settings in enumerate(examples[:1] if quick else examples):
        add(settings, 0, further)
    # An example may bring a photo of its own; it is the same, whatever the others are.
    for further in range(1, len(photos) if {*open_to} - examples[0].keys() else 1):
        add(examples[0], further, further)
    return made


def _examples(method: Method[Any], net: Network) -> list[dict[str, Any]]:
    try:
        found = [dict(settings) for settings in method.examples(net)]
    except Exception as error:
        if any(known.required and known.kind == "setting" for known in method.options.values()):
            raise PellucidError(reason(error)) from None
        # No example fits this network; what the method itself says of it is clearer.
        found = []
    return found or [{}]


@dataclass
class Timetable:
    """Shares the time out: the first picture of every method before the second of any.

    Attributes:
        limit: seconds for all of it.
        clock: seconds that only go up.
    """

    limit: float
    clock: Clock = time.monotonic
    started: float = field(init=False)
    slowest: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.started = self.clock()

    @property
    def left(self) -> float:
        """Seconds."""
        return self.limit - (self.clock() - self.started)

    def share(self, firsts: int) -> float:
        """Seconds that a task may take, when `firsts` first pictures are still to come, this too.

        A first picture may take its fair share, or a quarter of all that is left, which lets a
        slow method in and leaves three quarters to the others. Any other may take the rest.
        """
        return max(self.left / firsts, self.left / 4) if firsts > 1 else self.left

    def fits(self, task: Task) -> bool:
        """Whether there is time for a task, by what its method took before."""
        return self.left > self.slowest.get(task.method.name, 0.0)

    def run(self, task: Task, net: Network, share: float) -> Generator[Step, None, Result]:
        """Runs one task, and stops it when its pace says that it will not be done in time.

        A method that yields no steps cannot be stopped; the others then get less.

        Raises:
            TooLong: stopped.
        """
        begun = self.clock()
        try:
            work = task.method.steps(net, **task.photos, **task.settings)
            result: Result = yield from self.paced(work, share)
        except TooLong as error:
            self.slowest[task.method.name] = error.seconds
            raise
        spent = self.clock() - begun
        self.slowest[task.method.name] = max(spent, self.slowest.get(task.method.name, 0.0))
        return result

    def paced(self, work: Generator[Step, None, Made], share: float) -> Generator[Step, None, Made]:
        """Goes on with work as long as its pace says that it will be done in its share.

        Raises:
            TooLong: stopped.
        """
        begun = self.clock()
        first: tuple[float, int] | None = None
        try:
            while True:
                try:
                    step = next(work)
                except StopIteration as stop:
                    made: Made = stop.value
                    return made
                spent = self.clock() - begun
                first = first or (spent, step.done)
                expected = _expected(first, spent, step)
                enough = spent > max(PROBE[0], PROBE[1] * share)
                if enough and expected > share and step.done < step.total:
                    raise TooLong(expected)
                yield step
        finally:
            work.close()


def _expected(first: tuple[float, int], spent: float, step: Step) -> float:
    """Seconds that all steps will have taken; the first one has its start-up, so it is no pace."""
    started, done = first
    if step.done <= done:
        return spent
    return started + (spent - started) * max(1, step.total - done) / (step.done - done)


def reason(error: Exception) -> str:
    """Why a picture could not be made, in one line."""
    if isinstance(error, PellucidError):
        return str(error)
    first = (str(error).strip().splitlines() or [""])[0]
    short = first if len(first) <= 200 else first[:199] + "…"
    return f"{type(error).__name__}: {short}" if short else type(error).__name__
