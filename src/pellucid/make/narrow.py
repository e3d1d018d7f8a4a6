"""Narrow: a convolution that makes, for each image, only the channel that is read."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class Narrow(nn.Module):
    """One channel of a convolution for each image, in its place among zeros.

    Made for the last convolution before a layer whose channels are drawn: where nothing behind it
    mixes channels, the others' outputs, and the gradients of these, are not needed.

    Attributes:
        channels: which, for each image; those of a batch several times as long come in turns. None:
            all of them.
        fill: in place of zeros, to see whether anything reads the others.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv, self.side = conv, conv.kernel_size[0]
        self.padding = _padding(conv)
        # Taps in reverse: what a pixel gives to its neighbours, not what it takes from them.
        taps = conv.weight.detach().flip(2, 3).flatten(2)
        self.taps = nn.Parameter(taps.contiguous(), requires_grad=False)
        self.channels: Sequence[int] | None = None
        self.fill = 0.0

    def forward(
        self, images: Float[Tensor, "batch inner height width"]
    ) -> Float[Tensor, "batch channels h w"]:
        """As the convolution, in the channels that are wanted."""
        if self.channels is None:
            whole: Tensor = self.conv(images)
            return whole
        count = len(images)
        wanted = torch.tensor(self.channels, device=images.device)
        wanted = wanted.repeat(count // len(wanted))
        pixels = images.permute(0, 2, 3, 1).flatten(1, 2)
        given = torch.bmm(pixels, self.taps[wanted]).mT
        more = 2 * self.padding - self.side + 1
        size = images.shape[2] + more, images.shape[3] + more
        made = F.fold(given, size, self.side, padding=self.side - 1 - self.padding)[:, 0]
        if self.conv.bias is not None:
            made = made + self.conv.bias.detach()[wanted][:, None, None]
        shape = (count, self.conv.out_channels, *size)
        among = torch.full(shape, self.fill, dtype=made.dtype, device=made.device)
        among = among.contiguous(memory_format=torch.channels_last)
        return among.index_put((torch.arange(count, device=images.device), wanted), made)


def fits(conv: nn.Module) -> bool:
    """Whether a convolution is of the plain kind that it can stand for."""
    return (
        type(conv) is nn.Conv2d
        and conv.groups == 1
        and conv.stride == conv.dilation == (1, 1)
        and conv.kernel_size[0] == conv.kernel_size[1]
        and conv.padding_mode == "zeros"
        and not isinstance(conv.padding, str)
        and conv.padding[0] == conv.padding[1] < conv.kernel_size[0]
        and conv.weight.device.type == "cpu"  # elsewhere it was not measured
    )


def _padding(conv: nn.Conv2d) -> int:
    assert not isinstance(conv.padding, str)
    return conv.padding[0]
