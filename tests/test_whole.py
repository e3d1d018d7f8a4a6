"""Fields that are honestly called whole, and odd networks."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
import torchvision.models as zoo
from torch import Tensor, nn

from calls import Calls, conv, image
from pellucid.fields import Field, fields


def whole(field: Field) -> bool:
    height, width = field.image
    return field.status == "whole" and field.box(0, 0) == (0, 0, height, width) == field.box(5, 5)


def test_squeeze_and_excitation_sees_everything() -> None:
    seen = fields(zoo.mobilenet_v3_small(), image(64, 64))
    assert seen["features.0"].status == "exact"
    assert seen["features.1.block.0"].status == "exact"
    assert all(
        whole(seen[name]) for name in ("features.1.block.1", "features.1", "features.12", "")
    )
    assert seen["features.1"].grid == (16, 16)
    assert seen["features.1"].units((0, 0, 1, 1)) == (0, 0, 16, 16)


def test_attention_sees_everything() -> None:
    vit = zoo.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=5)
    seen = fields(vit, image(32, 32))
    assert seen["conv_proj"].size == (8, 8) and seen["conv_proj"].status == "exact"
    assert whole(seen["encoder.layers.encoder_layer_0"]) and whole(seen["encoder"])

    q = Calls(lambda _, x: F.scaled_dot_product_attention(x, x, x))
    assert whole(fields(q, image(8, 8))[""])
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    tokens = Calls(
        lambda net, x: net.layer(net.patch(x).flatten(2).mT), patch=conv(3, 16, 4, 4), layer=layer
    )
    assert whole(fields(tokens, image(16, 16))["layer"])  # fmt: skip


def test_swin_and_convnext() -> None:
    swin = zoo.SwinTransformer([4, 4], 8, [2, 2], [2, 2], [4, 4], num_classes=3)
    seen = fields(swin, image(64, 64))
    assert seen["features.0"].size == (4, 4) and seen["features.0"].grid == (16, 16)
    assert seen["features.0"].status == "exact"
    assert whole(seen["features.1.0"]) and whole(seen["features.3"])
    seen = fields(zoo.convnext_tiny(), image(64, 64))
    assert seen["features.1.0"].size == (28, 28) and seen["features.1.0"].status == "exact"
    assert seen["features.7"].status == "exact" and whole(seen["avgpool"])


@pytest.mark.parametrize(
    "forward",
    [
        lambda _, x: x.mean((2, 3)),
        lambda _, x: x.flatten(1),
        lambda _, x: x - x.mean(),
        lambda _, x: F.instance_norm(x),
        lambda _, x: F.group_norm(x, 1),
        lambda _, x: F.layer_norm(x, x.shape[2:]),
        lambda _, x: x.softmax(-1),
        lambda _, x: x @ torch.ones(8, 8),
        lambda _, x: x @ x.mT,
        lambda _, x: x.cumsum(2),
        lambda _, x: torch.fft.fft2(x).real,
        lambda _, x: x / x.max().item(),
        lambda _, x: F.pad(x, (1, 1, 1, 1), mode="circular"),
        lambda _, x: F.conv2d(x, x[:, :, :3, :3]),
        lambda _, x: x.view(1, 3, 4, 2, 4, 2).permute(0, 1, 3, 2, 5, 4).reshape(1, 3, 8, 8),
        lambda _, x: x.reshape(1, 3, 4, 16),
        lambda _, x: torch.zeros_like(x).index_put((torch.tensor([0]),), x),
        lambda _, x: x.mT.add(x),
        lambda _, x: F.grid_sample(x, torch.zeros(1, 8, 8, 2), align_corners=False),
        lambda _, x: x.sort(2).values,
        lambda _, x: F.unfold(x, 3),
        lambda _, x: F.adaptive_max_pool2d(x, 1),
    ],
)
def test_whole_where_nothing_smaller_is_certain(forward: Any) -> None:
    assert whole(fields(Calls(forward), image(8, 8))[""])


def test_writing_through_a_view_is_noticed() -> None:
    def forward(net: Any, x: Tensor) -> Tensor:
        canvas = torch.zeros(1, 2, 8, 8)
        canvas[:, :, :, 2:] = net.a(x)[:, :, :, :6]
        return net.b(canvas)

    seen = fields(Calls(forward, a=conv(3, 2, 3, 1, 1), b=conv(2, 2, 1)), image(8, 8))
    assert seen["a"].status == "exact" and whole(seen["b"])

    def stale(_: Any, x: Tensor) -> Tensor:
        y = F.avg_pool2d(x, 3, 1, 1)
        view = y[:, :2]
        y += F.avg_pool2d(x, 5, 1, 2)
        return view

    assert whole(fields(Calls(stale), image(8, 8))[""])


def test_names_of_calls_and_kinds_of_output() -> None:
    def forward(net: Any, x: Tensor) -> Any:
        x = net.relu(net.a(x))
        x = net.relu(net.b(F.relu(x)))
        return {"mask": net.constant(x), "out": [(x, x.mean())]}

    net = Calls(
        forward,
        a=conv(3, 4, 3),
        b=conv(4, 4, 3),
        relu=nn.ReLU(inplace=True),
        constant=Calls(lambda _, x: torch.ones_like(x)),
        unused=conv(3, 4, 3),
    )
    seen = fields(net, image(9, 9))
    assert list(seen) == ["a", "relu", "relu()", "b", "relu#2", ""]
    assert [seen[name].size[0] for name in seen] == [3, 3, 3, 5, 5, 5]


def test_a_network_that_looks_at_numbers_or_infers() -> None:
    def forward(net: Any, x: Tensor) -> Tensor:
        if (x > 2).any():
            raise AssertionError
        with torch.inference_mode():
            return net.a(x)

    net = Calls(forward, a=conv(3, 2, 3))
    assert fields(net, image(9, 9))["a"].status == "exact"
    with torch.inference_mode():
        assert fields(net, image(9, 9))["a"].size == (3, 3)
        assert fields(nn.Sequential(conv(3, 2, 3), nn.Flatten(), nn.Linear(98, 2)), image(9, 9))


@pytest.mark.filterwarnings("ignore")  # TorchScript is deprecated
def test_a_scripted_network_does_no_harm() -> None:
    net = nn.Sequential(conv(3, 2, 3), nn.ReLU(), conv(2, 2, 3)).eval()
    scripted = torch.jit.script(net)
    for odd in (scripted, torch.jit.freeze(scripted), nn.Sequential(scripted)):
        field = fields(odd, image(9, 9)).get("")
        assert field is None or field.size == (5, 5) or whole(field)


@pytest.mark.parametrize("fails", [False, True])
def test_leaves_the_module_as_found(fails: bool) -> None:
    def forward(net: Any, x: Tensor) -> Tensor:
        assert not net.training and not net.norm.training
        x = net.norm(net.a(x))
        x.sub_(1)
        if fails:
            raise RuntimeError("out of luck")
        return x

    net = Calls(forward, a=conv(3, 2, 3), norm=nn.BatchNorm2d(2)).train()
    net.a.eval()
    before, example = copy.deepcopy(net.state_dict()), image(9, 9).requires_grad_()
    kept = example.detach().clone()
    if fails:
        with pytest.raises(RuntimeError, match="out of luck"):
            fields(net, example)
    else:
        assert fields(net, example)[""].status == "exact"
    assert net.training and net.norm.training and not net.a.training
    assert all(not m._forward_hooks and not m._forward_pre_hooks for m in net.modules())
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert torch.equal(example, kept) and torch.is_grad_enabled()
