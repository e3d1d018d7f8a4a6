"""Errand: a job that the page sends to the worker, told as it goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pellucid.app.lab import stage
from pellucid.app.lab.desk import News
from pellucid.app.lab.lab import Lab
from pellucid.errors import PellucidError

Told = tuple[int, str, News | None]


def errand(lab: Lab, task: str, given: dict[str, Any], words: dict[str, str]) -> Iterator[Told]:
    """A job from its place in the line to its end.

    Yields:
        Its number, by which it is stopped (0: it is over), what to show of it as HTML, and at
        last the news that it ended with; None instead where there was no place in the line.
    """
    try:
        ticket = lab.desk.take(task, given)
        yield ticket.number, "", None
        so_far: dict[str, bytes] = {}  # the last picture on the way stays until there is another
        for news in lab.desk.news(ticket):
            so_far = news.files or so_far
            shown = stage.drawn(news if news.over else replace(news, files=so_far), words)
            if news.over:
                yield 0, shown, news
            elif shown:
                yield ticket.number, shown, None
    except PellucidError as error:
        yield 0, stage.trouble(str(error)), None
