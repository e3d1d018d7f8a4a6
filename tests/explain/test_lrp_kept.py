"""Relevance is kept: what functions, gates and attention hand on adds up to the score."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from unbiased import MIDDLES, Net
from zennit.attribution import Gradient
from zennit.composites import EpsilonPlusFlat

import pellucid as pl

# Where negative weights alone lead to a number, z+ has nothing to share its relevance out by.
STARVED = {"enlarged", *(kind for kind in MIDDLES if kind.startswith("attention"))}
CASES = [(kind, "epsilon_gamma_box") for kind in MIDDLES] + [
    (kind, "epsilon_plus_flat") for kind in MIDDLES if kind not in STARVED
]


@pytest.mark.parametrize(("kind", "composite"), CASES)
def test_nothing_is_lost_without_biases(kind: str, composite: Any) -> None:
    torch.manual_seed(3)
    module = Net(MIDDLES[kind]).double().eval()
    net = pl.Network(module, size=12)
    photo = torch.rand(3, 12, 12)
    made = pl.lrp(net, photo, target=2, composite=composite)
    score = float(net.scores(net.prepare(pl.open_image(photo))[0])[0, 2].detach())
    assert made.facts["score"] == pytest.approx(score, rel=1e-5)
    assert made.facts["arrived"] == pytest.approx(float(made.values.sum()), rel=1e-4)
    assert made.facts["arrived"] == pytest.approx(score, rel=2e-3)


@pytest.mark.parametrize("end", [torch.softmax, torch.log_softmax, F.softmin])
def test_an_answer_of_shares_is_explained(end: Callable[..., Tensor]) -> None:
    torch.manual_seed(0)
    body = Net(MIDDLES["residual"]).double().eval()

    class Shares(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = body

        def forward(self, x: Tensor) -> Tensor:
            return end(self.body(x), 1)

    made = pl.lrp(pl.Network(Shares(), size=12), torch.rand(3, 12, 12), target=2)
    assert made.facts["arrived"] == pytest.approx(made.facts["score"], rel=1e-3)


def gated(gate: Callable[[Any, Tensor], Tensor]) -> Tensor:
    torch.manual_seed(1)
    net = pl.Network(Net(gate).double().eval(), size=12)
    return pl.lrp(net, "photo:cat", target=2).values


def test_all_spellings_of_a_gate_are_the_same() -> None:
    unit = gated(lambda net, x: F.glu(torch.cat([x, x.flip(3)], 1), 1))
    assert bool(unit.any())
    by_hand = gated(lambda net, x: x * torch.sigmoid(x.flip(3)))
    torch.testing.assert_close(by_hand, unit)
    turned = gated(lambda net, x: x * (1 - torch.sigmoid(-x.flip(3))))
    torch.testing.assert_close(turned, unit)


def test_what_is_lost_on_one_of_two_ways_is_told() -> None:
    class Sorted(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            means = x.mean((2, 3))
            return means + torch.bucketize(means, torch.linspace(-1, 1, 9)).float()

    found = pl.lrp(pl.Network(Sorted(), size=8), torch.rand(3, 8, 8), target=1)
    assert found.caption.endswith("hold the rest; some was lost at bucketize at forward")


def test_additions_that_are_functions_are_seen() -> None:
    """Zennit without a canonizer hands both branches all."""
    torch.manual_seed(0)
    net = pl.Network(Net(MIDDLES["residual"]).double().eval(), size=12)
    made = pl.lrp(net, torch.rand(3, 12, 12), target=2, composite="epsilon_plus_flat")
    assert made.facts["arrived"] == pytest.approx(made.facts["score"], rel=1e-3)
    with Gradient(net.module, EpsilonPlusFlat()) as gradient:
        inputs = net.prepare(pl.open_image(torch.rand(3, 12, 12)))[0]
        out, theirs = gradient(inputs, lambda out: out * torch.eye(8)[[2]].to(out))
    assert abs(float((theirs.sum() / out[0, 2]).detach()) - 1) > 0.05


def test_attention_is_in_one_piece_again_afterwards() -> None:
    net = pl.Network(Net(MIDDLES["attention"]).eval(), size=12)
    assert torch.backends.mha.get_fastpath_enabled()
    pl.lrp(net, torch.rand(3, 12, 12), target=0)
    assert torch.backends.mha.get_fastpath_enabled()
