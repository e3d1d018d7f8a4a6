"""Easel: photo, styles and masks of a style transfer, made ready."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.images import Photo
from pellucid.make.canvas import Image
from pellucid.make.octaves import resized
from pellucid.make.tones import luminance, recoloured, relit
from pellucid.network import Network

Colours = Literal["style", "luminance", "histogram"]


def laid_out(photo: Photo, longest: int, exact: bool) -> Float[Tensor, "3 height width"]:
    longer = max(photo.size)
    wanted = longest if exact else min(longer, longest)
    height, width = (max(1, round(side * wanted / longer)) for side in photo.size)
    return resized(photo.floats()[None], (height, width))[0].clamp(0, 1)


def styled(net: Network, style: Photo, photo: Tensor, scale: float, colours: Colours) -> Image:
    """A style's picture as large as it is to be, in the colours that it is to have."""
    height, width = style.size
    times = scale * (photo.shape[1] * photo.shape[2] / (height * width)) ** 0.5
    size = max(1, round(height * times)), max(1, round(width * times))
    image = resized(style.floats()[None], size)[0].clamp(0, 1)
    if colours == "histogram":
        image = recoloured(image, photo)
    if colours == "luminance":
        image = relit(luminance(image), luminance(photo)).expand(3, -1, -1)
    return seen(net, image)


def seen(net: Network, image: Float[Tensor, "3 height width"]) -> Image:
    if net.preprocess.channels == 1:
        image = luminance(image)
    return net.preprocess.normalise(image)[None].to(net.device)


def grey(net: Network) -> Tensor | None:
    """The axis of the network's input along which all colours change alike."""
    if net.preprocess.channels == 1:
        return None
    axis = 1 / torch.tensor(net.preprocess.std)
    axis = axis / axis.norm()
    return torch.outer(axis, axis).to(net.device)


def numbers(what: str, text: str | None, low: float, high: float) -> list[float]:
    if text is None:
        return []
    try:
        found = [float(word) for word in text.replace(";", ",").split(",")]
    except ValueError:
        found = []
    if not found or not all(low <= number <= high for number in found):
        raise PellucidError(
            f"{what} are numbers from {low:g} to {high:g} with commas between them, not {text!r}"
        )
    return found


def weighed(text: str | None, count: int) -> list[float]:
    found = numbers("mix", text, 0, 1e6) or [1.0] * count
    if len(found) != count or not sum(found):
        raise PellucidError(
            f"there is a weight for each of the {count} styles, not all of them 0; not {text!r}"
        )
    return found


def regions(masks: tuple[Photo, ...], count: int) -> list[Tensor | None]:
    """Of each style where it holds."""
    if not masks:
        return [None] * count
    found = [luminance(mask.floats())[0] for mask in masks]
    if len(found) == count - 1:
        size = found[0].shape
        if any(mask.shape != size for mask in found):
            raise PellucidError("masks are of one size where the last one is left out")
        found.append((1 - torch.stack(found).sum(0)).clamp(min=0))
    if len(found) != count:
        raise PellucidError(
            f"{count} styles have {count} masks, or {count - 1} with the rest for the last; "
            f"not {len(masks)}"
        )
    return list(found)
