"""Where does a transformer's attention come from, through all of its blocks?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.batches import Batches, fitting
from pellucid.counted import counted
from pellucid.digits import apart
from pellucid.errors import PellucidError
from pellucid.explain.attention import Weights, attending
from pellucid.explain.evidence import MOST_NUMBERS, gathered
from pellucid.heatmap import Heatmap, Heatmaps
from pellucid.layers import Layer
from pellucid.layout import Layout, infer
from pellucid.method import method
from pellucid.network import Network
from pellucid.question import Photos, Question
from pellucid.target import Target

LAST = 8  # layers among which the one is found that the answer is read from


def examples(net: Network) -> list[dict[str, Any]]:
    """One for a transformer, none for a network without attention over the whole photo."""
    devices = [net.device] if net.device.type == "cuda" else []
    try:
        with net.at_rest(), torch.random.fork_rng(devices):
            rolled_out(net, net.blank())
    except PellucidError:
        return []
    return [{}]


@method(examples=examples)
def rollout(net: Network, photo: Photos) -> Heatmap | Heatmaps:
    """How much of each place reaches the answer if every block only passes attention on.

    Attention rollout (Abnar & Zuidema 2020): the weights of each block are averaged over its heads
    and mixed half and half with the identity, which stands for the way around the block; the
    matrices of all blocks are multiplied. Drawn is the row of the token that the answer is read
    from: the class token; the mean of several (class and distillation tokens; all places, where
    the network averages). It is the same for every class, and knows of no values or MLPs.

    Returns:
        Heatmap with `.values` (height, width) on the grid of the patches: shares of 1; what lacks
        lies on class and register tokens. Heatmaps of several photos.

    Raises:
        PellucidError: a network without attention, or whose attention keeps to windows or changes
            its number of tokens.

    Example:
        >>> rollout(load("vit_b_16"), "photo:cat").over().save("attention.png")
    """
    asked = Question.of(net, photo, Strength())
    rolled = rolled_out(net, asked.inputs)
    layout = places(net, rolled.mixed.shape[2])
    rows = rolled.mixed
    if not rolled.pooled:
        rows = rows[:, reading(asked, layout)]
    share = layout.maps(rows.mean(1)[:, :, None])

    def caption(row: int, _column: int) -> str:
        one = share[row, 0]
        low, high = apart(*(float(end) * one.numel() for end in (one.min(), one.max())), least=2)
        rest = f"; {float(one.sum()):.0%} of all, the rest on other tokens" * (layout.prefix > 0)
        return (
            f"attention rollout through {counted(rolled.blocks, 'block')}, "
            f"{one.shape[0]} x {one.shape[1]} places: {low} to {high} times an even share{rest}"
        )

    # From zero: where nothing is preferred, noise must not look like a preference.
    return asked.answer(share, caption, scale="positive")


@dataclass(frozen=True)
class Rolled:
    """Attention multiplied through the blocks.

    Attributes:
        mixed: for each image and token (row) the share of each token of the first block.
        blocks: how many were multiplied.
        pooled: whether the rows are those of a last attention that gathers all tokens into few.
    """

    mixed: Float[Tensor, "images rows tokens"]
    blocks: int
    pooled: bool = False


def rolled_out(net: Network, inputs: Float[Tensor, "images c h w"]) -> Rolled:
    """The product of the mixed weights of all blocks.

    Raises:
        PellucidError: there is no attention, or not from all tokens to all.
    """
    _ = net.layers  # raises where it does not take such inputs
    found: list[Rolled] = []
    work = Batches(range(len(inputs)), fitting(inputs.device, inputs[0].numel(), MOST_NUMBERS))
    for some in work:
        try:
            one = _pass(net, inputs[some])
            if work.mixed(some, one.mixed[0], partial(_alone, net, inputs[some[:1]])):
                continue
        except Exception as error:
            work.again(some, error)
            continue
        found.append(one)
    return replace(found[0], mixed=torch.cat([one.mixed for one in found]))


def _pass(net: Network, inputs: Float[Tensor, "images c h w"]) -> Rolled:
    so_far: Rolled | None = None

    def take(weights: Weights) -> None:
        nonlocal so_far
        so_far = _and(net, so_far, weights, len(inputs))

    with torch.no_grad(), attending(take, len(inputs)):
        net.module(inputs.clone())
    if so_far is None:
        raise PellucidError(
            f"{net.name} has no attention to roll out (none through MultiheadAttention, "
            f"scaled_dot_product_attention or a softmax from token to token): ask for cam"
        )
    return so_far


def _alone(net: Network, inputs: Float[Tensor, "1 c h w"]) -> Tensor:
    return _pass(net, inputs).mixed[0]


def _and(net: Network, so_far: Rolled | None, weights: Weights, images: int) -> Rolled:
    """One block more."""
    count, _, queries, keys = weights.shape
    if count != images:
        raise PellucidError(
            f"the attention of {net.name} keeps to windows ({count} for {images} photo"
            f"{'s' * (images > 1)}, {keys} places each), and what it mixes at the borders of "
            f"shifted windows cannot be rolled out to the photo as one matrix: ask for cam"
        )
    mixed = weights.to(torch.promote_types(weights.dtype, torch.float32)).mean(1)
    before = so_far.mixed if so_far else None
    if before is not None and (keys != before.shape[1] or (so_far and so_far.pooled)):
        raise PellucidError(
            f"the attention of {net.name} changes its tokens on the way ({before.shape[1]}, then "
            f"{keys}), so that its blocks cannot be multiplied: ask for cam"
        )
    blocks = so_far.blocks if so_far else 0
    if before is not None and queries < min(keys, 16):
        return Rolled(mixed @ before, blocks + 1, pooled=True)
    if queries != keys:
        raise PellucidError(
            f"the attention of {net.name} has {queries} tokens that look and {keys} that are "
            f"looked at, so that its blocks cannot be multiplied: ask for cam"
        )
    mixed = (mixed + torch.eye(keys).to(mixed)) / 2
    return Rolled(mixed if before is None else mixed @ before, blocks + 1)


def places(net: Network, tokens: int) -> Layout:
    """How so many tokens lie on the photo.

    Raises:
        PellucidError: no grid of the photo's proportions has that many places.
    """
    for layer in net.layers.values():
        if layer.layout.form == "tokens" and layer.shape[0] == tokens:
            found = layer.layout
            return Layout("tokens", 1, found.grid, found.prefix)
    grids = [layer.layout.grid for layer in net.layers.values() if layer.layout.form == "map"]
    found = infer((1, tokens, 1), net.preprocess.size, grids)
    if found.form != "tokens":
        raise PellucidError(f"the {tokens} tokens of {net.name} do not lie on the photo as a grid")
    return found


def reading(asked: Question, layout: Layout) -> list[int]:
    """The tokens that the answer is read from: those whose change behind all attention changes it.

    Where none does (a head of zeros): the class token if there is one, else all places.
    """
    count = layout.prefix + layout.grid[0] * layout.grid[1]
    layers = [
        layer
        for layer in asked.net.layers.values()
        if layer.layout.form == "tokens" and layer.shape[0] == count
    ][-LAST:]
    seen = gathered(asked, layers)
    touched = [
        _touched(seen[layer.name][1][0]) if layer.name in seen else set() for layer in layers
    ]
    for number in reversed(range(len(layers))):
        tokens = touched[number]
        if not tokens:
            continue
        # Called again at once, it may have been for other tokens: norm(x)[:, 0] + norm(x)[:, 1:].
        while number and _called(layers[number - 1]) == _called(layers[number]):
            number -= 1
            tokens = tokens | touched[number]
        return sorted(tokens)
    return [0] if layout.prefix else list(range(count))


def _touched(gradient: Tensor | None) -> set[int]:
    if gradient is None:
        return set()
    return set((gradient != 0).any(2).any(0).nonzero()[:, 0].tolist())


def _called(layer: Layer) -> str:
    return layer.name.partition("#")[0]


@dataclass(frozen=True)
class Strength(Target):
    """The sum of squares of all that a network puts out: it depends on all that it is read from."""

    layers: frozenset[str] = frozenset({""})

    def name(self, row: int) -> str:
        """What is shown."""
        return "attention"

    def read(
        self, seen: Mapping[str, Tensor], rows: Int[Tensor, "batch"]
    ) -> Float[Tensor, "batch"]:
        """The sum."""
        return seen[""].flatten(1).square().sum(1)
