"""Tones: how a stylised picture keeps the colours of its photo."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

Colours = Float[Tensor, "3 height width"]
LUMA = 0.299, 0.587, 0.114
FAINT = 1e-5  # variance of a colour that counts as none


def luminance(image: Colours) -> Float[Tensor, "1 height width"]:
    """How light each pixel is."""
    return (image * torch.tensor(LUMA).to(image).view(3, 1, 1)).sum(0, keepdim=True)


def coloured(light: Float[Tensor, "1 height width"], colours: Colours) -> Colours:
    """A picture of just that luminance, with the colours of another, paler where they do not fit.

    Gatys, Bethge, Hertzmann, Shechtman (2016): luminance only. What is added to the grey has no
    luminance; it is made as small as it has to be for all three to stay between black and white.
    """
    light = light.clamp(0, 1)
    hue = colours - luminance(colours)
    room = torch.where(hue > 0, 1 - light, light)
    share = (room / hue.abs().clamp(min=1e-6)).clamp(max=1).amin(0, keepdim=True)
    return light + share * hue


def relit(
    style: Float[Tensor, "1 height width"], light: Float[Tensor, "1 h w"]
) -> Float[Tensor, "1 height width"]:
    """A style's luminance, with mean and spread of another's."""
    away = (style - style.mean()) * (light.std() / style.std().clamp(min=FAINT))
    return (away + light.mean()).clamp(0, 1)


def recoloured(style: Colours, photo: Float[Tensor, "3 h w"]) -> Colours:
    """A style in the colours of a photo: mean and covariance of its pixels are the photo's.

    Of all linear ways to get there the one that changes the colours least, as far as the style's
    own colours differ enough to tell.
    """
    flat, wanted = style.flatten(1).double(), photo.flatten(1).double()
    mean, target = flat.mean(1, keepdim=True), wanted.mean(1, keepdim=True)
    root = _power(_covariance(flat), 0.5, FAINT)
    inverse = _power(_covariance(flat), -0.5, FAINT)
    turn = inverse @ _power(root @ _covariance(wanted) @ root, 0.5) @ inverse
    return (turn @ (flat - mean) + target).reshape(style.shape).clamp(0, 1).float()


def _covariance(pixels: Float[Tensor, "3 pixels"]) -> Float[Tensor, "3 3"]:
    away = pixels - pixels.mean(1, keepdim=True)
    return away @ away.mT / pixels.shape[1]


def _power(matrix: Float[Tensor, "3 3"], power: float, least: float = 0.0) -> Float[Tensor, "3 3"]:
    values, vectors = torch.linalg.eigh(matrix)
    raised = values.clamp(min=least) ** power
    found: Tensor = vectors @ torch.diag(raised) @ vectors.mT
    return found
