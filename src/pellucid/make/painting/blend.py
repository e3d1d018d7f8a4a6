"""Blend: how much of each style, as a text."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError, Unknown

BETWEEN = ";"


def blend(text: str, names: Sequence[str]) -> Float[Tensor, "1 styles"]:
    """The share of each style that a text asks for; together 1.

    Args:
        text: a style's name, or its number from 1, or several with ";" between them and a weight
            behind each: "waves 0.7; mosaic 0.3". Without a weight it is 1.
        names: of the styles, in order.

    Raises:
        Unknown: no such style; the message shows the nearest.
        PellucidError: a weight that is none, or only weights of 0.
    """
    shares = torch.zeros(1, len(names), dtype=torch.float64)
    for part in text.split(BETWEEN):
        number, weight = _read(part.strip(), names, text)
        shares[0, number] += weight
    total = float(shares.sum())
    if not 0 < total < math.inf:
        raise PellucidError(f"the weights of a blend are not all 0 and not beyond count: {text!r}")
    return (shares / total).float()


def told(shares: Float[Tensor, "1 styles"], names: Sequence[str]) -> str:
    """Shares as a caption has them; `blend` reads it back where no share was rounded."""
    found = [(name, share) for name, share in zip(names, shares[0].tolist(), strict=True) if share]
    if len(found) == 1:
        return found[0][0]
    return f"{BETWEEN} ".join(f"{name} {share:.2g}" for name, share in found)


def _read(part: str, names: Sequence[str], text: str) -> tuple[int, float]:
    if not part:
        raise PellucidError(f"several styles have one {BETWEEN!r} between each two: {text!r}")
    name, weight = part, 1.0
    before, gap, last = part.rpartition(" ")
    if part not in names and gap:
        try:
            name, weight = before.strip(), float(last)
        except ValueError:
            name = part
    if not 0 <= weight < math.inf:
        raise PellucidError(f"the weight of a style is 0 or more, not {last}")
    if name in names:
        return names.index(name), weight
    if name.isdecimal():
        if not 1 <= int(name) <= len(names):
            raise PellucidError(f"this stylist has styles 1 to {len(names)}, not {name}")
        return int(name) - 1, weight
    raise Unknown("style", name, names)
