"""`pellucid atlas export`: an atlas as files for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pellucid.app import flags
from pellucid.app.atlas import words
from pellucid.app.terminal import exits, say


def export(
    place: words.Place,
    out: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.parquet|FILE.npz",
            help="parquet: a row for each photo, with thumbnail; npz: numbers only",
        ),
    ],
    layer: Annotated[
        str | None, typer.Option(metavar="LAYER", help="whose features; all if none")
    ] = None,
    map: Annotated[
        str | None, typer.Option("--map", metavar="NAME", help="whose places; the first if none")
    ] = None,
    force: flags.Force = False,
    quiet: flags.Quiet = False,
) -> None:
    """Save an atlas as parquet (which embedding-atlas opens) or numpy arrays."""
    with exits():
        from pellucid.atlas.export import exported

        atlas = words.opened(place)
        saved = exported(atlas, out, layer=layer, map=map, force=force)
        if not quiet:
            say(f"saved {saved}")
