"""The difference is kept: whatever lies on the way, the map adds up to it."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from unbiased import MIDDLES, Net

import pellucid as pl

Middle = Callable[[Any, Tensor], Tensor]


def attended_masked(net: Any, x: Tensor) -> Tensor:
    mask = torch.ones(12, 12, dtype=torch.bool).tril(-1)  # of the first row nothing is left
    return F.scaled_dot_product_attention(net.second(x), net.third(x), x, attn_mask=mask)


def of_hands(net: Any, x: Tensor) -> Tensor:
    """Rectifiers and gates of comparisons, as some write them."""
    first, second = net.second(x), net.third(x)
    some = torch.where(first > second, first, 0.5) + first.masked_fill(second < 0, 0.25)
    return some + second * (second > 0.01).long()


MORE: dict[str, Middle] = {
    "lengths": lambda net, x: F.normalize(x, dim=1),
    "deviation": lambda net, x: x / (x.std((2, 3), keepdim=True) + 1e-5),
    "greater": lambda net, x: torch.maximum(net.second(x), x) - torch.minimum(x, net.third(x)),
    "groups": lambda net, x: F.group_norm(net.second(x), 4),
    "instance": lambda net, x: F.instance_norm(net.second(x)) * x,
    "layer": lambda net, x: F.layer_norm(net.second(x), (12,)) * x,
    "batch": lambda net, x: F.batch_norm(net.second(x), None, None, training=True) * x,
    "size": lambda net, x: F.rms_norm(net.second(x), (12,)),
    "neighbours": lambda net, x: F.local_response_norm(net.second(x), 3),
    "least": lambda net, x: net.second(x) - net.third(x).amin((2, 3), keepdim=True),
    "overlapping": lambda net, x: F.max_pool2d(net.second(x), 3, 2, 1),
    "uneven": lambda net, x: F.adaptive_max_pool2d(net.second(x), 5),
    "index": lambda net, x: net.second(x).max(1)[0][:, None].expand(-1, 8, -1, -1),
    "shares of channels": lambda net, x: net.second(x).softmax(1) + net.third(x).log_softmax(1),
    "hard swish": lambda net, x: F.hardswish(net.second(x)) + F.silu(net.third(x)),
    "steps": lambda net, x: (10 * net.second(x)).round(),
    "by hand": of_hands,
    "masked attention": attended_masked,
    "causal": lambda net, x: F.scaled_dot_product_attention(
        net.second(x), net.third(x), x, is_causal=True
    ),
    "power": lambda net, x: (x + 1) ** net.gate(x),
    "frequencies": lambda net, x: torch.fft.irfft2(torch.fft.rfft2(x) * 2, s=(12, 12)),
    "chain": lambda net, x: net.second(x).cumprod(1),
    "between": lambda net, x: torch.lerp(net.second(x), x, net.gate(x)),
    "divided": lambda net, x: x / (net.second(x) + 0.05),
}  # fmt: skip
CASES = {**MIDDLES, **MORE}


def lifted(middle: Middle, **settings: Any) -> pl.Heatmap:
    torch.manual_seed(3)
    net = pl.Network(Net(middle).double().eval(), size=12)
    return pl.deeplift(net, torch.rand(3, 12, 12), target=2, **settings)


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("baseline", ["black", "noise"])
def test_nothing_is_lost(kind: str, baseline: str) -> None:
    made = lifted(CASES[kind], baseline=baseline)
    whole = made.facts["difference"]
    assert abs(whole) > 1e-9
    most = 1e-6 if kind == "mask of numbers" else 1e-8  # which jumps within a tiny step
    assert abs(made.facts["completeness_error"]) < most * abs(whole) + 1e-12
    assert "lost" not in made.caption


def shares(a: Tensor, b: Tensor) -> Tensor:
    """What is subtracted from itself has no difference, but its parts have."""
    return torch.stack([a - b, a * 0 + b], 1).log_softmax(1)[:, 0]


E, LONG = math.e, math.sqrt(1.1**2 + 0.001**2) - 0.9
# Of a = b = 1 against 0, what each has, counted by hand.
BY_HAND: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], float, float]] = {
    "product": (lambda a, b: (a + 1) * (b + 2), 2.5, 1.5),
    "quotient": (lambda a, b: (a + 1) / (b + 1), 2 / 3, -2 / 3),
    "divisor of both signs": (lambda a, b: (2 * a + 1) / (4 * b - 2), 0.0, 2.0),
    "mask": (lambda a, b: a * (b > 0.5), 0.5, 0.5),
    "choice": (lambda a, b: torch.where(b > 0.5, a, 3.0), 0.5, -2.5),
    "greatest": (lambda a, b: torch.stack([3 * a, 2 - b], 1).amax(1), 1.0, 0.0),
    "least": (lambda a, b: torch.stack([2 - a, 3 * b], 1).amin(1), 0.0, 1.0),
    "greater": (lambda a, b: torch.maximum(a, 2 * b), 0.0, 2.0),
    "length": (
        lambda a, b: torch.stack([2 * a - 0.9, 0.001 * b], 1).norm(dim=1),
        LONG * 0.4 / 0.400001,
        LONG * 1e-6 / 0.400001,
    ),
    "no difference": (
        shares,
        1 - math.log((1 + E) / 2) / (E - 1),
        -1 + math.log((1 + E) / 2) / (E - 1) - math.log((1 + E) / 2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BY_HAND)
def test_two_numbers_have_what_was_counted_by_hand(kind: str) -> None:
    function, *wanted = BY_HAND[kind]

    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.Parameter(torch.ones(1, dtype=torch.double))

        def forward(self, x: Tensor) -> Tensor:
            return function(x[:, 0, 0, 0], x[:, 1, 0, 0])[:, None] * self.one

    net = pl.Network(Two(), size=(1, 1), mean=[0.0] * 3, std=[1.0] * 3)
    made = pl.deeplift(net, torch.ones(3, 1, 1), target="0", reduce="colour")
    found = made.values.flatten().tolist()
    assert found == pytest.approx([*wanted, 0.0], rel=1e-5, abs=1e-7)


def test_a_norm_of_nothing_makes_nothing_huge() -> None:
    """On a baseline of all the same the deviation is next to nothing, and its inverse is huge."""

    class Normed(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            for _ in range(6):
                x = F.layer_norm(x, (12,)) + x.flip(2)
            return x[:, :, 0, :3].mean(1)

    torch.manual_seed(0)
    net = pl.Network(Normed(), size=12)
    made = pl.deeplift(net, torch.rand(3, 12, 12), target=1, baseline="zero")
    assert abs(made.facts["completeness_error"]) < 1e-4 * abs(made.facts["difference"])
    assert float(made.values.abs().max()) < 100 * abs(made.facts["difference"])


def test_all_spellings_of_attention_are_the_same() -> None:
    fused = lifted(MIDDLES["attention, fused"]).values
    assert bool(fused.any())
    torch.testing.assert_close(lifted(MIDDLES["attention, by hand"]).values, fused)


def test_what_is_lost_is_told() -> None:
    class Sorted(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            means = x.mean((2, 3))
            return means + torch.bucketize(means, torch.linspace(-1, 1, 9)).float()

    found = pl.deeplift(pl.Network(Sorted(), size=8), torch.rand(3, 8, 8), target=1)
    whole, error = found.facts["difference"], found.facts["completeness_error"]
    assert abs(error) > 0.5 * abs(whole)
    assert (
        f"the map adds up to {whole + error:.4g}; {-error:.3g} got lost at bucketize"
        in found.caption
    )


def test_what_is_taken_by_an_index_that_depends_on_the_photo_is_told() -> None:
    def picked(net: Any, x: Tensor) -> Tensor:
        return x.gather(1, net.third(x).argmax(1, keepdim=True).expand(-1, 8, -1, -1))

    assert "got lost at gather" in lifted(picked, baseline="noise").caption
