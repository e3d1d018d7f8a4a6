"""A planted network: what its answer rests on is known pixel by pixel.

Its photo is dim, mottled grey with a bright dot in the left half and one in the right. "left" is
how well the brightest dot of the left half matches a template, "right" likewise; nothing else in
the photo counts. So the evidence for "left" is the patch under the template at the left dot: all
of it, and nothing but it.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

import pellucid as pl

SIZE = 48
RADIUS = 4  # of the template: 9 x 9 px
DOTS = {"left": (17, 13), "right": (30, 35)}  # row and column of each middle


class Dots(nn.Module):
    """The greatest match of either half, over a threshold that only a dot is above."""

    def __init__(self) -> None:
        super().__init__()
        side = 2 * RADIUS + 1
        self.match = nn.Conv2d(3, 2, side, padding=RADIUS)
        self.relu1 = nn.ReLU()
        self.weigh = nn.Conv2d(2, 1, 1)
        self.relu2 = nn.ReLU()
        self.halves = nn.AdaptiveMaxPool2d((1, 2))
        inside = disc()
        bright = inside / inside.sum() - (1 - inside) / (1 - inside).sum()
        with torch.no_grad():
            # The one looks for bright dots on dark, the other for dark ones: these speak against.
            self.match.weight.copy_(torch.stack([bright, -bright])[:, None].expand(-1, 3, -1, -1))
            self.match.bias.copy_(torch.tensor([-1.5, -1.5]))
            self.weigh.weight.copy_(torch.tensor([2.0, -1.0])[None, :, None, None])
            self.weigh.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu1(self.match(x))
        return self.halves(self.relu2(self.weigh(x))).flatten(1)


def disc() -> Float[Tensor, "side side"]:
    """1 where a dot is bright, within its template."""
    away = torch.arange(-RADIUS, RADIUS + 1)
    return (away[:, None].square() + away.square() <= 8).float()


def network() -> pl.Network:
    """Made by hand; nothing is trained or random."""
    half = [0.5, 0.5, 0.5]
    return pl.Network(Dots(), size=SIZE, mean=half, std=half, labels=list(DOTS), name="planted")


def photo() -> pl.Photo:
    """Mottled grey with the two dots; exactly as large as the network's input."""
    random = torch.Generator().manual_seed(0)
    pixels = 0.2 + 0.15 * torch.rand(3, SIZE, SIZE, generator=random)
    for place in DOTS.values():
        pixels[:, _around(place[0]), _around(place[1])] += 0.6 * disc()
    return pl.open_image(pixels)


def evidence(dot: str) -> Bool[Tensor, "height width"]:
    """The pixels that the score of a dot rests on."""
    mask = torch.zeros(SIZE, SIZE, dtype=torch.bool)
    row, column = DOTS[dot]
    mask[_around(row), _around(column)] = True
    return mask


def share(values: Float[Tensor, "height width"], dot: str) -> float:
    """How much of a map's weight, whatever the sign, lies on the evidence: 1 is all of it."""
    weight = values.abs()
    return float(weight[evidence(dot)].sum() / weight.sum())


def _around(middle: int) -> slice:
    return slice(middle - RADIUS, middle + RADIUS + 1)
