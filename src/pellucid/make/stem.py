"""Stem: a large strided convolution on the image itself, computed in fewer and fuller steps."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

LEAST = 5  # side of a filter; smaller ones gain nothing
MOST_CHANNELS = 4


class Stem(nn.Module):
    """The same numbers as a convolution with stride s, from one with stride 1.

    The image is cut into blocks of s x s pixels, whose colours become the channels of one place;
    the filter, widened with zeros to whole blocks, likewise. On a processor the way back to the
    image then costs half: kernels are made for many channels, not for three.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.stride, self.padding, self.side = conv.stride[0], _padding(conv), conv.kernel_size[0]
        self.wide = -(-self.side // self.stride) * self.stride
        more = self.wide - self.side
        weight = _blocks(F.pad(conv.weight.detach(), (0, more, 0, more)), self.stride)
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.bias = None if conv.bias is None else nn.Parameter(conv.bias.detach(), False)

    def forward(
        self, images: Float[Tensor, "batch colours height width"]
    ) -> Float[Tensor, "batch channels h w"]:
        """As the convolution."""
        edges = [side + 2 * self.padding for side in images.shape[2:]]
        # Just as many pixels as the filter passes over, on its last place too.
        lost = [
            (edge - self.side) // self.stride * self.stride + self.wide - edge for edge in edges
        ]
        first = self.padding
        padded = F.pad(images, (first, first + lost[1], first, first + lost[0]))
        return F.conv2d(_blocks(padded, self.stride), self.weight, self.bias)


def _blocks(
    images: Float[Tensor, "batch colours height width"], side: int
) -> Float[Tensor, "batch channels h w"]:
    """Blocks of pixels as places, channels last: a row of a block is moved as a whole."""
    lines = images.permute(0, 2, 3, 1)
    count, height, width, colours = lines.shape
    high, wide = height // side, width // side
    rows = lines.reshape(count, high, side, wide, side * colours).permute(0, 1, 3, 2, 4)
    return rows.reshape(count, high, wide, side * side * colours).permute(0, 3, 1, 2)


def fits(conv: nn.Conv2d) -> bool:
    """Whether a convolution gains from it, and is of the plain kind that it can stand for."""
    return (
        conv.in_channels <= MOST_CHANNELS
        and conv.groups == 1
        and conv.kernel_size[0] == conv.kernel_size[1] >= LEAST
        and conv.stride[0] == conv.stride[1] > 1
        and conv.stride[0] < conv.kernel_size[0]
        and conv.dilation == (1, 1)
        and conv.padding_mode == "zeros"
        and not isinstance(conv.padding, str)
        and conv.padding[0] == conv.padding[1]
        and conv.weight.device.type == "cpu"
        and type(conv) is nn.Conv2d
    )


def _padding(conv: nn.Conv2d) -> int:
    assert not isinstance(conv.padding, str)
    return conv.padding[0]
