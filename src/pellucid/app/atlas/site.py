"""`pellucid atlas site`: a page for every unit, as files that open without a server."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from pellucid.__main__ import INTERRUPTED
from pellucid.app import flags
from pellucid.app.atlas import words
from pellucid.app.terminal import Progress, exits, say, say_json
from pellucid.app.tour_command import Language
from pellucid.counted import counted


def site(
    place: words.Place,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="folder that the pages go into")],
    layers: Annotated[
        str | None, typer.Option(metavar="NAMES", help="with ; between; if none, all surveyed ones")
    ] = None,
    channels: Annotated[
        str | None, typer.Option(metavar="NUMBERS", help="such as 0-31; if none, all of each layer")
    ] = None,
    draw: Annotated[
        bool, typer.Option(help="also draw what each unit looks for; takes by far the longest")
    ] = True,
    recipe: Annotated[
        str, typer.Option(metavar="NAME", help="of these drawings; see `pellucid features`")
    ] = "crop",
    steps: Annotated[int, typer.Option(metavar="COUNT", min=1, help="of each drawing")] = 128,
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="of drawings and map")] = 0,
    lang: Annotated[Language, typer.Option(help="of the pages: English or Chinese")] = Language.en,
    show: Annotated[bool, typer.Option("--open", help="show it in the browser")] = False,
    network: words.Own = None,
    weights: flags.Weights = None,
    device: flags.Device = "auto",
    force: flags.Force = False,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
) -> None:
    """A page for every unit: best patches, what it looks for, classes it speaks for.

    Ctrl-C keeps what is done, and the same command goes on there.
    """
    with exits(lambda: "stopped; what is done is kept, and the same command goes on"):
        with Progress(quiet=quiet) as progress:
            progress.say(f"opening {place}")
            from pellucid.atlas.site import site as building

            made = progress.follow(
                building(
                    words.opened(place, network, weights, device),
                    out,
                    layers=layers,
                    channels=channels,
                    draw=draw,
                    recipe=recipe,
                    steps=steps,
                    seed=seed,
                    lang=lang.value,
                    force=force,
                )
            )
        if json:
            names = ("units", "drawn", "files", "lost", "whole")
            data = {name: getattr(made, name) for name in names}
            say_json({"page": str(made.path), "bytes": made.size} | data)
        elif not quiet:
            if made.lost:
                which = "its patches are" if made.lost == 1 else "their patches are"
                say(f"{counted(made.lost, 'photo')} could not be read again; {which} grey")
            drawn = f"{made.drawn} drawn, " if draw else ""
            files = f"{counted(made.files, 'file')}, {made.size / 1e6:,.1f} MB"
            say(f"{counted(made.units, 'unit')}, {drawn}{files}")
            done = "the site begins at" if made.whole else "stopped; what is done is at"
            say(f"{done} {made.path}")
        if show:
            webbrowser.open(made.path.resolve().as_uri())
        if not made.whole:
            raise typer.Exit(INTERRUPTED)
