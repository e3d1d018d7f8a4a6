"""Desk: takes jobs from all pages, and gives them to the worker one after the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from pellucid.app.lab.remote import BEAT, Remote
from pellucid.app.lab.wire import Message
from pellucid.errors import PellucidError

GRACE = 8.0  # s that a job has to come to an end of its own once it is told to
ABSENT = 20.0  # s after which a page that asks for no news has gone
MOST_MEMORY = 6_000_000_000  # bytes of a worker at rest, above which a new one takes its place


@dataclass
class Ticket:
    """A job of a page.

    Attributes:
        number: its own.
        stopped: whether it was asked to stop.
        seen: when the page last asked for news.
    """

    number: int
    task: str
    given: dict[str, Any]
    stopped: bool = False
    seen: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class News:
    """How a job stands.

    Attributes:
        kind: "waiting", "step", "done", "wrong" (request), "stopped", "late", "failed", "crashed".
        facts: of a step `done`, `total`, `text`; of the end what the task tells, or `text`.
        files: contents by name; of a step its preview.
        ahead: jobs in front of it.
        elapsed: s since it began.
    """

    kind: str
    facts: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    ahead: int = 0
    elapsed: float = 0.0

    @property
    def over(self) -> bool:
        """Whether no news follow."""
        return self.kind not in ("waiting", "step")


class Desk:
    """Takes jobs from all pages, and gives them to one worker one after the other.

    Args:
        bench: settings of the worker's `Bench`.
        limit: s that a job may take.
        waiting: jobs that may wait; more are sent away.

    Example:
        >>> ticket = desk.take("method", {"method": "filters", …})
        >>> *_, last = desk.news(ticket)
    """

    def __init__(self, bench: dict[str, Any], *, limit: float = 600.0, waiting: int = 16) -> None:
        self.bench, self.limit, self.waiting = bench, limit, waiting
        self._line: list[Ticket] = []
        self._turn = threading.Condition()
        self._numbers = count(1)
        self._worker: Remote | None = Remote(bench)

    def take(self, task: str, given: dict[str, Any]) -> Ticket:
        """A place in the line.

        Raises:
            PellucidError: the line is too long already.
        """
        with self._turn:
            self._send_away()
            if len(self._line) > self.waiting:
                raise PellucidError(
                    f"{len(self._line) - 1} jobs are waiting already: try again in a minute"
                )
            ticket = Ticket(next(self._numbers), task, given)
            self._line.append(ticket)
            return ticket

    def stop(self, number: int) -> None:
        """Asks a job to come to an end; one that can give what it has so far does."""
        with self._turn:
            for ticket in self._line:
                if ticket.number == number:
                    ticket.stopped = True

    def news(self, ticket: Ticket) -> Iterator[News]:
        """How the job stands, several times in a second, until the last that is `over`."""
        try:
            yield from self._wait(ticket)
            if ticket.stopped:
                yield News("stopped")
            else:
                yield from self._follow(ticket)
        finally:
            with self._turn:
                if ticket in self._line:
                    self._line.remove(ticket)
                self._turn.notify_all()

    def last(self, task: str, given: dict[str, Any]) -> News:
        """Does a job and gives its last news."""
        *_, last = self.news(self.take(task, given))
        return last

    @property
    def busy(self) -> bool:
        """Whether there is a job."""
        with self._turn:
            self._send_away()
            return bool(self._line)

    @property
    def process(self) -> int:
        """The worker's number in the system; 0 for none."""
        return self._worker.process.pid if self._worker else 0

    def close(self) -> None:
        """Ends the worker."""
        if self._worker is not None:
            self._worker.kill()
            self._worker = None

    def _wait(self, ticket: Ticket) -> Iterator[News]:
        while True:
            with self._turn:
                ticket.seen = time.monotonic()
                self._send_away()
                if ticket not in self._line:
                    raise PellucidError("the page was away too long; ask again")
                ahead = self._line.index(ticket)
                if not ahead or ticket.stopped:
                    return
                self._turn.wait(2 * BEAT)
            yield News("waiting", ahead=ahead)

    def _send_away(self) -> None:
        """Jobs whose pages have gone leave the line; the worker of one under way ends with it."""
        now = time.monotonic()
        for ticket in list(self._line):
            if now - ticket.seen > ABSENT:
                if ticket is self._line[0]:
                    self.close()
                self._line.remove(ticket)

    def _follow(self, ticket: Ticket) -> Iterator[News]:
        if self._worker is None or not self._worker.alive:
            self._worker = Remote(self.bench)
        worker = self._worker
        begun, told = time.monotonic(), 0.0
        worker.begin(ticket.number, ticket.task, ticket.given)
        over = False
        try:
            while not over:
                message = worker.message(ticket.number)
                ticket.seen = now = time.monotonic()
                late = now - begun > self.limit
                if message is not None:
                    news = _told(message, now - begun)
                elif not worker.alive:
                    news = News("crashed", {"text": worker.how_it_ended()}, elapsed=now - begun)
                elif told and now - told > GRACE:
                    news = News("late" if late else "stopped", {"text": f"{self.limit:g} s"})
                else:
                    news = News("step", elapsed=now - begun)
                if (ticket.stopped or late) and not told:
                    told = now
                    worker.tell_to_stop(ticket.number)
                if news.kind == "stopped" and late:
                    news = News("late", {"text": f"{self.limit:g} s"}, elapsed=now - begun)
                over = news.over
                yield news
        finally:
            if not over:  # the page has gone in the middle of it
                worker.end(ticket.number, GRACE / 2)
            if worker.busy or worker.memory > MOST_MEMORY:
                worker.kill()
                if worker is self._worker:
                    self._worker = Remote(self.bench)


def _told(message: Message, elapsed: float) -> News:
    facts = dict(message.facts)
    kind = facts.pop("news")
    names = facts.pop("names", ["preview.jpg"] if message.blobs else [])
    if kind == "done":
        facts = facts["facts"]
    return News(kind, facts, dict(zip(names, message.blobs, strict=True)), elapsed=elapsed)
