"""Painter: the network that turns a photo into a picture in one pass."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.make.painting.norm import ConditionalNorm
from pellucid.make.painting.strips import convolved, enlarged

STRIDE = 4  # px of the photo for each place of the innermost maps
Maps = Float[Tensor, "batch channels height width"]
Mix = Float[Tensor, "batch styles"]


class Layer(nn.Module):
    """Convolution over a mirrored border, conditional normalisation, and perhaps a ReLU."""

    def __init__(
        self,
        styles: int,
        before: int,
        after: int,
        kernel: int,
        *,
        stride: int = 1,
        twice: bool = False,
        rectified: bool = True,
    ) -> None:
        super().__init__()
        # Without a bias: the normalisation takes away what it would add.
        self.conv = nn.Conv2d(before, after, kernel, bias=False)
        self.stride = stride
        self.norm = ConditionalNorm(styles, after)
        self.twice, self.rectified = twice, rectified

    def forward(self, maps: Maps, mix: Mix) -> Float[Tensor, "batch after h w"]:
        """The next maps."""
        kernels = self.conv.weight
        maps = enlarged(maps, kernels) if self.twice else convolved(maps, kernels, self.stride)
        made: Tensor = self.norm(maps, mix)
        return F.relu(made, inplace=not torch.is_grad_enabled()) if self.rectified else made


class Residual(nn.Module):
    """Two layers, whose result is added to what they were given."""

    def __init__(self, styles: int, channels: int) -> None:
        super().__init__()
        self.first = Layer(styles, channels, channels, 3)
        self.second = Layer(styles, channels, channels, 3, rectified=False)

    def forward(self, maps: Maps, mix: Mix) -> Maps:
        """The maps, changed."""
        changed: Tensor = self.second(self.first(maps, mix), mix)
        return maps + changed


class Painter(nn.Module):
    """Johnson, Alahi, Fei-Fei (2016): down to a quarter, some residual blocks, and up again.

    With the later improvements: instance in place of batch normalisation (Ulyanov et al. 2016),
    conditional on the style, mirrored borders, and enlarging by nearest neighbours before a
    convolution in place of transposed convolutions, which leave a checkerboard (Dumoulin et al.
    2017; Odena et al. 2016).

    Means and variances are those of the whole photo, however large: a part painted alone would come
    out with its own.

    Args:
        styles: how many.
        width: channels of the first layer; those of the innermost are four times as many.
        blocks: residual blocks.

    Shapes: photos (batch, 3, height, width), 0 to 1, and shares of styles (batch, styles), whose
    sums are 1, to pictures of the photos' size, 0 to 1.
    """

    def __init__(self, styles: int, width: int = 16, blocks: int = 5) -> None:
        super().__init__()
        self.styles, self.width = styles, width
        self.first = Layer(styles, 3, width, 9)
        self.down1 = Layer(styles, width, 2 * width, 3, stride=2)
        self.down2 = Layer(styles, 2 * width, 4 * width, 3, stride=2)
        self.blocks = nn.ModuleList(Residual(styles, 4 * width) for _ in range(blocks))
        self.up1 = Layer(styles, 4 * width, 2 * width, 3, twice=True)
        self.up2 = Layer(styles, 2 * width, width, 3, twice=True)
        self.last = Layer(styles, width, 3, 9, rectified=False)

    def forward(
        self, photos: Float[Tensor, "batch 3 height width"], mix: Mix
    ) -> Float[Tensor, "batch 3 height width"]:
        """The photos, painted."""
        height, width = photos.shape[2:]
        # To whole places of the innermost maps; what is added is cut off again.
        maps = F.pad(photos, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate") - 0.5
        maps = self.down2(self.down1(self.first(maps, mix), mix), mix)
        for block in self.blocks:
            maps = block(maps, mix)
        painted: Tensor = self.last(self.up2(self.up1(maps, mix), mix), mix)
        return painted.sigmoid()[:, :, :height, :width]
