"""Colour maps, and numbers made ready for the eye."""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

ColourMap = Callable[[Float[Tensor, "*shape"]], Float[Tensor, "3 *shape"]]
Scale = Literal["range", "positive", "signed", "plain"]

NOTHING = (0.93, 0.93, 0.94)  # where a map has no value


def _through(*anchors: str) -> ColourMap:
    """A colour map that runs evenly through some colours, given as RRGGBB."""
    table = torch.tensor([[int(text[i : i + 2], 16) for i in (0, 2, 4)] for text in anchors]) / 255

    def colours(values: Float[Tensor, "*shape"]) -> Float[Tensor, "3 *shape"]:
        known = values.nan_to_num().float().cpu().clamp(0, 1)
        place = known * (len(table) - 1)
        low = place.floor().long().clamp(max=len(table) - 2)
        share = (place - low)[..., None]
        mixed = table[low] * (1 - share) + table[low + 1] * share
        mixed[values.isnan().cpu()] = torch.tensor(NOTHING)
        return mixed.movedim(-1, 0)

    return colours


# Even in lightness, so that a step in the map is a step for the eye, also printed in grey.
grey = _through("000000", "ffffff")
heat = _through("08051d", "3b0f70", "8c2981", "de4968", "fe9f6d", "fcfdbf")
# Night is nothing: heat for it, the blue of ice against it.
frost = _through(
    "d2f3ff", "6fc3ee", "2a86cc", "14539a", "0e2a5c",
    "08051d", "3b0f70", "8c2981", "de4968", "fe9f6d", "fcfdbf",
)  # fmt: skip
# White is nothing: blue against it, red for it.
signed = _through("0b2f66", "3f7fbf", "bcd7ea", "f7f7f7", "f6c3a8", "d1573f", "6d0a1f")

MAPS: dict[str, ColourMap] = {"grey": grey, "heat": heat, "frost": frost, "signed": signed}


def ranged(
    values: Float[Tensor, "*shape"], scale: Scale = "range", clip: float = 0.0
) -> Float[Tensor, "*shape"]:
    """Numbers as 0 to 1.

    Args:
        values: NaN means "no value" and stays NaN; the infinite is at the ends.
        scale: "range" runs from the least to the greatest; "positive" from 0; "signed" keeps 0 in
            the middle; "plain" leaves 0 to 1 as it is.
        clip: share of the values (0 to 0.5) that may saturate at either end.
    """
    if scale == "plain":
        return values.float().clamp(0, 1)
    known = values[values.isfinite()].double()
    if not known.numel():
        return torch.where(values.isnan(), values.float(), _flat(values, scale))
    low, high = _ends(known, scale, 0.0)
    if clip:
        inner = _ends(known, scale, clip)
        # Of a map that is nearly all zeros the clipped range would be empty.
        low, high = inner if inner[1] > inner[0] else (low, high)
    # A constant is no pattern, whatever the last bit of rounding makes of it.
    if high - low <= 1e-6 * max(abs(low), abs(high)):
        return torch.where(values.isnan(), values.float(), _flat(values, scale))
    return ((values.double() - low) / (high - low)).clamp(0, 1).float()


def _ends(known: Float[Tensor, "numbers"], scale: Scale, clip: float) -> tuple[float, float]:
    """The numbers that are shown darkest and brightest."""
    low, high = float(known.min()), float(known.max())
    if clip:
        # kthvalue has no size limit, quantile has one of 16 million.
        cut = int(clip * (len(known) - 1))
        low = float(known.kthvalue(cut + 1).values)
        high = float(known.kthvalue(len(known) - cut).values)
    if scale == "positive":
        return 0.0, max(0.0, high)
    if scale == "signed":
        high = max(abs(low), abs(high))
        return -high, high
    return low, high


def _flat(values: Float[Tensor, "*shape"], scale: Scale) -> Float[Tensor, "*shape"]:
    """What has no range: nothing, but for the infinite."""
    middle = 0.5 if scale == "signed" else 0.0
    flat = torch.full_like(values, middle, dtype=torch.float32)
    return torch.where(values.isinf(), (values > 0).float(), flat)
