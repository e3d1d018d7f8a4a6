"""Blend: a photo and its styles, and how a picture of any size is held against both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import PellucidError
from pellucid.make.canvas import Image
from pellucid.make.mosaic import Mosaic, Window
from pellucid.make.octaves import resized
from pellucid.make.strata import PIXELS
from pellucid.make.synthesis import Look, continued
from pellucid.make.terms import GramTerm, NearTerm, SmoothTerm, Term, fitted
from pellucid.make.tiling import Part
from pellucid.make.weave import grams, room, roomy
from pellucid.network import Network

LEAST = 0.05  # of the photo's own Gram error, by which a style's is measured
ODDS = 0.2  # what the photo weighs in the middle, where the style weighs 1; see `shares`


@dataclass(frozen=True)
class Manner:
    """One style.

    Attributes:
        image: normalised, as large as it is shown where the whole picture is full size.
        weight: among the styles.
        mask: where in the picture it holds, 0 to 1; None: everywhere.
    """

    image: Image
    weight: float
    mask: Float[Tensor, "rows columns"] | None = None


Found = tuple[Mosaic, list[GramTerm | NearTerm], Window, int]


class Blend:
    """What a stylised picture is held against, at every size.

    The error of a Gram matrix is a share of what it is for the photo itself, that of the content a
    share of the photo's own variety: so that both are about 1 at their worst on any network.

    Args:
        content: the photo, normalised, at full size.
        styles: at least one.
        weights: of the style layers.
        near: the content layer.
        strength: 0 the photo, 1 the style alone.
        smooth: weight of the total variation.
        tile: see `Mosaic`.
    """

    def __init__(
        self,
        net: Network,
        content: Image,
        styles: Sequence[Manner],
        weights: dict[str, float],
        near: dict[str, float],
        *,
        strength: float = 0.5,
        smooth: float = 0.0,
        tile: int | None = None,
    ) -> None:
        self.net, self.content, self.styles = net, content, styles
        self.weights, self.near = weights, near
        self.strength, self.smooth, self.tile = strength, smooth, tile
        self.size = content.shape[2], content.shape[3]
        self.known: dict[tuple[int, int], Found] = {}

    def at(self, strength: float) -> Blend:
        """The same of another strength; what was found out for this one is used again."""
        other = Blend(
            self.net, self.content, self.styles, self.weights, self.near, strength=strength,
            smooth=self.smooth, tile=self.tile,
        )  # fmt: skip
        other.known = self.known
        return other

    def look(self, size: tuple[int, int]) -> Look:
        """How a picture of a size is held against photo and styles."""
        if size not in self.known:
            self.known[size] = self._found(size)
        mosaic, terms, window, rim = self.known[size]
        near, style = shares(self.strength)
        kept: list[Term] = []
        for term in terms:
            share = near if isinstance(term, NearTerm) else style
            if share:
                kept.append(replace(term, weight=share * term.weight))
        if self.smooth and style:  # without style there is the photo, sharp as it is
            kept.append(SmoothTerm(PIXELS, self.smooth))
        return Look(mosaic, kept, window, rim)

    def errors(self, images: Image) -> dict[str, Any]:
        """How far a picture is from style and photo, whatever these weigh, and on each layer.

        The style's is a share of what it is for the photo, the content's one of its variety.
        """
        size = images.shape[2], images.shape[3]
        mosaic, terms, window, rim = self.known[size]
        shown = continued(images.to(self.net.dtype), rim, "mirror")
        losses = mosaic.losses(shown, terms, window)
        found: dict[str, Any] = {"style": 0.0, "content": 0.0, "layers": {}}
        for term, loss in zip(terms, losses, strict=True):
            found["content" if isinstance(term, NearTerm) else "style"] += term.weight * loss
            found["layers"][term.name] = loss
        return found

    def _found(self, size: tuple[int, int]) -> Found:
        scale = (size[0] * size[1] / (self.size[0] * self.size[1])) ** 0.5
        photo = resized(self.content, size).to(self.net.dtype)
        layers = list(dict.fromkeys([*self.weights, *self.near]))
        if self.smooth:
            layers = list(dict.fromkeys([*layers, PIXELS]))
        rim = room(self.net, frozenset(layers) - {PIXELS}, size)
        window = (Part(rim, rim + size[0], 0), Part(rim, rim + size[1], 0)) if rim else None
        shown = size[0] + 2 * rim, size[1] + 2 * rim
        photo = continued(photo, rim, "mirror")
        mosaic = Mosaic(self.net, layers, shown, tile=self.tile)
        style_terms = self._styles(size, scale, mosaic, window)
        # As far as the photo itself is from the style, on each layer: that is what 1 means.
        losses = mosaic.losses(photo, style_terms, window)
        terms: list[GramTerm | NearTerm] = [
            replace(term, weight=term.weight / max(loss, LEAST))
            for term, loss in zip(style_terms, losses, strict=True)
        ]
        terms += [
            NearTerm(name, mosaic.maps(photo, name, window)[0], weight, f"content {name}")
            for name, weight in self.near.items()
        ]
        return mosaic, terms, window, rim

    def _styles(
        self, size: tuple[int, int], scale: float, mosaic: Mosaic, window: Window
    ) -> list[GramTerm]:
        """For each region and layer the Gram matrix that is wanted there."""
        whole = sum(style.weight for style in self.styles)
        found = [self._grams(style, scale) for style in self.styles]
        masks = self._masks(size)
        terms = []
        if masks is None:
            for name, weight in self.weights.items():
                pairs = zip(self.styles, found, strict=True)
                mixed = torch.stack([style.weight / whole * one[name] for style, one in pairs])
                told = f"style {name}"
                terms.append(GramTerm(name, mixed.sum(0), weight, None, told))
            return terms
        for number, (style, one, mask) in enumerate(zip(self.styles, found, masks, strict=True)):
            share = float(mask.mean()) * style.weight
            if share <= 0:
                continue
            for name, weight in self.weights.items():
                here = fitted(mask, mosaic.grid(name, window))
                told = f"style {number + 1} {name}"
                terms.append(GramTerm(name, one[name], weight * share, here, told))
        return terms

    def _grams(self, style: Manner, scale: float) -> dict[str, Tensor]:
        tall, wide = (max(8, round(side * scale)) for side in style.image.shape[2:])
        image = roomy(
            self.net, resized(style.image, (tall, wide)), frozenset(self.weights) - {PIXELS}
        )
        size = image.shape[2], image.shape[3]
        mosaic = Mosaic(self.net, list(self.weights), size, tile=self.tile)
        return grams(mosaic, image.to(self.net.dtype))

    def _masks(self, size: tuple[int, int]) -> list[Float[Tensor, "h w"]] | None:
        given = [style.mask for style in self.styles]
        if all(mask is None for mask in given):
            return None
        found = [
            torch.ones(size)
            if mask is None
            else F.interpolate(mask[None, None], size, mode="bilinear", antialias=True)[0, 0]
            for mask in given
        ]
        if float(sum(mask.sum() for mask in found)) <= 0:
            raise PellucidError("the masks are black everywhere: nothing would be in any style")
        return found


def shares(strength: float) -> tuple[float, float]:
    """The weights of content and style.

    At 0 and 1 one of them alone; between them the odds go through all sizes: at 0.9 the style
    weighs 81 times as much as in the middle.
    """
    style, near = strength**2, (1 - strength) ** 2
    return ODDS * near, style
