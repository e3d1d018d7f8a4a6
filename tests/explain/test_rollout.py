"""Attention rollout against weights computed by hand, number by number, and known answers."""

from typing import Any

import pytest
import torch
from by_hand import SMALL, by_hand, multiplied
from timm.models.deit import VisionTransformerDistilled
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import models

import pellucid as pl
from conftest import attentive
from pellucid.explain.attention import attending
from pellucid.explain.rollout import Strength, places, reading
from pellucid.question import Question


def grey(module: nn.Module) -> pl.Network:
    return pl.Network(module, size=(20, 28), mean=[0.4], std=[0.3])


@torch.no_grad()
def test_is_its_formula_however_the_network_attends(cat: pl.Photo) -> None:
    module = attentive().eval()
    net = grey(module)
    x = module.patches(net.prepare(cat)[0]).flatten(2).mT
    x = torch.cat([module.prefix, x], 1) + module.places
    first = module.first
    projected = x[0] @ first.in_proj_weight.T + first.in_proj_bias
    blocks = [by_hand(projected[:, :8], projected[:, 8:16], 2)]
    x = module.block.relu(x + first(x, x, x)[0])
    for layer in (module.second, module.third):
        projected = layer(x)
        blocks.append(by_hand(projected[0, :, :8], projected[0, :, 8:16], 2))
        query, key, value = module.heads(projected)
        x = x + (query.mul(0.5) @ key.mT).softmax(-1).matmul(value).mT.flatten(1, 2).mT
        x = module.block.relu(x) if layer is module.second else x
    wanted = multiplied(blocks)[0]
    assert float(wanted.max() / wanted[2:].min()) > 3, "it attends to something"
    found = pl.rollout(net, cat)
    torch.testing.assert_close(found.values, wanted[2:].reshape(5, 7))
    assert found.caption.startswith("attention rollout through 3 blocks, 5 x 7 places: ")
    assert f"{float(wanted[2:].sum()):.0%} of all, the rest on other tokens" in found.caption


@pytest.mark.parametrize(
    ("module", "rows"),
    [
        (lambda: VisionTransformer(**SMALL, num_classes=3), [0]),
        (lambda: VisionTransformerDistilled(**SMALL, num_classes=3), [0, 1]),
        (
            lambda: VisionTransformer(**SMALL, num_classes=3, global_pool="avg"),
            list(range(1, 17)),
        ),
        (
            lambda: VisionTransformer(**SMALL, num_classes=3, global_pool="avg", class_token=False),
            list(range(16)),
        ),
    ],
)
def test_the_tokens_that_the_answer_is_read_from(
    module: Any, rows: list[int], cat: pl.Photo
) -> None:
    torch.manual_seed(0)
    net = pl.Network(module(), size=32)
    count = max(17, max(rows) + 1) if rows != list(range(16)) else 16
    count = 18 if rows == [0, 1] else count
    with net.at_rest():
        found = reading(Question.of(net, cat, Strength()), places(net, count))
    assert found == rows
    shown = pl.rollout(net, cat)
    assert shown.values.shape == (4, 4)
    assert 0.5 < float(shown.values.sum()) < 1 + 1e-5


def test_a_last_attention_that_gathers_all_tokens(cat: pl.Photo) -> None:
    torch.manual_seed(0)
    net = pl.Network(
        VisionTransformer(**SMALL, num_classes=3, global_pool="map", class_token=False), size=32
    )
    seen: list[Tensor] = []
    with torch.no_grad(), net.at_rest(), attending(lambda weights: seen.append(weights[0])):
        net.module(net.prepare(cat)[0])
    assert [tuple(one.shape) for one in seen] == [(2, 16, 16), (2, 16, 16), (2, 1, 16)]
    wanted = seen[2].mean(0) @ multiplied([one.mean(0) for one in seen[:2]])
    found = pl.rollout(net, cat)
    torch.testing.assert_close(found.values, wanted.reshape(4, 4))
    assert "3 blocks" in found.caption and "other tokens" not in found.caption


class Looks(nn.Module):
    """One block, whose class token looks at the brightest patch and nowhere else."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.AvgPool2d(8)
        self.norm = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).mean(1, keepdim=True).flatten(2).mT
        key = 1000 * torch.cat([x.new_full((len(x), 1, 1), -9), x], 1)
        query = torch.cat([torch.ones_like(key[:, :1]), torch.zeros_like(key[:, 1:])], 1)
        x = F.scaled_dot_product_attention(query[:, None], key[:, None], key[:, None])[:, 0]
        return self.norm(x)[:, 0].repeat(1, 2)


@pytest.mark.parametrize("place", [(0, 0), (2, 1), (3, 4)])
def test_the_one_place_that_is_looked_at(place: tuple[int, int]) -> None:
    pixels = torch.zeros(3, 32, 40)
    row, column = place
    pixels[:, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = 1
    net = pl.Network(Looks(), size=(32, 40), mean=[0.0] * 3, std=[1.0] * 3)
    found = pl.rollout(net, pixels).values
    assert float(found[place]) == pytest.approx(0.5)  # the other half is the class token's own
    found[place] = 0
    assert not found.any()


def test_several_photos_are_those_one_by_one() -> None:
    net = grey(attentive())
    names = ["photo:cat", "photo:rocket"]
    both = pl.rollout(net, names)
    assert both.values.shape == (2, 1, 5, 7)
    for row, name in enumerate(names):
        torch.testing.assert_close(both[row, 0].values, pl.rollout(net, name).values)
    assert not torch.equal(both.values[0], both.values[1])


def shrinking() -> nn.Module:
    """Attention first between 16 tokens, then between 4."""

    class Shrinking(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            for size in (8, 16):
                tokens = F.avg_pool2d(x, size).flatten(2).mT[:, None]
                tokens = F.scaled_dot_product_attention(tokens, tokens, tokens)
            return tokens.mean((1, 2))

    return Shrinking()


def reduced() -> nn.Module:
    """Many tokens that look at few."""

    class Reduced(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            many, few = (F.avg_pool2d(x, size).flatten(2).mT[:, None] for size in (8, 16))
            return F.scaled_dot_product_attention(many, few, few).mean((1, 2))

    return Reduced()


class OneHead(nn.Module):
    """Attention written by hand, with an axis of heads or without."""

    def __init__(self, headed: bool) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 8, stride=8)
        self.threefold = nn.Linear(16, 48)
        self.head = nn.Linear(16, 3)
        self.headed = headed

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        query, key, value = self.threefold(tokens).chunk(3, -1)
        if self.headed:
            query, key, value = query[:, None], key[:, None], value[:, None]
        found = (query @ key.transpose(-1, -2) / 4).softmax(-1) @ value
        return self.head((tokens + (found[:, 0] if self.headed else found)).mean(1))


def test_one_head_without_an_axis_of_heads(cat: pl.Photo) -> None:
    torch.manual_seed(0)
    plain, headed = OneHead(False), OneHead(True)
    headed.load_state_dict(plain.state_dict())
    photos = (cat, pl.open_image("photo:horse"))
    found, wanted = (pl.rollout(pl.Network(one, size=32), photos) for one in (plain, headed))
    assert found.values.shape == (2, 1, 4, 4)
    torch.testing.assert_close(found.values, wanted.values)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten()), "no attention to roll out"),
        (
            lambda: models.SwinTransformer([4, 4], 8, [2], [2], [4, 4], num_classes=2),
            r"keeps to windows \(4 for 1 photo, 16 places each\).*ask for cam",
        ),
        (shrinking, r"changes its tokens on the way \(16, then 4\)"),
        (reduced, "16 tokens that look and 4 that are looked at"),
    ],
)
def test_what_cannot_be_rolled_out(module: Any, message: str, cat: pl.Photo) -> None:
    net = pl.Network(module(), size=32)
    with pytest.raises(pl.PellucidError, match=message):
        pl.rollout(net, cat)
    assert list(pl.rollout.examples(net)) == []


def test_tokens_that_lie_on_no_grid(cat: pl.Photo) -> None:
    class Loose(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            x = x.mean(1).flatten(1)[:, :500, None].repeat(1, 1, 2)[:, None]
            return F.scaled_dot_product_attention(x, x, x).mean((1, 2))

    with pytest.raises(pl.PellucidError, match="500 tokens of Loose do not lie on the photo"):
        pl.rollout(pl.Network(Loose(), size=32), cat)


class Few(nn.Module):
    """One block of one head, with as many axes as it is told."""

    def __init__(self, axes: int, windows: int = 1) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.axes, self.windows = axes, windows
        self.patches = nn.Conv2d(3, 8, 8, 8)
        self.first = nn.Parameter(torch.randn(1, 1, 8))
        self.norm = nn.LayerNorm(8)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).mT
        if self.windows == 1:
            x = torch.cat([self.first.expand(len(x), -1, -1), x], 1)
        whole = x.shape
        if self.axes == 2:
            x = x[0]
        elif self.axes > 3:
            x = x.unflatten(1, (self.windows, -1))
            x = x[(slice(None), *[None] * (self.axes - 4))]
        x = F.scaled_dot_product_attention(x, x, x).reshape(whole)
        norm = self.norm
        return norm(x)[:, 0] + norm(x)[:, 1:].mean(1)


@pytest.mark.parametrize("axes", [2, 3, 5])
def test_attention_without_an_axis_of_heads_has_one(axes: int, cat: pl.Photo) -> None:
    wanted, found = (pl.rollout(pl.Network(Few(n), size=32), cat) for n in (4, axes))
    assert torch.equal(found.values, wanted.values)
    assert "through 1 block, 4 x 4 places" in found.caption


def test_one_head_in_windows_is_not_one_of_many_heads(cat: pl.Photo) -> None:
    with pytest.raises(pl.PellucidError, match=r"keeps to windows .4 for 1 photo, 4 places each"):
        pl.rollout(pl.Network(Few(5, windows=4), size=32), cat)


def test_a_last_norm_that_is_called_for_other_tokens_again(cat: pl.Photo) -> None:
    net = pl.Network(Few(4), size=32)
    with net.at_rest():
        found = reading(Question.of(net, cat, Strength()), places(net, 17))
    assert found == list(range(17))
