"""What people see in a terminal: words and tables on standard output, the rest on the error one."""

from __future__ import annotations

import json
import math
import os
import re
import sys
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from pellucid.__main__ import INTERRUPTED, STOPPED
from pellucid.app.preview import Preview
from pellucid.app.stream import writing
from pellucid.errors import PellucidError, reason

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from pellucid.method import Step
    from pellucid.results import Ranking

R = TypeVar("R")
MOST_LETTERS = 12  # that are shown of those without a font
BAR = 30  # characters for a share of 1
WIDE = 1000  # columns where nobody's screen limits them, so that no name is cut in a file
# What steers a terminal or turns the direction of writing: labels may come from anybody.
_STEERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@contextmanager
def exits(stopped: Callable[[], str] = lambda: "") -> Iterator[None]:
    """Turns what may go wrong inside the `with` into one line and an exit code.

    2 for a wrong request, 130 for Ctrl-C, 1 for what should not happen (with the traceback where
    PELLUCID_DEBUG is set).

    Args:
        stopped: says after Ctrl-C what is kept, of work that keeps something; "": nothing is.
    """
    try:
        yield
    except (typer.Exit, typer.Abort, BrokenPipeError):
        raise
    except PellucidError as error:
        complain(str(error))
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        complain(stopped() or STOPPED)
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:
        if os.environ.get("PELLUCID_DEBUG", "0") not in ("", "0"):
            traceback.print_exc()
        complain(f"{reason(error, 300)} (PELLUCID_DEBUG=1 shows where)")
        raise typer.Exit(1) from None


def _tell_lacking() -> None:
    """Says of which letters no font is here, once they were to be drawn."""
    fonts = sys.modules.get("pellucid.fonts")  # not drawn without it, and slow to import
    if fonts is None or not fonts.lacking:
        return
    shown = "".join(sorted(fonts.lacking)[:MOST_LETTERS])
    more = " …" if len(fonts.lacking) > MOST_LETTERS else ""
    fonts.lacking.clear()
    note(f"no font on this machine has the letters {shown}{more} of the picture: {fonts.REMEDY}")


def complain(text: str) -> None:
    """One line of error."""
    typer.secho("error: ", nl=False, err=True, fg="red")
    typer.echo(harmless(text).replace("\n", " "), err=True)


def note(text: str) -> None:
    """One line beside what was asked for, on the error output."""
    typer.echo("note: " + harmless(text).replace("\n", " "), err=True)


def say(text: str) -> None:
    """One line, as it is."""
    with writing():
        typer.echo(harmless(text))


def harmless(text: str) -> str:
    """A text without the characters that steer a terminal; "�" in their places."""
    return _STEERS.sub("�", text)


def say_json(data: Any) -> None:
    """Data for a machine; what JSON has no number for is null."""
    with writing():
        typer.echo(json.dumps(_plain(data), indent=1, allow_nan=False))


def show(table: Table) -> None:
    """A table, as wide as the screen; as wide as it needs in a file."""
    with writing():
        _console().print(table)


def table(*columns: str, right: tuple[str, ...] = (), title: str = "") -> Table:
    """An empty table; columns named in `right` hold numbers."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(box=box.SIMPLE_HEAD, title=Text(title) if title else None, title_justify="left")
    for name in columns:
        if name in right:
            made.add_column(name, justify="right", no_wrap=True)
        else:
            made.add_column(name, overflow="fold")
    return made


def fitting(
    columns: tuple[str, ...],
    rows: list[list[str]],
    *,
    right: tuple[str, ...] = (),
    spare: tuple[str, ...] = (),
) -> tuple[Table, list[str]]:
    """A table whose names stay whole on a narrow screen: it goes without spare columns instead.

    Args:
        columns: their names.
        rows: a text for each column.
        right: columns that hold numbers.
        spare: columns that may be left out, the least important first.

    Returns:
        The table, and the columns that were left out.
    """
    console = _console()
    left_out: list[str] = []
    while True:
        kept = [name for name in columns if name not in left_out]
        made = table(*kept, right=right)
        for row in rows:
            made.add_row(*(row[columns.index(name)] for name in kept))
        needed = console.measure(made, options=console.options.update(width=WIDE)).maximum
        if needed <= console.width or len(left_out) == len(spare):
            return made, left_out
        left_out.append(spare[len(left_out)])


def bars(ranking: Ranking) -> Table:
    """Names with their shares as bars; of a network with one class only its score."""
    from rich.bar import Bar
    from rich.text import Text

    if ranking.measure == "score":
        made = table("class", "score", right=("score",))
        for name, score in zip(ranking.names, ranking.scores.tolist(), strict=True):
            made.add_row(harmless(name), f"{score:.3g}")
        return made
    made = table("class", "", ranking.measure, "score", right=(ranking.measure, "score"))
    blocks = (sys.stdout.encoding or "").lower().startswith("utf")
    rows = zip(ranking.names, ranking.values.tolist(), ranking.scores.tolist(), strict=True)
    for name, share, score in rows:
        length = 0.0 if math.isnan(share) else share
        bar = Bar(1, 0, length, width=BAR) if blocks else Text("#" * round(BAR * length))
        made.add_row(harmless(name), bar, f"{share:.1%}", f"{score:.2f}")
    return made


def _console() -> Console:
    """Standard output, its width that of the screen, or no limit in a file."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = WIDE
    return console


class Progress:
    """A bar with the time left, on the error output of a terminal; elsewhere nothing.

    Of work that draws, the picture so far lies in a file that the bar names. At the end one line
    says of which letters of the pictures no font is here.

    Example:
        >>> with Progress(quiet=False) as progress:
        ...     progress.say("loading resnet50")
        ...     result = progress.follow(saliency.steps(net, photo))
    """

    def __init__(self, *, quiet: bool = False) -> None:
        from rich import progress
        from rich.console import Console

        console = Console(stderr=True)
        self.bar = progress.Progress(
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(),
            progress.TaskProgressColumn(),
            progress.TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )
        self.task = self.bar.add_task("", total=None)
        self.quiet = quiet
        self.preview = Preview()

    def __enter__(self) -> Progress:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()
        self.preview.close()
        if not self.quiet:
            _tell_lacking()

    def say(self, text: str) -> None:
        """What is being done now, without an end in sight."""
        self.bar.update(self.task, description=harmless(text), total=None)

    def step(self, step: Step) -> None:
        """How far the work is."""
        if not self.bar.disable:
            self.preview.step(step)
        so_far = f" ({self.preview.path})" if self.preview.path else ""
        self.bar.update(
            self.task,
            description=harmless(step.text) + so_far,
            completed=step.done,
            total=max(1, step.total),
        )

    def follow(self, work: Generator[Step, None, R]) -> R:
        """Drives work to its end and gives what it returns; see `progress.finished`."""
        from pellucid.progress import finished

        return finished(work, self.step)


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
