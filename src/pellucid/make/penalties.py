"""Penalties: what is held against a picture, whatever the network; each with a minus sign."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch.nn import functional as F

from pellucid.images import Photo, open_image
from pellucid.make.objective import Bound, Image, Objective, Values, View
from pellucid.make.worded import between, number
from pellucid.network import Network


@dataclass(frozen=True, eq=False)
class Difference(Objective):
    """The mean squared difference to a photo."""

    photo: Photo

    def bind(self, net: Network) -> Bound:
        """Of the photo as the network takes it, at the size of the picture."""
        wanted = net.prepare(self.photo)[0]

        def value(view: View) -> Values:
            images = view.images
            photo = wanted.to(images)
            if photo.shape[2:] != images.shape[2:]:
                size = list(images.shape[2:])
                photo = F.interpolate(photo, size, mode="bilinear", antialias=True)
            return (images - photo).square().flatten(1).mean(1)

        return Bound(frozenset(), value)

    def __str__(self) -> str:
        return f"difference({self.photo.source or self.photo.hash})"


@dataclass(frozen=True)
class Penalty(Objective):
    """Something of the picture itself, whatever the network: held against it by a minus sign."""

    text: str
    of: Callable[[Image], Values]

    def bind(self, net: Network) -> Bound:
        """Its value; the network is not asked."""
        return Bound(frozenset(), lambda view: self.of(view.images))

    def __str__(self) -> str:
        return self.text


def difference(photo: Any) -> Objective:
    """The mean squared difference to a photo, in units of the network's input; mind the sign."""
    return Difference(open_image(photo))


def total_variation(beta: float = 2.0) -> Objective:
    """How much neighbouring pixels differ: the mean of (dx² + dy²)^(beta/2).

    Mahendran & Vedaldi (2015) have the sum; the mean is the same number at every size.
    """
    between("beta of total_variation", beta, 0.1, 10)

    def value(images: Image) -> Values:
        across = images[:, :, :-1, 1:] - images[:, :, :-1, :-1]
        down = images[:, :, 1:, :-1] - images[:, :, :-1, :-1]
        squares = across.square() + down.square()
        if beta < 2:
            squares = squares + 1e-12  # the root has no slope at zero
        return (squares ** (beta / 2)).flatten(1).mean(1)

    return Penalty("total_variation" + (f"({number(beta)})" if beta != 2 else ""), value)


def alpha_norm(alpha: float = 6.0) -> Objective:
    """The mean of |x|^alpha, which keeps pixels from going far (Mahendran & Vedaldi 2015)."""
    between("alpha of alpha_norm", alpha, 1, 20)
    return Penalty(
        "alpha_norm" + (f"({number(alpha)})" if alpha != 6 else ""),
        lambda images: (images.abs() ** alpha).flatten(1).mean(1),
    )


def l2() -> Objective:
    """The mean square of the pixels, in units of the network's input (Simonyan et al. 2014)."""
    return Penalty("l2", lambda images: images.square().flatten(1).mean(1))
