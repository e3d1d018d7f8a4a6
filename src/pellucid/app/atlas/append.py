"""`pellucid atlas append`: more photos into an atlas."""

from __future__ import annotations

from pellucid.app import flags
from pellucid.app.atlas import info, words
from pellucid.app.terminal import Progress, exits, say
from pellucid.counted import counted


def append(
    place: words.Place,
    photos: words.Photos,
    workers: words.Workers = None,
    engine: words.Engine = words.Where.local,
    image: words.Image = None,
    label: words.Label = None,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
    network: words.Own = None,
    weights: flags.Weights = None,
    device: flags.Device = "auto",
) -> None:
    """Add the photos of a collection that an atlas has not seen yet.

    Interrupted or killed, the same command goes on where it was. A photo is known by its path:
    another one of the same path is not seen.
    """
    with exits(lambda: words.stopped(place, adding=True)):
        with Progress(quiet=quiet) as progress:
            progress.say(f"opening {place}")
            from pellucid.atlas.building import appending
            from pellucid.atlas.loading import WORKERS
            from pellucid.atlas.stream import stream

            before = words.opened(place, network, weights, device)
            count = len(before)
            source = stream(photos, image=image, label=label)
            atlas = progress.follow(
                appending(
                    place, before.network(), source, workers=workers or WORKERS, engine=engine.value
                )
            )
        if json:
            info.as_json(atlas)
        elif not quiet:
            say(counted(len(atlas) - count, "new image"))
            info.told(atlas)
