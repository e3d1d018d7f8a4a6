"""Words that the commands of the atlas share."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.app import flags

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
