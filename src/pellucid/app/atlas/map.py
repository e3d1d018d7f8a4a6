"""`pellucid atlas map`: the collection in the plane, as a picture and as a page."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pellucid.app import flags
from pellucid.app.atlas import words
from pellucid.app.output import Output
from pellucid.app.terminal import Progress, exits, say, say_json
from pellucid.app.tour_command import Language


class Method(StrEnum):
    """Projections."""

    tsne = "tsne"
    pca = "pca"
    umap = "umap"
    pacmap = "pacmap"


def map(
    place: words.Place,
    method: Annotated[Method, typer.Option(help="of projection")] = Method.tsne,
    layer: Annotated[
        str | None, typer.Option(metavar="LAYER", help="a surveyed one; the deepest if none")
    ] = None,
    seed: Annotated[int, typer.Option(help="of all random numbers")] = 0,
    page: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="a page to look around in, one file, offline"),
    ] = None,
    out: flags.Out = None,
    photo: flags.PhotoWords = None,
    lang: Annotated[Language, typer.Option(help="of the page: English or Chinese")] = Language.en,
    force: flags.Force = False,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
    network: words.Own = None,
    weights: flags.Weights = None,
    device: flags.Device = "auto",
) -> None:
    """Lay all photos out in the plane, alike ones side by side.

    Each --photo is placed on the map, too. The atlas keeps a map that was made.
    """
    kept = ""
    with exits(lambda: kept):
        output = Output(Path(out).expanduser() if out else None, None, force)
        output.check()
        with Progress(quiet=quiet) as progress:
            progress.say(f"opening {place}")
            from pellucid.atlas.maps import mapping, placing
            from pellucid.atlas.page.page import check
            from pellucid.images import open_image

            photos = [open_image(name) for name in photo or []]
            where = page.expanduser() if page else None
            if where:
                check(where, force)
            atlas = words.opened(place, network, weights, device)
            made = progress.follow(mapping(atlas, method.value, layer=layer, seed=seed))
            if "not kept" not in made.facts:
                kept = "stopped; the atlas keeps the map"
            if photos:
                progress.say("placing photos")
                made = placing(atlas, made, photos)
            saved = output.save(made)
            if where:
                progress.say(f"writing {where}")
                saved += [made.page(where, lang=lang.value, force=force)]
        if json:
            say_json(made.data() | {"saved": [str(file) for file in saved]})
        elif not quiet:
            say(made.title)
            for name, value in made.quality:
                say(f"{name} {value:.3f}")
            for new in made.new:
                say(f"{new.name}: {new.place[0]:.2f}, {new.place[1]:.2f} ({new.how})")
            for file in saved:
                say(f"saved {file}")
