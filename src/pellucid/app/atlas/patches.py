"""`pellucid atlas patches`: the parts of photos that channels answer to most."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pellucid.app import flags
from pellucid.app.atlas import words
from pellucid.app.output import Output, usual_name
from pellucid.app.terminal import Progress, exits, say, say_json
from pellucid.errors import PellucidError

FEW = 12  # channels that are drawn where none is named


def patches(
    place: words.Place,
    units: Annotated[
        list[str],
        typer.Argument(metavar="LAYER[:CHANNEL]...", help="of one layer, as `atlas info` lists it"),
    ],
    keep: Annotated[
        int | None, typer.Option(metavar="COUNT", min=1, help="of each; all there are if none")
    ] = None,
    negative: Annotated[
        bool, typer.Option("--negative", help="where the channel is most negative")
    ] = False,
    guided: Annotated[
        bool, typer.Option("--guided", help="below each crop its guided gradient")
    ] = False,
    outline: Annotated[
        bool, typer.Option("--outline", help="whole photos with the boxes drawn in")
    ] = False,
    out: Annotated[
        str | None,
        flags._where("--out", metavar="FILE.png", help="where the picture goes; here if none"),
    ] = None,
    network: words.Own = None,
    weights: flags.Weights = None,
    device: flags.Device = "auto",
    force: flags.Force = False,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
) -> None:
    """Of each channel the parts of the photos that raise it most, at their own resolution."""
    with exits():
        target = Path(out).expanduser() if out else usual_name(["patches", *units])
        output = Output(target, None, force)
        output.check()
        with Progress(quiet=quiet) as progress:
            progress.say("opening the atlas")
            from pellucid.atlas.patches import patches_of

            atlas = words.opened(place, network, weights, device)
            layer, channels = read(units, atlas.layers)
            if channels is None:
                count = atlas.network().layer(layer).layout.channels
                channels = [*range(min(FEW, count))]
                if count > FEW:
                    progress.bar.console.print(f"the first {FEW} of {count} channels")
            made = progress.follow(
                patches_of(atlas, layer, channels, keep=keep, negative=negative, guided=guided)
            )
            if not any(made.found):
                raise PellucidError(made.caption)
            shown = made.outlined() if outline else made
            files = output.save(shown)
        if json:
            say_json(shown.data() | {"saved": [str(file) for file in files]})
        elif not quiet:
            say(made.caption)
            say(f"saved {target}")


def read(units: list[str], layers: tuple[str, ...]) -> tuple[str, list[int] | None]:
    """The layer and the channels that words such as "conv3:7" name; None: no channel is named."""
    found: dict[str, list[int]] = {}
    for unit in units:
        layer, colon, channel = unit.rpartition(":")
        if unit in layers or not colon:
            found.setdefault(unit, [])
            continue
        if not channel.isdecimal() or len(channel) > 9:
            raise PellucidError(f"a unit is LAYER:CHANNEL, not {unit!r}")
        found.setdefault(layer, []).append(int(channel))
    if len(found) > 1:
        raise PellucidError(f"all of one layer at a time, not of {' and '.join(found)}")
    ((layer, channels),) = found.items()
    return layer, channels or None
