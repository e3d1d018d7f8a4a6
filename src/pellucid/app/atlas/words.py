"""Words that the commands of the atlas share."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.app import flags
from pellucid.counted import counted
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from pellucid.atlas.atlas import Atlas
    from pellucid.network import Network


class Where(StrEnum):
    """A survey is made on."""

    local = "local"
    ray = "ray"


Place = Annotated[
    str, typer.Argument(metavar="ATLAS", help="its folder, or an address in object storage")
]
Photos = Annotated[
    str,
    typer.Argument(
        metavar="PHOTOS",
        help="a folder (its folders are labels), a pattern, a .csv, .parquet or .txt, tar shards, "
        "s3://…",
    ),
]
Image = Annotated[
    str | None, typer.Option("--image", metavar="COLUMN", help="of a table: paths or image bytes")
]
Label = Annotated[
    str | None, typer.Option("--label", metavar="COLUMN", help="of a table: names of classes")
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers", metavar="COUNT", min=1,
        help="that decode photos; if none, one for each core, but 4 to 16",
    ),
]  # fmt: skip
Engine = Annotated[Where, typer.Option("--engine", help="this machine, or a Ray cluster")]
Own = Annotated[
    str | None,
    flags._which("--network", metavar="NAME", help="in place of the one that the atlas names"),
]


def opened(
    place: str,
    network: str | None = None,
    weights: str | None = None,
    device: str = "auto",
) -> Atlas:
    """An atlas, with its network where one is named."""
    from pellucid.atlas.atlas import Atlas

    net: Network | None = None
    if network is not None:
        net = flags.open_network(network, weights, None, None, device)
    return Atlas.open(place, net)


def stopped(place: str, *, adding: bool = False, force: bool = False) -> str:
    """What a survey that Ctrl-C ended has kept, and what goes on with it; "": nothing.

    Args:
        adding: it was more photos into an atlas, not a new one.
        force: it was told to begin anew, which the same command would do once more.
    """
    from pellucid.atlas.folder import Folder
    from pellucid.atlas.manifest import NAME, Manifest

    try:
        folder = Folder(place)
        text = folder.read(NAME)
        manifest = Manifest.read(text, folder.place) if text is not None else None
    except PellucidError:  # it was never come to
        return ""
    if manifest is None or manifest.finished or (manifest.begun > 0) != adding:
        return ""
    same = "the same command without --force" if force else "the same command"
    return f"stopped at {counted(manifest.seen, 'photo')}; {same} goes on"
