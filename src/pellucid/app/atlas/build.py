"""`pellucid atlas build`: one pass over a collection."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from pellucid.app import flags
from pellucid.app.atlas import info, words
from pellucid.app.terminal import Progress, exits, say


class Precision(StrEnum):
    """Of features in the store."""

    float32 = "float32"
    float16 = "float16"


def build(
    photos: words.Photos,
    place: words.Place,
    layers: Annotated[
        str | None,
        typer.Option(
            metavar="LAYERS",
            help='names or patterns with ";" between them, all; some from shallow to deep if none',
        ),
    ] = None,
    keep: Annotated[int, typer.Option(min=1, help="best patches of every channel")] = 9,
    per_image: Annotated[int, typer.Option(min=1, help="of them at most of one photo")] = 1,
    negative: Annotated[
        bool, typer.Option("--negative", help="also where channels are most negative")
    ] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="features are whole maps, not their means")
    ] = False,
    precision: Annotated[Precision, typer.Option(help="of the features")] = Precision.float32,
    batch: Annotated[int, typer.Option(min=1, help="photos through the network at a time")] = 32,
    workers: words.Workers = None,
    engine: words.Engine = words.Where.local,
    image: words.Image = None,
    label: words.Label = None,
    force: flags.Force = False,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
    network: flags.NetworkName = flags.BUNDLED,
    weights: flags.Weights = None,
    labels: flags.Labels = None,
    classes: flags.Classes = None,
    device: flags.Device = "auto",
) -> None:
    """Send a whole collection through a network, once.

    Interrupted or killed, the same command goes on where it was.
    """
    with exits(lambda: words.stopped(place, force=force)):
        with Progress(quiet=quiet) as progress:
            progress.say(f"loading {network}")
            from pellucid.atlas.building import building
            from pellucid.atlas.loading import WORKERS
            from pellucid.atlas.stream import stream

            net = flags.open_network(network, weights, labels, classes, device)
            progress.say(f"looking through {photos}")
            source = stream(photos, image=image, label=label)
            work = building(
                place, net, source, force=force, workers=workers or WORKERS, engine=engine.value,
                layers=layers, keep=keep, per_image=per_image, negative=negative, whole=whole,
                precision=precision.value, batch=batch,
            )  # fmt: skip
            atlas = progress.follow(work)
        if json:
            info.as_json(atlas)
        elif not quiet:
            info.told(atlas)
            say(f"saved {place}")
