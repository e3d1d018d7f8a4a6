"""`pellucid atlas check`: whether an atlas is whole."""

from __future__ import annotations

from typing import Annotated

import typer

from pellucid.app import flags
from pellucid.app.atlas import words
from pellucid.app.terminal import Progress, exits, say, say_json


def check(
    place: words.Place,
    photos: Annotated[
        int, typer.Option(min=0, help="so many are compared and sent through the network again")
    ] = 8,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
    network: words.Own = None,
    weights: flags.Weights = None,
    device: flags.Device = "auto",
) -> None:
    """Whether all of an atlas is there and right; exit code 1 where it is not."""
    with exits():
        with Progress(quiet=quiet) as progress:
            progress.say(f"opening {place}")
            from pellucid.atlas.check import checking

            found = progress.follow(
                checking(words.opened(place, network, weights, device), again=photos)
            )
        if json:
            say_json({"path": place, "faults": found})
        elif not quiet or found:
            for fault in found:
                say(fault)
            if not found:
                say(f"{place} is whole")
        if found:
            raise typer.Exit(1)
