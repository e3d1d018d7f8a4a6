"""A transformer that answers from one token has its last layers computed for that token only."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from incremental import compared, lively, photo, spots
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.see.incremental import answers
from pellucid.see.incremental.capture import capture
from pellucid.see.incremental.graph import Graph
from pellucid.see.incremental.kernels import work
from pellucid.see.incremental.narrow import narrowed

SIZE, WIDE, HEADS, TOKENS = (32, 32), 16, 2, 17
BLOCKS = 2


def unbound(self: Any, x: Tensor) -> Tensor:
    """As timm cuts: what is one behind the other stands in front of the batch."""
    turned = self.cut(x).reshape(len(x), TOKENS, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
    return self.join(F.scaled_dot_product_attention(*turned.unbind(0)))


def picked(self: Any, x: Tensor) -> Tensor:
    turned = self.cut(x).reshape(len(x), TOKENS, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
    return self.join(F.scaled_dot_product_attention(turned[0], turned[1], turned[2]))


def three(self: Any, x: Tensor) -> Tensor:
    """As Hugging Face: a linear layer for each."""
    weights = self.cut.weight.chunk(3)
    parts = [F.linear(x, w).view(len(x), TOKENS, HEADS, -1).transpose(1, 2) for w in weights]
    return self.join(F.scaled_dot_product_attention(*parts))


def by_hand(self: Any, x: Tensor) -> Tensor:
    weights = self.cut.weight.chunk(3)
    q, k, v = (F.linear(x, w).view(len(x), TOKENS, HEADS, -1).transpose(1, 2) for w in weights)
    return self.join((q @ k.mT / 3).softmax(-1) @ v)


def fused(self: Any, x: Tensor) -> Tensor:
    found: Tensor = self.whole(x, x, x, need_weights=False)[0]
    return found


def causal(self: Any, x: Tensor) -> Tensor:
    """What a token may look at depends on its place."""
    q, k, v = self.cut(x).view(len(x), TOKENS, 3, HEADS, -1).permute(2, 0, 3, 1, 4).unbind()
    return self.join(F.scaled_dot_product_attention(q, k, v, is_causal=True))


def masked(self: Any, x: Tensor) -> Tensor:
    """As BEiT: what a token sees of another is moved by a number for the two."""
    q, k, v = self.cut(x).view(len(x), TOKENS, 3, HEADS, -1).permute(2, 0, 3, 1, 4).unbind()
    moved = torch.arange(TOKENS) / TOKENS * torch.ones(TOKENS, 1)
    return self.join(F.scaled_dot_product_attention(q, k, v, attn_mask=moved))


def itself(self: Any, x: Tensor) -> Tensor:
    """The same is asked, and answers."""
    x = x.view(len(x), TOKENS, HEADS, -1).transpose(1, 2)
    return self.join(F.scaled_dot_product_attention(x, x, x))


class Block(nn.Module):
    def __init__(self, attend: Callable[[Any, Tensor], Tensor]) -> None:
        super().__init__()
        self.cut = nn.Linear(WIDE, 3 * WIDE)
        self.out = nn.Linear(WIDE, WIDE)
        self.whole = nn.MultiheadAttention(WIDE, HEADS, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(WIDE, 4 * WIDE), nn.GELU(), nn.Linear(4 * WIDE, WIDE))
        self.norm, self.norm2 = nn.LayerNorm(WIDE), nn.LayerNorm(WIDE)
        self.places = nn.Parameter(torch.empty(1, TOKENS, WIDE))
        self.attend = attend

    def join(self, x: Tensor) -> Tensor:
        found: Tensor = self.out(x.transpose(1, 2).reshape(len(x), TOKENS, WIDE))
        return found

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attend(self, self.norm(x))
        # Constants that differ from token to token.
        return x + self.mlp(self.norm2(x)) * self.places


class Seer(nn.Module):
    """Patches, a class token in front, blocks, and an answer from some of the tokens."""

    def __init__(
        self,
        attend: Callable[[Any, Tensor], Tensor],
        read: Callable[[Tensor], Tensor] = lambda x: x[:, 0],
    ) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDE, 8, 8)
        self.first = nn.Parameter(torch.empty(1, 1, WIDE))
        self.blocks = nn.Sequential(*(Block(attend) for _ in range(BLOCKS)))
        self.norm = nn.LayerNorm(WIDE)
        self.head = nn.Linear(WIDE, 5)
        self.read = read

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.first.expand(len(x), -1, -1), x], 1)
        found: Tensor = self.head(self.read(self.norm(self.blocks(x))))
        return found


def graphs(module: nn.Module) -> tuple[Graph, Graph]:
    inputs = photo(3, SIZE)
    graph, _ = capture(module, torch.cat([inputs] * 2), module)
    return graph, narrowed(graph)


def saved(module: nn.Module) -> int:
    """Multiplications and additions that are left out, in linear layers."""
    before, after = (
        sum(work(node, graph) for node in graph.nodes if node.name == "linear")
        for graph in graphs(module)
    )
    return before - after


# Of one token, in a block: twice the numbers of its weights.
MLP, OUT, QUERY = 2 * 8 * WIDE * WIDE, 2 * WIDE * WIDE, 2 * WIDE * WIDE


@pytest.mark.parametrize(
    ("attend", "each"),
    [
        (unbound, MLP + OUT),
        (picked, MLP + OUT),
        (three, MLP + OUT + QUERY),
        (by_hand, MLP + OUT + QUERY),
        (causal, MLP + OUT),
        (masked, MLP + OUT),
        (itself, MLP + OUT),
    ],
)
def test_behind_and_in_the_last_attention_only_one_token_is_computed(
    attend: Any, each: int, monkeypatch: Any
) -> None:
    # Before the last token lie all others, where places matter.
    module = lively(Seer(attend, lambda x: x[:, -1]))
    assert saved(module) == (TOKENS - 1) * each
    monkeypatch.setattr(answers, "pays", lambda *_: True)
    asked = compared(module, module, photo(3, SIZE), spots(SIZE, 8, 11))
    assert asked.way.startswith("rectangles in 1 of ")


def test_attention_in_one_piece_is_taken_apart(monkeypatch: Any) -> None:
    module = lively(Seer(fused))
    before, after = graphs(module)
    names = [[node.name for node in graph.nodes] for graph in (before, after)]
    assert names[0].count("_native_multi_head_attention") == BLOCKS
    assert names[1].count("_native_multi_head_attention") == BLOCKS - 1
    last = [node for node in after.nodes if node.name == "linear"][-7:]  # the head is one of them
    widths = [after.shapes[node.outs[0]][1:-1] for node in last]
    assert widths == [(1,), (TOKENS,), (TOKENS,), (1,), (1,), (1,), ()]
    monkeypatch.setattr(answers, "pays", lambda *_: True)
    asked = compared(module, module, photo(3, SIZE), spots(SIZE, 8, 11))
    assert asked.way.startswith("rectangles in 1 of ")


@pytest.mark.parametrize("place", [-1, 0, 5])
def test_any_token_may_be_the_one(place: int, monkeypatch: Any) -> None:
    module = lively(Seer(unbound, lambda x: x[:, place]))
    assert saved(module) == (TOKENS - 1) * (MLP + OUT)
    monkeypatch.setattr(answers, "pays", lambda *_: True)
    asked = compared(module, module, photo(3, SIZE), spots(SIZE, 8, 11))
    assert asked.way.startswith("rectangles in 1 of ")


@pytest.mark.parametrize(
    "read",
    [lambda x: x.mean(1), lambda x: x[:, 0] + x[:, 1], lambda x: x[:, 0] + x.amax(1)],
    ids=["mean", "two", "all"],
)
def test_where_more_are_asked_for_all_are_computed(read: Any, monkeypatch: Any) -> None:
    module = lively(Seer(unbound, read))
    assert saved(module) == 0
    monkeypatch.setattr(answers, "pays", lambda *_: True)
    compared(module, module, photo(3, SIZE), spots(SIZE, 8, 11))


def test_it_is_done_where_the_masks_are_many() -> None:
    module = lively(Seer(three))
    few = compared(module, module, photo(3, SIZE), spots(SIZE, 8, 11))
    assert few.way == "plain batches: attention at blocks.0"
    many = compared(module, module, photo(3, SIZE), np.tile(spots(SIZE, 8, 11), (8, 1)))
    assert many.way.endswith("x fewer operations; whole from the attention at blocks.0")
