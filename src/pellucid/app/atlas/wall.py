"""`pellucid atlas wall`: the photos themselves, side by side by a map, as a page that zooms."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pellucid.app import flags
from pellucid.app.atlas import words
from pellucid.app.terminal import Progress, exits, say, say_json
from pellucid.app.tour_command import Language
from pellucid.errors import PellucidError


class Laid(StrEnum):
    """How photos lie on the large image."""

    grid = "grid"
    scattered = "scattered"


def wall(
    place: words.Place,
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="where the page and its tiles go")],
    map: Annotated[
        str | None, typer.Option("--map", metavar="NAME", help="whose places; the first if none")
    ] = None,
    image: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png|.jpg", help="also one large image, at most 48 megapixels"),
    ] = None,
    layout: Annotated[Laid, typer.Option(help="of the image; the page has both")] = Laid.grid,
    cell: Annotated[
        int | None,
        typer.Option(
            metavar="PX", help="a photo's side when nearest, 32 to 256; as it fits if none"
        ),
    ] = None,
    lang: Annotated[Language, typer.Option(help="of the page: English or Chinese")] = Language.en,
    network: words.Own = None,
    weights: flags.Weights = None,
    device: flags.Device = "auto",
    force: flags.Force = False,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
) -> None:
    """All photos on a grid by a map of them, as a page that zooms into each.

    The page needs no server and nothing from elsewhere: open FOLDER/index.html.
    """
    kept = ""
    with exits(lambda: kept):
        from pellucid.atlas.wall import build, picture
        from pellucid.atlas.wall.photos import Photos

        build.check(out.expanduser(), force)
        if image is not None:
            picture.check(image.expanduser(), layout.value, force)
        with Progress(quiet=quiet) as progress:
            progress.say("opening the atlas")
            atlas = words.opened(place, network, weights, device)
            name = map if map is not None else next(iter(atlas.maps), None)
            if name is None:
                raise PellucidError(f"{place} has no map yet: make one, pellucid atlas map {place}")
            points, _ = atlas.read_map(name)
            made = progress.follow(
                build.wall(out, Photos.of(atlas), points, cell=cell, lang=lang.value, force=force)
            )
            kept, size = f"stopped; the page is {made.page}", None
            if image is not None:
                progress.say("putting the image together")
                size = picture.saved(made, image, layout.value, force=force)
        if json:
            say_json(made.data() | {"map": name, "page": str(made.page), "image": size})
        elif not quiet:
            say(made.told())
            if size is not None:
                say(f"saved {image}, {size[1]:,} x {size[0]:,} px")
            say(f"the page is {made.page}")
