"""Networks thrown together at random: what rectangles give is what the network gives.

Sound operations in senseless orders, joined crosswise; to be the same in double precision.
"""

import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from incremental import lively
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.see.incremental import answers
from pellucid.see.incremental.answers import Answers

SIZE, MASKS, MOST = (26, 30), 12, 300_000
NETWORKS = range(150)
Operation = Callable[[Tensor], Tensor]


def layers(draw: random.Random, channels: int) -> nn.Module:
    """One with weights."""
    across = draw.choice([(1, 1), (3, 3), (2, 3), (5, 4)])
    pads = draw.choice([(0, 0), (1, 1), (2, 0), (1, 3)])
    return draw.choice(
        [
            nn.Conv2d(channels, 6, across, draw.choice([1, 2, 3]), pads, draw.choice([1, 1, 2])),
            nn.Conv2d(channels, channels, 3, draw.choice([1, 2]), 1, groups=channels),
            nn.Conv2d(channels, 4, 3, padding=1, padding_mode=draw.choice(["reflect", "circular"])),
            nn.ConvTranspose2d(channels, 4, 3, 2, 1),
            nn.BatchNorm2d(channels),
            nn.GroupNorm(1, channels),
            nn.PReLU(channels),
        ]
    )


def functions(draw: random.Random) -> Operation:
    """One without."""
    some = draw.randint(0, 2)
    operations: list[Operation] = [
        F.relu,
        lambda x: F.relu_(x * 1.0),
        draw.choice([F.gelu, F.silu, F.hardswish, torch.tanh, F.leaky_relu]),
        lambda x: F.max_pool2d(x, 3, draw.choice([2]), some % 2, ceil_mode=bool(some)),
        lambda x: F.max_pool2d(x, 2, 1, 1, 2),
        lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=bool(some)),
        lambda x: F.adaptive_avg_pool2d(x, (2, 1 + some)),
        lambda x: F.pad(x, [some, 1, 0, some], value=1.5),
        lambda x: F.interpolate(x, scale_factor=2.0, mode=("nearest", "bilinear")[some % 2]),
        lambda x: torch.cat([*x.chunk(2, 1)[::-1], x[:, :1]], 1),
        lambda x: x[:, ::2],
        lambda x: x[:, :, some:-1, 1:],
        lambda x: torch.roll(x, 2, 1 + some),
        lambda x: x.flip(1 + some),
        lambda x: x * x.mean((2, 3), keepdim=True).sigmoid(),
        lambda x: x + x.mean(1, keepdim=True),
        lambda x: torch.cat([x.amax(1, keepdim=True), x.sum(1, keepdim=True)], 1),
        lambda x: x.permute(0, 2, 3, 1).softmax(-1).permute(0, 3, 1, 2),
        lambda x: x * torch.linspace(0.5, 2, x.shape[1]).view(-1, 1, 1),
        lambda x: x * torch.linspace(0.5, 2, x.shape[3]),
        lambda x: F.pixel_unshuffle(x, 2)[:, :8],
        lambda x: x * x.tanh(),
        lambda x: x.cumsum(3) / 9,
    ]
    return draw.choice(operations)


ENDS: list[Operation] = [
    lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1),
    lambda x: x.amax((2, 3)),
    lambda x: x.mean(3).sum(2),
    lambda x: x.flatten(1)[:, ::7],
]


class Thrown(nn.Module):
    """Steps, each from one or two of the values before."""

    def __init__(self, draw: random.Random) -> None:
        super().__init__()
        self.parts = nn.ModuleList()
        self.steps: list[tuple[Any, list[int]]] = []
        known = [torch.zeros(2, 3, *SIZE)]
        for _ in range(draw.randint(4, 30)):
            place = draw.choice([len(known) - 1, draw.randrange(len(known))])
            step, read = self.drawn(draw, known, place)
            try:
                made = step(*(known[number] for number in read))
            except (RuntimeError, ValueError):  # it does not fit there
                continue
            if min(made.shape) > 0 and made.numel() < MOST:
                self.steps.append((step, read))
                known.append(made.detach())
        self.parts.extend(step for step, _ in self.steps if isinstance(step, nn.Module))
        self.end = draw.choice(ENDS)

    def drawn(self, draw: random.Random, known: list[Tensor], place: int) -> Any:
        alike = [n for n, one in enumerate(known) if one.shape[2:] == known[place].shape[2:]]
        other = draw.choice(alike)
        if draw.random() < 0.3 and other != place:
            same = known[other].shape == known[place].shape
            return (torch.add if same else lambda a, b: torch.cat([a, b], 1)), [place, other]
        layer = draw.random() < 0.5
        return layers(draw, known[place].shape[1]) if layer else functions(draw), [place]

    def forward(self, x: Tensor) -> Tensor:
        known = [x]
        for step, read in self.steps:
            known.append(step(*(known[number] for number in read)))
        return self.end(known[-1])


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    torch.set_default_dtype(torch.double)
    yield
    torch.set_default_dtype(torch.float)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("seed", NETWORKS)
def test_rectangles_give_what_the_network_gives(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(seed)
    module = lively(Thrown(draw)).eval()
    one = draw.random() < 0.5

    def values(inputs: Tensor) -> Tensor:
        found: Tensor = module(inputs)
        return found[:, found.shape[1] // 2, None] if one else found

    monkeypatch.setattr(answers, "pays", lambda *_: True)
    monkeypatch.setattr(answers, "FEW", 0)
    chance = torch.Generator().manual_seed(seed)
    inputs, cover = torch.randn(2, 1, 3, *SIZE, generator=chance)
    corners = [(draw.randrange(SIZE[0]), draw.randrange(SIZE[1])) for _ in range(MASKS)]
    boxes = np.array(
        [
            (top, min(top + draw.randint(1, 12), SIZE[0]), left, min(left + 5, SIZE[1]))
            for top, left in corners
        ]
    )
    asked = Answers(values, inputs, cover, module, draw.choice([1, 3, 5]))
    rows = list(asked.under(boxes))
    assert asked.way.startswith("rectangles in "), asked.refused
    assert sorted(np.concatenate([some for some, _ in rows]).tolist()) == list(range(MASKS))
    for some, found in rows:
        with torch.inference_mode():
            wanted = torch.cat([values(asked.masked(boxes[[mask]])) for mask in some])
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-9 * float(wanted.abs().max()))
