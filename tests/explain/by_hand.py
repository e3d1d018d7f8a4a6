"""Rollout computed by hand, number by number."""

from math import exp, sqrt

import torch
from torch import Tensor

SMALL = {"img_size": 32, "patch_size": 8, "embed_dim": 16, "depth": 2, "num_heads": 2}


def by_hand(queries: Tensor, keys: Tensor, heads: int) -> Tensor:
    """Mean over heads of softmax(q·k / √d), from (tokens, channels) each."""
    count, width = len(queries), queries.shape[1] // heads
    found = torch.zeros(count, count)
    for head in range(heads):
        part = slice(head * width, (head + 1) * width)
        for row in range(count):
            logits = [
                float(torch.dot(queries[row, part], keys[column, part])) / sqrt(width)
                for column in range(count)
            ]
            total = sum(map(exp, logits))
            for column in range(count):
                found[row, column] += exp(logits[column]) / total / heads
    return found


def multiplied(blocks: list[Tensor]) -> Tensor:
    """Each block mixed half and half with the identity, the first on the right."""
    product = torch.eye(len(blocks[0]))
    for weights in blocks:
        product = (weights / 2 + torch.eye(len(weights)) / 2) @ product
    return product
