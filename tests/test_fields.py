"""Receptive fields: published sizes, and the gradient as the slow twin."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
import torchvision.models as zoo
from torch import Tensor, nn

from calls import Calls, conv, image
from pellucid.box import Box
from pellucid.fields import Field, fields

torch.set_num_threads(1)


# -------------------------------------------------------------------- the gradient as the judge


def linearised(network: nn.Module) -> nn.Module:
    """A copy in which all a unit sees has a positive gradient: no cancelling, no dead ReLU."""
    twin = copy.deepcopy(network).double().eval()
    for module in twin.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.MaxPool2d):
                assert child.dilation == 1
                mean = nn.AvgPool2d(child.kernel_size, child.stride, child.padding, child.ceil_mode)
                setattr(module, name, mean)
    for parameter in twin.parameters():
        parameter.data = torch.rand_like(parameter) + 0.1
        if parameter.ndim > 1:
            parameter.data /= parameter[0].numel()
    return twin


def seen_by_gradient(
    network: nn.Module, layer: str, example: Tensor, units: list[Any]
) -> list[Box]:
    """The hull of the input pixels with a gradient, for units (y, x) of a (1, C, h, w) layer."""
    twin, kept = linearised(network), []
    twin.get_submodule(layer).register_forward_hook(lambda _, __, out: kept.append(out.clone()))
    x = example.double().requires_grad_()
    twin(x)
    boxes = []
    for row, column in units:
        (slope,) = torch.autograd.grad(kept[0][0, :, row, column].sum(), x, retain_graph=True)
        rows = slope.abs().sum((0, 1, 3)).nonzero().flatten().tolist()
        columns = slope.abs().sum((0, 1, 2)).nonzero().flatten().tolist()
        box = (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1) if rows else (0, 0, 0, 0)
        boxes.append(Box(*box))
    return boxes


def cross(field: Field) -> list[tuple[int, int]]:
    """Units along both borders and both middles."""
    rows, columns = field.grid
    across = [(y, x) for y in (0, rows // 2, rows - 1) for x in range(columns)]
    return sorted({*across, *((y, x) for x in (0, columns // 2) for y in range(rows))})


def judge(network: nn.Module, layer: str, example: Tensor, units: Any = None) -> Field:
    """Every box holds the gradient; an exact one, and nothing besides."""
    field = fields(network, example)[layer]
    units = units or cross(field)
    for unit, true in zip(units, seen_by_gradient(network, layer, example, units), strict=True):
        box = field.box(*unit)
        if true == (0, 0, 0, 0):  # only padding
            continue
        inside = box.top <= true.top and true.bottom <= box.bottom
        assert inside and box.left <= true.left and true.right <= box.right, (unit, box, true)
        if field.status == "exact":
            assert box == true, unit
    return field


def residual() -> nn.Module:
    def forward(net: Any, x: Tensor) -> Tensor:
        x = net.stem(x)
        out = net.relu(net.a(x))
        out = net.b(out)
        out += net.skip(x)
        return F.relu(out)

    return Calls(
        forward,
        stem=conv(3, 4, 4, 2, 1),
        a=conv(4, 4, 3, 2, 1),
        b=conv(4, 4, 5, 1, 2, groups=2),
        skip=conv(4, 4, 1, 2),
        relu=nn.ReLU(inplace=True),
    )


def channels_last() -> nn.Module:
    def forward(net: Any, x: Tensor) -> Tensor:
        x = net.patch(x).permute(0, 2, 3, 1)
        x = F.gelu(net.up(net.norm(x)))
        x = net.down(x).permute(0, 3, 1, 2)
        tokens = x.flatten(2).transpose(1, 2)
        x = tokens.transpose(1, 2).reshape(x.shape)
        return net.mix(x)

    return Calls(
        forward,
        patch=conv(3, 4, 2, 2),
        norm=nn.Identity(),  # a layer norm's gradient cancels out in the sum over channels
        up=nn.Linear(4, 8),
        down=nn.Linear(8, 4),
        mix=conv(4, 4, 3, 1, 1, groups=4),
    )


def inception() -> nn.Module:
    def forward(net: Any, x: Tensor) -> Tensor:
        return net.out(torch.cat([net.a(x), net.b(x), F.pad(x, (0, 0, 0, 0, 1, 0))], 1))

    return Calls(
        forward, a=conv(3, 2, (1, 7), 1, (0, 3)), b=conv(3, 2, (5, 1), 1, (2, 0)), out=conv(8, 2, 2)
    )


EXACT = {
    "same": nn.Sequential(conv(3, 2, 3, padding="same"), conv(2, 2, 5, padding="same")),
    "valid then padded": nn.Sequential(conv(3, 2, 3, 2), conv(2, 2, 3, 1, 1)),
    "stride beyond kernel": nn.Sequential(conv(3, 2, 1, 3), conv(2, 2, 3, 1, 1)),
    "dilated, little padding": nn.Sequential(conv(3, 2, 3, 2, 1), conv(2, 2, 3, 1, 1, dilation=2)),
    "dilated": nn.Sequential(conv(3, 2, 3, 1, 4, dilation=4), conv(2, 2, 3, 2, 2, dilation=2)),
    "ceil": nn.Sequential(nn.MaxPool2d(3, 2, ceil_mode=True), nn.AvgPool2d(2, 2, ceil_mode=True)),
    "rectangular": nn.Sequential(conv(3, 2, (3, 5), (1, 2), (0, 3)), nn.AvgPool2d((1, 2))),
    "zero pad, crop": nn.Sequential(nn.ZeroPad2d((2, 1, 0, 3)), conv(3, 2, 3), nn.ZeroPad2d(-1)),
    "adaptive, even": nn.Sequential(conv(3, 2, 2), nn.AdaptiveAvgPool2d((4, 8))),
    "local response": nn.Sequential(conv(3, 4, 3, 2), nn.LocalResponseNorm(3), conv(4, 2, 3)),
    "residual": residual(),
    "channels last": channels_last(),
    "inception": inception(),
    "strided slices": Calls(
        lambda net, x: net.out(torch.cat([x[..., 1::2, 1::2], x[..., :-1:2, :-1:2]], 1)[..., 1:]),
        out=conv(6, 2, 3, 1, 1),
    ),
    "einsum": Calls(
        lambda net, x: torch.einsum("bchw,ck->bkhw", net.a(x), torch.ones(2, 3).to(x)),
        a=conv(3, 2, 3),
    ),
    "bgr": Calls(
        lambda net, x: net.a(x[:, [2, 1, 0]] * torch.ones(3, 1, 1).to(x)), a=conv(3, 2, 3)
    ),
    "transposed, stride 1": nn.ConvTranspose2d(3, 2, 3, 1, 1),
}

AT_MOST = {
    "adaptive, uneven": nn.AdaptiveAvgPool2d((5, 7)),
    "transposed": nn.Sequential(conv(3, 2, 3, 2), nn.ConvTranspose2d(2, 2, 3, 2, 1), conv(2, 2, 3)),
    "transposed with gaps": nn.ConvTranspose2d(3, 2, 2, 3, dilation=2, output_padding=1),
    "nearest": nn.Sequential(conv(3, 2, 3, 2), nn.Upsample(scale_factor=2), conv(2, 2, 3)),
    "nearest, odd": nn.Upsample(size=(31, 20)),
    "nearest, exact": nn.Upsample(size=(5, 40), mode="nearest-exact"),
    "bilinear": nn.Sequential(nn.Upsample(scale_factor=1.7, mode="bilinear"), conv(3, 2, 3)),
    "bilinear, corners": nn.Upsample(size=(30, 9), mode="bilinear", align_corners=True),
    "bicubic": nn.Upsample(size=(29, 23), mode="bicubic"),
    "antialias": Calls(lambda _, x: F.interpolate(x, (5, 7), mode="bilinear", antialias=True)),
    "reflect": nn.Sequential(nn.ReflectionPad2d(3), conv(3, 2, 3)),
    "replicate": conv(3, 2, 5, 2, 2, padding_mode="replicate"),
    "pixel shuffle": Calls(lambda net, x: F.pixel_shuffle(net.a(x), 2), a=conv(3, 8, 3, 2, 1)),
    "roll": Calls(lambda net, x: net.a(x.roll((2, -1), (2, 3))), a=conv(3, 2, 3)),
    "flip": Calls(lambda net, x: net.a(x) + net.a(x).flip(3), a=conv(3, 2, 3)),
    "strides differ": Calls(lambda net, x: net.a(x) + x[..., :7, :9], a=conv(3, 3, 1, 2)),
    "one of two branches": Calls(
        lambda net, x: torch.cat([net.a(x), x], 1).chunk(2, 1)[1], a=conv(3, 3, 3, 1, 1)
    ),
}


@pytest.mark.parametrize("name", EXACT)
def test_exact_boxes_are_those_of_the_gradient(name: str) -> None:
    assert judge(EXACT[name], "", image(13, 17)).status == "exact"


@pytest.mark.parametrize("name", AT_MOST)
def test_other_boxes_hold_the_gradient(name: str) -> None:
    assert judge(AT_MOST[name], "", image(13, 17)).status == "at most"


def test_textbook_numbers_agree_with_boxes_inside() -> None:
    for network in EXACT.values():
        field = fields(network, image(37, 49))[""]
        assert field.status == "exact"
        y, x = (side // 2 for side in field.grid)
        top, left, bottom, right = field.box(y, x)
        assert (top, bottom) == field.vertical.span(y)
        assert (left, right) == field.horizontal.span(x)


@pytest.mark.parametrize(
    ("network", "layers"),
    [
        (zoo.resnet18, {"conv1": "exact", "layer1.1": "exact", "layer2.0.bn2": "exact"}),
        (zoo.squeezenet1_1, {"features.2": "exact", "features.8": "exact"}),
        (zoo.mobilenet_v2, {"features.4.conv.1": "exact", "features.7": "exact"}),
        (zoo.densenet121, {"features.denseblock1": "exact", "features.transition1": "exact"}),
        (zoo.shufflenet_v2_x0_5, {"stage2.0": "exact", "stage2.2": "at most"}),
        (
            lambda: zoo.googlenet(init_weights=False, aux_logits=False),
            {"maxpool2": "exact", "inception3b": "exact"},
        ),
        (
            lambda: zoo.resnet50(replace_stride_with_dilation=[True, True, True]),
            {"layer2.1.conv2": "exact"},
        ),
    ],
)
def test_networks_against_the_gradient(network: Any, layers: dict[str, str]) -> None:
    net, example = network(), image(49, 67)
    for layer, status in layers.items():
        rows, columns = fields(net, example)[layer].grid
        units = [(0, 0), (rows // 2, columns // 2), (rows - 1, columns - 1), (rows - 1, 0)]
        assert judge(net, layer, example, units).status == status


def test_max_pooling_is_followed_like_its_mean_twin() -> None:
    net, example = nn.MaxPool2d(3, 2, 2 // 2, dilation=2), image(12, 15)
    field = fields(net, example)[""]
    touched: dict[Any, set[Any]] = {}
    for _ in range(200):
        x = torch.rand(1, 1, 12, 15, requires_grad=True)
        for unit in [(0, 0), (2, 3), (field.grid[0] - 1, field.grid[1] - 1)]:
            (slope,) = torch.autograd.grad(net(x)[0, 0, unit[0], unit[1]], x)
            touched.setdefault(unit, set()).update(map(tuple, slope[0, 0].nonzero().tolist()))
    for unit, pixels in touched.items():
        rows, columns = zip(*pixels, strict=True)
        assert field.box(*unit) == (min(rows), min(columns), max(rows) + 1, max(columns) + 1)


# -------------------------------------------------------------------------------- projective fields


@pytest.mark.parametrize("name", ["same", "stride beyond kernel", "ceil", "residual", "dilated"])
def test_units_are_those_whose_box_meets_it(name: str) -> None:
    field = fields(EXACT[name], image(13, 17))[""]
    rows, columns = field.grid
    for box in [Box(0, 0, 1, 1), Box(5, 6, 7, 9), Box(12, 16, 13, 17), Box(0, 0, 13, 17)]:
        meet = []
        for y in range(rows):
            for x in range(columns):
                top, left, bottom, right = field.box(y, x)
                tall = max(top, box.top) < min(bottom, box.bottom)
                if tall and max(left, box.left) < min(right, box.right):
                    meet.append((y, x))
        found = field.units(box)
        inside = [
            (y, x) for y in range(found.top, found.bottom) for x in range(found.left, found.right)
        ]
        assert inside == meet


def test_a_pixel_between_windows_is_seen_by_none() -> None:
    assert fields(conv(3, 2, 1, 3), image(9, 9))[""].units((1, 1, 2, 2)) == (0, 0, 0, 0)
