"""Losses: how far a painted picture is from its photo, and from its style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.make.gram import gram
from pellucid.make.natural import colours
from pellucid.make.runner import Runner
from pellucid.network import Network

TINY = 1e-12
GREY = 0.299, 0.587, 0.114  # as a network of one channel is shown photos
COLOUR = "colour"  # the picture itself as a layer, before any network
Image = Float[Tensor, "batch 3 height width"]
Values = Float[Tensor, "batch"]


class Terms(NamedTuple):
    """The losses of each picture, in units that mean the same for every style and network.

    Attributes:
        content: 0 the photo's features, 1 those of any other photo.
        style: 0 the style's Gram matrices, 1 those of a photo as it is; mean over the layers.
        colour: the same of the colours themselves, without any network.
        rough: the total variation, 1 that of the style itself.
    """

    content: Values
    style: Values
    colour: Values
    rough: Values


class Losses:
    """Feature reconstruction and Gram matching on any network (Johnson et al. 2016).

    Each layer's distance is divided by what it is for photos as they are; so no layer and no style
    weighs more than another, whatever the size of its numbers.

    Args:
        net: the loss network.
        styles: each (3, height, width), 0 to 1.
        content, style: names of layers.
        photos: examples of photos, at least two, to measure what is usual.
    """

    def __init__(
        self,
        net: Network,
        styles: Sequence[Tensor],
        content: Sequence[str],
        style: Sequence[str],
        photos: Image,
    ) -> None:
        self.net, self.content, self.style = net, tuple(content), (*style, COLOUR)
        size = photos.shape[2], photos.shape[3]
        self.runner = Runner(net, frozenset([*content, *style]), size)
        self.keeper = Runner(net, frozenset(content), size)
        with torch.no_grad():
            seen = self._seen(photos)
            self.usual = {
                layer: (seen[layer] - seen[layer].roll(1, 0)).square().mean() + TINY
                for layer in self.content
            }
            grams: dict[str, list[Tensor]] = {layer: [] for layer in self.style}
            for picture in styles:
                for layer, maps in self._seen(picture[None].to(photos)).items():
                    if layer in grams:
                        grams[layer].append(gram(maps)[0])
            self.wanted = {layer: torch.stack(found) for layer, found in grams.items()}
            self.far = {
                layer: torch.stack([
                    (gram(seen[layer]) - one).square().sum((1, 2)).mean() + TINY for one in wanted
                ])
                for layer, wanted in self.wanted.items()
            }  # fmt: skip
            self.roughness = torch.stack([variation(one[None].to(photos))[0] for one in styles])

    def features(self, photos: Image) -> dict[str, Tensor]:
        """What is to be kept of photos."""
        with torch.no_grad():
            return self._maps(self.keeper, photos)

    def __call__(
        self, pictures: Image, before: Mapping[str, Tensor], which: Int[Tensor, "batch"]
    ) -> Terms:
        """The losses of pictures.

        Args:
            before: the `features` of the photos that they were painted of.
            which: the number of the style of each.
        """
        seen = self._seen(pictures)
        content = [
            (seen[layer] - before[layer]).square().mean((1, 2, 3)) / self.usual[layer]
            for layer in self.content
        ]
        style = [
            (gram(seen[layer]) - self.wanted[layer][which]).square().sum((1, 2))
            / self.far[layer][which]
            for layer in self.style
        ]
        rough = variation(pictures) / self.roughness[which]
        *layers, colour = style
        return Terms(torch.stack(content).mean(0), torch.stack(layers).mean(0), colour, rough)

    def _seen(self, images: Image) -> dict[str, Tensor]:
        return self._maps(self.runner, images) | {COLOUR: coloured(images)}

    def _maps(self, runner: Runner, images: Image) -> dict[str, Tensor]:
        images = images.to(self.net.dtype)
        if self.net.preprocess.channels == 1:
            images = (images * images.new_tensor(GREY).view(3, 1, 1)).sum(1, keepdim=True)
        seen = runner(self.net.preprocess.normalise(images))
        layers = self.net.layers
        return {layer: layers[layer].layout.maps(maps).float() for layer, maps in seen.items()}


def variation(images: Image) -> Values:
    """Mean squared difference of neighbours, plus a little against division by nothing."""
    down, right = images.diff(dim=2), images.diff(dim=3)
    return down.square().mean((1, 2, 3)) + right.square().mean((1, 2, 3)) + 1e-6


def coloured(images: Image) -> Float[Tensor, "batch 4 height width"]:
    """The colours in the axes of those of photos, each of variance 1 there, and a constant.

    So a tint counts as much as light and dark, and the Gram matrix holds the means as well.
    """
    images = images.float()
    mean, root = colours()
    flat = torch.linalg.solve(root.to(images), (images - mean.to(images)[:, None, None]).flatten(2))
    return torch.cat([flat.reshape(images.shape), torch.ones_like(images[:, :1])], 1)
