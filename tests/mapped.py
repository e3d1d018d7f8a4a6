"""A map on a photo of random pixels."""

from typing import Any

import torch

import pellucid as pl

RECIPE = pl.Recipe("saliency", {"target": "ünïcode 猫"})


def heatmap(values: torch.Tensor, photo: tuple[int, int], **more: Any) -> pl.Heatmap:
    pixels = torch.rand(3, *photo, generator=torch.Generator().manual_seed(0))
    opened = pl.open_image(pixels)
    frame = pl.Preprocess(size=(32, 32), resize=32).frame(opened.size)
    return pl.Heatmap(values=values, photo=opened, frame=frame, caption="c", recipe=RECIPE, **more)
