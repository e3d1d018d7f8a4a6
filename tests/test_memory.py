"""Memory: what is counted."""

import torch
from torch import nn

from pellucid import memory


def test_what_a_pass_keeps_is_counted() -> None:
    """Of y = relu(x)², the image of 6 numbers: relu keeps its result, the square too, once."""
    image = torch.randn(6, requires_grad=True)
    assert memory.kept(lambda: image.relu().square()) == 6 * 4
    weight = nn.Parameter(torch.randn(1000))
    assert memory.kept(lambda: image.exp() * weight[:6], [weight]) == 6 * 4
