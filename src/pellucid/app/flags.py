"""The flags that several commands share: which network, and where the result goes."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.app.names import complete_network, complete_photo
from pellucid.assets import BUNDLED as BUNDLED

if TYPE_CHECKING:
    from pellucid.network import Network


class Arrays(StrEnum):
    """Kinds of files for the numbers behind a picture."""

    npz = "npz"
    safetensors = "safetensors"


def _which(*flags: str, **more: Any) -> Any:
    return typer.Option(*flags, rich_help_panel="Which network", **more)


def _where(*flags: str, **more: Any) -> Any:
    return typer.Option(*flags, rich_help_panel="What comes out", **more)


NetworkName = Annotated[
    str,
    _which(
        "--network",
        metavar="NAME",
        help="pane (bundled), a name of torchvision, timm:NAME, hf:NAME, or FILE.py:FACTORY",
        autocompletion=complete_network,
    ),
]
OtherNetwork = Annotated[
    str | None,
    _which(
        "--network",
        metavar="NAME",
        help="in place of the recipe's",
        autocompletion=complete_network,
    ),
]
Weights = Annotated[
    str | None,
    _which(
        "--weights",
        metavar="FILE",
        help="safetensors, or a state dict saved by torch.save; random or random:SEED for none",
    ),
]
Labels = Annotated[
    str | None, _which("--labels", metavar="FILE", help="class names, one per line, as text")
]
Classes = Annotated[
    int | None,
    _which(
        "--classes", metavar="COUNT", min=1, help="with random weights; else that of the weights"
    ),
]
Device = Annotated[
    str, _which("--device", metavar="NAME", help="cpu, cuda or mps; auto: the best there is")
]
PhotoWords = Annotated[
    list[str] | None,
    typer.Option(
        "--photo",
        metavar="PHOTO",
        help="a path or photo:NAME; may be given several times",
        autocompletion=complete_photo,
    ),
]
Out = Annotated[str | None, _where("--out", metavar="FILE.png", help="save a picture there")]
OutNamed = Annotated[
    str | None,
    _where(
        "--out",
        metavar="FILE.png",
        help="where the picture goes (a film: FILE.gif, .webp or .mp4); else here, named after the "
        "command and the photo",
    ),
]
Force = Annotated[bool, _where("--force", help="overwrite what is there")]
AsJson = Annotated[bool, _where("--json", help="data for a machine on standard output, no words")]
Quiet = Annotated[bool, _where("--quiet", help="no words and no progress bar, only errors")]
Over = Annotated[bool, _where("--over", help="draw the map over its photo")]
Opacity = Annotated[
    float | None, _where("--opacity", metavar="SHARE", min=0, max=1, help="of the map, with --over")
]
ArraysKind = Annotated[
    Arrays | None, _where("--arrays", help="also save the numbers, beside the picture")
]


def open_network(
    network: str, weights: str | None, labels: str | None, classes: int | None, device: str
) -> Network:
    """The network that the flags name; imports torch."""
    from pellucid.zoo import load

    return load(network, weights=weights, labels=labels, classes=classes, device=device)
