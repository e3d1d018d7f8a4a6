"""Regions: a photo cut up, so that each pixel of the input belongs to one of them."""

from typing import Annotated, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.option import Help
from pellucid.preprocess import Preprocess

# How much nearness counts beside likeness, of colours 0 to 100, as L*a*b* has them. At twice
# skimage's usual value regions are rounder, and nearly as many as asked for.
COMPACTNESS = 20
Many = Annotated[int, Help("about how many regions the photo is cut into", low=1, high=10_000)]
Cut = Annotated[
    Literal["superpixels", "squares"],
    Help("the regions: superpixels follow the colours, squares follow nothing"),
]


def cut_up(
    preprocess: Preprocess, image: Float[Tensor, "channels height width"], many: int, cut: str
) -> Int[Tensor, "height width"]:
    """The number of its region for each pixel of a network's input, from 0 on, on the processor.

    Superpixels are those of SLIC (Achanta et al. 2012), of the colours as the network sees them.

    Args:
        many: about how many; with as many as pixels, or more, each pixel is one.
    """
    height, width = image.shape[1:]
    if many >= height * width:
        return torch.arange(height * width).reshape(height, width)
    if cut == "squares":
        rows = min(height, max(1, round((many * height / width) ** 0.5)))
        columns = min(width, max(1, round(many / rows)))
        down, across = torch.arange(height) * rows // height, torch.arange(width) * columns // width
        squares: Tensor = down[:, None] * columns + across
        return squares
    from skimage.segmentation import slic

    colours = preprocess.denormalise(image.float()).clamp(0, 1).movedim(0, -1).cpu().numpy()
    compact = COMPACTNESS if image.shape[0] == 3 else COMPACTNESS / 100
    for more in (1, 4, 16, 64):  # in noise likeness leads nowhere, and all becomes one region
        found = slic(colours, many, compactness=more * compact, channel_axis=-1, start_label=0)
        if 2 * len(np.unique(found)) >= many:
            break
    # Without gaps in the numbers.
    numbers = np.unique(found, return_inverse=True)[1].reshape(height, width)
    return torch.from_numpy(numbers).long()
