"""What does a photo look like in a style, and what is it to a network then?"""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated, Any

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.assets import FOLDER, STYLIST
from pellucid.errors import PellucidError
from pellucid.images import Photo, open_image
from pellucid.make.octaves import resized
from pellucid.make.painting.blend import blend, told
from pellucid.make.painting.painter import Painter
from pellucid.make.painting.trained import Trained, load
from pellucid.memory import free
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.results import Grid, Picture

LONGEST = 1024  # px that a photo is painted at, where no size is asked for
BYTES = 13  # for each pixel and each channel of the painter's first layer, at the worst moment
Image = Float[Tensor, "3 height width"]

Style = Annotated[
    str | None,
    Help(
        "its name or number, or a blend such as waves 0.7; mosaic 0.3; all side by side if none",
        names="style",
    ),
]
Model = Annotated[
    str | None,
    Help("made by `pellucid stylist train`; the one that comes along if none", names="file"),
]
Size = Annotated[
    int | None, Help("px of the longer side; the photo's own, at most 1024, if none", low=1)
]


@method(examples=lambda net: _examples(), verb="apply")
def stylist(
    net: Network,
    photo: Photo,
    *,
    style: Style = None,
    model: Model = None,
    size: Size = None,
) -> Generator[Step, None, Picture | Grid]:
    """A photo painted in one pass, by a network that has learned its styles before.

    What style transfer finds by hundreds of steps on each picture, feature reconstruction and Gram
    matching, a network is trained to give at once (Johnson, Alahi, Fei-Fei 2016): instances are
    normalised (Ulyanov, Vedaldi, Lempitsky 2016), and a style is nothing but the scale and shift
    behind that, so that one network has many and can mix them (Dumoulin, Shlens, Kudlur 2017). The
    network asked says what it takes the photo for, before and after.

    Returns:
        Picture with `.values` (3, height, width), 0 to 1; of all styles a Grid with `.values`
        (1 + styles, 3, height, width), the photo first.

    Raises:
        PellucidError: unknown style; a file that is no stylist's; a size that memory does not hold.

    Example:
        >>> stylist(net, "photo:cat", style="waves 0.7; mosaic 0.3").save("cat.png")
    """
    trained = opened(model)
    names = trained.names if style is None else ()
    mixes = torch.eye(len(names)) if style is None else blend(style, trained.names)
    shown = laid(photo, size)
    painter = trained.painter.to(net.device)
    painted = []
    for number, mix in enumerate(mixes, start=1):
        painted.append(paint(painter, shown, mix[None]))
        yield Step(number, len(mixes), f"style {number} of {len(mixes)}", painted[-1])
    seen = _Seen.of(net, photo, painted)
    who = photo.source.removeprefix("photo:") or "the photo"
    if style is not None:
        caption = f"{who} in {told(mixes, trained.names)}{seen.told()}"
        return Picture(values=painted[0], caption=caption, facts=seen.facts())
    return Grid(
        values=torch.stack([shown, *painted]),
        names=tuple(map(seen.labelled, ("photo", *names), range(len(names) + 1))),
        scale="plain",
        caption=f"{who} in {len(names)} styles: {', '.join(names)}",
        facts=seen.facts(),
    )


def opened(model: str | None) -> Trained:
    """A stylist from its file; None: the one that comes with pellucid."""
    return load(FOLDER / f"{STYLIST}.safetensors" if model is None else model)


def laid(photo: Photo, size: int | None) -> Image:
    """A photo at the size that it is painted at, 0 to 1."""
    longer = max(photo.size)
    wanted = min(longer, LONGEST) if size is None else size
    height, width = (max(1, round(side * wanted / longer)) for side in photo.size)
    return resized(photo.floats()[None], (height, width)).clamp(0, 1)[0]


def paint(painter: Painter, image: Image, mix: Float[Tensor, "1 styles"]) -> Image:
    """An image in a mix of styles, 0 to 1, on the processor.

    Raises:
        PellucidError: it is too large for the memory that is free.
    """
    device = painter.first.conv.weight.device
    height, width = image.shape[1:]
    needed, there = BYTES * painter.width * height * width, free(device)
    if there is not None and needed > there:
        fits = int(max(height, width) * (there / needed) ** 0.5 * 0.9)
        raise PellucidError(
            f"to paint {width} x {height} px takes about {needed / 1e9:.1f} GB, and "
            f"{there / 1e9:.1f} are free: ask for a size of {fits} px"
        )
    ready = image[None].to(device).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        painted: Tensor = painter(ready, mix.to(device))
    return painted[0].cpu().contiguous()


class _Seen:
    """What a network takes a photo for, and how sure of it it is of what was painted."""

    def __init__(self, label: str, shares: list[float]) -> None:
        self.label, self.shares = label, shares

    @classmethod
    def of(cls, net: Network, photo: Photo, painted: list[Tensor]) -> _Seen:
        """The network asked; of one without classes nothing is known."""
        if len(net.layers[""].shape) != 1:
            return cls("", [])
        with torch.no_grad():
            best = net.best(net.prepare(photo)[0])
            shares = [
                float(net.scores(net.prepare(one)[0]).float().softmax(1)[0, best.channel])
                for one in (photo, *map(open_image, painted))
            ]
        return cls(net.labels[best.channel], shares)

    def told(self) -> str:
        """The end of a caption."""
        if not self.shares:
            return ""
        before, after = self.shares
        return f"; {self.label}: {before:.1%} of the photo, {after:.1%} of the picture"

    def labelled(self, name: str, row: int) -> str:
        """A picture's name, with its share."""
        return f"{name}, {self.label} {self.shares[row]:.0%}" if self.shares else name

    def facts(self) -> dict[str, Any]:
        """As plain data."""
        if not self.shares:
            return {}
        before, *after = self.shares
        return {"class": self.label, "probability": before, "painted": after}


def _examples() -> list[dict[str, Any]]:
    names = opened(None).names
    mixed = "; ".join(f"{name} {share}" for name, share in zip(names[:2], (0.5, 0.5), strict=False))
    return [{"size": 384}, *({"style": name} for name in names), {"style": mixed}]
