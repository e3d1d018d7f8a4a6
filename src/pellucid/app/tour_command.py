"""`pellucid tour`: everything on one page; the page itself is made in `report`."""

from __future__ import annotations

import signal
import webbrowser
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.__main__ import INTERRUPTED
from pellucid.app import flags
from pellucid.app.terminal import Progress, exits, note, say
from pellucid.assets import BUNDLED

if TYPE_CHECKING:
    from pellucid.method import Step


class Language(StrEnum):
    """Languages of the page."""

    en = "en"
    zh = "zh"


def tour(
    photo: flags.PhotoWords = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="the first picture of each method, within a minute")
    ] = False,
    lang: Annotated[Language, typer.Option(help="of the page: English or Chinese")] = Language.en,
    show: Annotated[bool, typer.Option("--open", help="show the page in the browser")] = False,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="where the page goes")] = Path(
        "pellucid-tour"
    ),
    force: flags.Force = False,
    network: flags.NetworkName = BUNDLED,
    weights: flags.Weights = None,
    labels: flags.Labels = None,
    classes: flags.Classes = None,
    device: flags.Device = "auto",
) -> None:
    """Everything that can be seen, on one page: begin here.

    Ctrl-C ends it early and keeps what is done.
    """
    with exits():
        with Progress() as progress:
            progress.say(f"loading {network}")
            from pellucid.app import report
            from pellucid.images import open_image
            from pellucid.register import broken

            photos = [open_image(name) for name in photo or []]
            net = flags.open_network(network, weights, labels, classes, device)
            folder = out.expanduser()
            work = report.tour(net, photos, folder, quick=quick, lang=lang.value, force=force)
            page, whole = drive(work, progress)
        if page is None:
            raise KeyboardInterrupt
        say(f"{'the page is' if whole else 'stopped; what is done is'} in {page}")
        for _, why in broken():
            note(f"left out: {why}")
        if show:
            webbrowser.open(page.resolve().as_uri())
        if not whole:
            raise typer.Exit(INTERRUPTED)


def drive(work: Generator[Step, None, Path], progress: Progress) -> tuple[Path | None, bool]:
    """Runs the tour to its end; after Ctrl-C, to the end of the page with what is done.

    Returns:
        Where the page is (None: there is none yet), and whether it is whole.
    """
    with _noted() as pressed:
        try:
            while True:
                try:
                    progress.step(next(work))
                except KeyboardInterrupt:
                    # Here the work may be over already, or wait for its next turn: then it is
                    # told, and finishes its page.
                    pressed.append(True)
                    work.throw(KeyboardInterrupt)
        except StopIteration as stop:
            return stop.value, not pressed
        except KeyboardInterrupt:
            return None, False
        finally:
            work.close()


@contextmanager
def _noted() -> Iterator[list[bool]]:
    """Notes Ctrl-C, as the work may catch it and go on to a quiet end."""
    pressed: list[bool] = []

    def note(*_: object) -> None:
        pressed.append(True)
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGINT, note)
    except ValueError:  # not the main thread: nobody's Ctrl-C arrives here
        yield pressed
        return
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)
