"""Visit: what one visitor of the network's tab looks at, and the job that runs for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pellucid.app.lab.desk import Desk, News
from pellucid.errors import PellucidError


@dataclass
class Visit:
    """What one visitor looks at.

    Attributes:
        network, layer, unit: chosen; empty for none.
        opened: groups of the drawing.
        photos: that were uploaded: where each is, by its name here.
        turn: counts what was asked for: news of anything but the last are of no use.
        job: that is under way; 0 for none.
    """

    network: str = ""
    layer: str = ""
    unit: str = ""
    opened: set[str] = field(default_factory=set)
    photos: dict[str, str] = field(default_factory=dict)
    turn: int = 0
    job: int = 0

    def begin(self, desk: Desk) -> int:
        """Something else is asked for: what is under way has to stop."""
        self.turn += 1
        if self.job:
            desk.stop(self.job)
        return self.turn

    def news(self, desk: Desk, turn: int, task: str, given: dict[str, Any]) -> Iterator[News]:
        """How a job stands, as long as it is what was asked for last; the end is always told."""
        if self.turn != turn:
            yield News("stopped")
            return
        try:
            ticket = desk.take(task, given)
        except PellucidError as error:
            yield News("wrong", {"text": str(error)})
            return
        self.job = ticket.number
        try:
            for news in desk.news(ticket):
                if self.turn != turn:
                    desk.stop(ticket.number)
                if news.over or self.turn == turn:
                    yield news
        except PellucidError as error:  # the page was away
            yield News("wrong", {"text": str(error)})
        finally:
            if self.job == ticket.number:
                self.job = 0
