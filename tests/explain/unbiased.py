"""Networks without a bias anywhere: whatever lies on the way, no relevance may be lost on it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def unbiased(*sizes: int, kernel: int = 3) -> nn.Conv2d:
    return nn.Conv2d(*sizes, kernel, padding=kernel // 2, bias=False)


class Net(nn.Module):
    """Without a bias anywhere: then nothing may be lost on the way, whatever lies on it."""

    def __init__(self, middle: Callable[[Any, Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.second, self.third = unbiased(3, 8), unbiased(8, 8), unbiased(8, 8)
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), unbiased(8, 8, kernel=1), nn.Sigmoid())
        self.norm = nn.BatchNorm2d(8, affine=False)
        self.line = nn.Linear(8, 24, bias=False)
        self.mixed = nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
        self.grouped = nn.Conv2d(8, 8, 3, groups=4, dilation=2, padding=2, bias=False)
        self.mixing = nn.Parameter(torch.rand(2, 2))
        self.up = nn.ConvTranspose2d(8, 8, 2, stride=2, bias=False)
        self.middle = middle

    def forward(self, x: Tensor) -> Tensor:
        return self.middle(self, self.first(x).relu()).mean((2, 3))


def heads(net: Any, x: Tensor) -> list[Tensor]:
    tokens = net.line(x.flatten(2).transpose(1, 2)).view(len(x), -1, 3, 2, 4)
    return [part.transpose(1, 2) for part in tokens.unbind(2)]


def laid(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(2).transpose(1, 2).view(len(x), 8, 12, 12)


def by_hand(net: Any, x: Tensor) -> Tensor:
    query, key, value = heads(net, x)
    return laid((query @ key.transpose(2, 3) * 0.5).softmax(3) @ value)


def summed(net: Any, x: Tensor) -> Tensor:
    query, key, value = heads(net, x)
    weights = torch.einsum("bhqd,bhkd->bhqk", query, key).softmax(-1)
    return laid(torch.einsum("bhqk,bhkd->bhqd", weights, value))


def attended(net: Any, x: Tensor) -> Tensor:
    tokens = x.flatten(2).transpose(1, 2)
    mixed = net.mixed(tokens, tokens, tokens, need_weights=False)[0]
    return (tokens + F.gelu(mixed)).transpose(1, 2).view(x.shape)


def talking(net: Any, x: Tensor) -> Tensor:
    """Heads of attention that are mixed before they are used, and made shares again."""
    query, key, value = heads(net, x)
    weights = F.linear((query @ key.mT).softmax(3).transpose(1, 3), net.mixing)
    weights = weights.transpose(1, 3).clamp(min=0).nan_to_num()
    return laid(weights / weights.sum(-1, keepdim=True) @ value)


def highway(net: Any, x: Tensor) -> Tensor:
    gate = torch.sigmoid(net.third(x))
    return gate * torch.tanh(net.second(x)) + (1 - gate) * x


def photo_made(net: Any, x: Tensor) -> Tensor:
    """A convolution whose weights depend on the photo."""
    return F.conv2d(x, net.third.weight * net.gate(x)[0])


def twice(net: Any, x: Tensor) -> Tensor:
    return net.second(net.second(x).relu_()).relu()


def branches(net: Any, x: Tensor) -> Tensor:
    first, second = net.third(x).chunk(2, 1)
    joined = torch.cat([F.silu(first), F.max_pool2d(second, 3, 1, 1)], 1)
    return joined.flip(1).roll(2, 3) + 0.5 * x


THRICE = "bchw,bchw,bchw->bchw"
MIDDLES: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "residual": lambda net, x: x + net.second(x).relu(),
    "functions": lambda net, x: F.avg_pool2d(torch.relu(net.second(x)), 2),
    "twice": twice,
    "norm": lambda net, x: net.norm(net.second(x)).relu(),
    "norm before": lambda net, x: net.second(net.norm(x).relu()),
    "gate": lambda net, x: net.second(x) * net.gate(x),
    "gate by hand": lambda net, x: x * torch.sigmoid(x),
    "product": lambda net, x: net.second(x) * net.third(x),
    "square": lambda net, x: net.second(x) * x.mean((2, 3), keepdim=True).square(),
    "branches": branches,
    "grouped": lambda net, x: net.grouped(x).relu(),
    "enlarged": lambda net, x: F.interpolate(net.up(x), scale_factor=0.5, mode="bilinear"),
    "shuffled": lambda net, x: F.pixel_shuffle(F.pad(x, (1, 1, 1, 1)), 2).repeat(1, 4, 1, 1),
    "shares": lambda net, x: x / x.sum(1, keepdim=True).clamp(min=1e-3),
    "attention": attended,
    "attention, fused": lambda net, x: laid(F.scaled_dot_product_attention(*heads(net, x))),
    "attention, by hand": by_hand,
    "attention, summed": summed,
    "attention, talking": talking,
    "highway": highway,
    "photo-made": photo_made,
    "mask": lambda net, x: net.second(x) * (net.second(x) > 0),
    "mask of numbers": lambda net, x: x * (x == x.amax(1, keepdim=True)).float(),
    "gelu by hand": lambda net, x: x * 0.5 * (1 + torch.erf(x / 2**0.5)),
    "hard swish by hand": lambda net, x: net.second(x) * F.relu6(net.second(x) + 3) / 6,
    "gated linear unit": lambda net, x: F.glu(net.second(x), 1).repeat(1, 2, 1, 1),
    "by itself": lambda net, x: x @ x,
    "by itself, summed": lambda net, x: torch.einsum("bchw,bcvw->bchv", x, x),
    "three factors": lambda net, x: torch.einsum(THRICE, x, net.third(x), net.second(x)),
    "added product": lambda net, x: torch.addcmul(net.third(x), x, net.second(x).flip(3)),
    "spread": lambda net, x: x.var((2, 3), keepdim=True),
    "greatest, softly": lambda net, x: net.second(x).logsumexp((2, 3), keepdim=True),
    "detached": lambda net, x: net.second(x.detach()).relu(),
}  # fmt: skip
