"""`pellucid atlas neighbours`: what lies nearest, in features and in pixels."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.app import flags
from pellucid.app.atlas import words
from pellucid.app.output import Output, usual_name
from pellucid.app.terminal import Progress, exits, say, say_json, show, table
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from pellucid.atlas.atlas import Atlas


class Metric(StrEnum):
    """Of distances between features."""

    cosine = "cosine"
    l2 = "l2"


def neighbours(
    place: words.Place,
    asked: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PHOTO|ROW|UNIT...",
            help="a path or photo:NAME, the number of an image in the atlas, or LAYER:CHANNEL",
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="neighbours of each")] = 5,
    layer: Annotated[
        str | None, typer.Option(metavar="LAYER", help="a surveyed one; the deepest if none")
    ] = None,
    metric: Annotated[Metric, typer.Option(help="of distances between features")] = Metric.cosine,
    pixels: Annotated[
        bool, typer.Option(help="also in pixels, and label agreement of both")
    ] = True,
    agreement: Annotated[
        bool, typer.Option("--agreement", help="only label agreement of all photos, layer by layer")
    ] = False,
    index: Annotated[
        bool,
        typer.Option(
            "--index", help="make an index of the layer first, for more than 200,000 images"
        ),
    ] = False,
    out: flags.OutNamed = None,
    force: flags.Force = False,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
    network: words.Own = None,
    weights: flags.Weights = None,
    device: flags.Device = "auto",
) -> None:
    """The nearest photos of what is asked: in features, and beside them in pixels.

    Photos with another label than the asked one are framed and crossed.
    """
    made: dict[str, Any] = {}
    with exits(lambda: "stopped; the index is kept" if "index" in made else ""):
        words_asked = asked or []
        if not (words_asked or agreement or index):
            raise PellucidError("give a photo, the number of an image or LAYER:CHANNEL")
        if agreement and words_asked:
            raise PellucidError(
                f"--agreement is of all photos, not of {', '.join(words_asked)}: leave one of the "
                f"two out"
            )
        if out and not words_asked:
            raise PellucidError("--out is for the picture of neighbours: give a photo to ask about")
        target = Path(out).expanduser() if out else usual_name(["neighbours", *words_asked])
        output = Output(target, None, force)
        if words_asked:
            output.check()
        with Progress(quiet=quiet) as progress:
            progress.say(f"opening {place}")
            from pellucid.atlas.neighbours import agreements, indexed
            from pellucid.atlas.neighbours import neighbours as work

            atlas = words.opened(place, network, weights, device)
            if index:
                progress.say("making an index")
                made["index"] = indexed(atlas, layer, metric.value)
            if agreement:
                made["agreement"] = progress.follow(agreements(atlas, metric.value))
            elif words_asked:
                several = [_meant(atlas, word) for word in words_asked]
                made["result"] = progress.follow(
                    work(
                        atlas, several, count=count, layer=layer, metric=metric.value,
                        pixels=pixels,
                    )
                )  # fmt: skip
            saved = output.save(made["result"]) if "result" in made else []
        _tell(made, [str(file) for file in saved], json, quiet)


def _meant(atlas: Atlas, word: str) -> str | int:
    """The number of an image, unless a file of that name is here."""
    return int(word) if word.isdecimal() and not Path(word).is_file() else word


def _tell(made: dict[str, Any], saved: list[str], json: bool, quiet: bool) -> None:
    index, agreement, result = (made.get(name) for name in ("index", "agreement", "result"))
    if json:
        data = result.data() if result else {}
        if index:
            data["index"] = vars(index)
        if agreement:
            data["agreement"] = dict(agreement)
        say_json(data | {"saved": saved})
        return
    if quiet:
        return
    if index:
        say(
            f"an index of {index.rows:,} images: recall {index.recall:.3f} on {index.asked} of them"
            f" ({index.probes} cells, {index.refine} times as many candidates)"
        )
    shares = agreement or (result.agreement if result else ())
    if shares:
        counts = [*shares[0][1]]
        heads = [f"nearest {count}" for count in counts]
        rows = table("same label", *heads, right=tuple(heads))
        for name, found in shares:
            rows.add_row(name, *(f"{found[count]:.1%}" for count in counts))
        show(rows)
    for file in saved:
        say(f"saved {file}")
