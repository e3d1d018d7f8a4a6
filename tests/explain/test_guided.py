"""Guided backpropagation and the deconvnet against their formulas."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import pellucid as pl
import twins
from lively import lively
from residual import RULES, STYLES, Residual, residual


def by_hand(net: Residual, x: Tensor, channel: int, rule: str) -> Tensor:
    """Layer by layer forward and back again, with no help of autograd."""

    def back(coming: Tensor, below: Tensor) -> Tensor:
        gate = {
            "plain": below > 0,
            "guided": (below > 0) & (coming > 0),
            "deconv": coming > 0,
        }[rule]
        return torch.where(gate, coming, torch.zeros_like(coming))

    with torch.no_grad():
        scale = net.bn.weight / (net.bn.running_var + net.bn.eps).sqrt()
        a = net.conv0(x)
        b = a.clamp(min=0)
        c = (net.conv1(b) - net.bn.running_mean[:, None, None]) * scale[:, None, None]
        c = c + net.bn.bias[:, None, None] + b
        d, where = F.max_pool2d(c.clamp(min=0), 2, return_indices=True)
        e = net.conv2(d)
        places = e.shape[2] * e.shape[3]
        coming = (net.head.weight[channel] / places)[None, :, None, None].expand_as(e)
        coming = back(coming, e)
        tall, wide = (
            length - 2 * (out - 1) - 3 for length, out in zip(d.shape[2:], e.shape[2:], strict=True)
        )
        coming = F.conv_transpose2d(coming, net.conv2.weight, stride=2, output_padding=(tall, wide))
        coming = back(F.max_unpool2d(coming, where, 2, output_size=c.shape[2:]), c)
        main = F.conv_transpose2d(coming * scale[:, None, None], net.conv1.weight, padding=1)
        return F.conv_transpose2d(back(main + coming, a), net.conv0.weight, padding=1)


@pytest.mark.parametrize("rule", ["plain", *RULES])
@pytest.mark.parametrize("style", STYLES)
def test_is_the_formula_however_the_rectifier_is_called(
    style: str, rule: str, cat: pl.Photo
) -> None:
    net = residual(style)
    inputs = net.prepare(cat)[0]
    wanted = by_hand(net.module.eval(), inputs, 1, rule)
    plain = by_hand(net.module, inputs, 1, "plain")
    assert rule == "plain" or not torch.allclose(wanted, plain)
    made = (RULES | {"plain": pl.saliency})[rule](net, cat, target="1", reduce="colour")
    torch.testing.assert_close(made.values, wanted.float(), rtol=1e-6, atol=1e-9)
    if rule != "plain":
        assert made.caption.endswith("3 of 3 rectifiers overridden")


@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")
@pytest.mark.parametrize("rule", RULES)
def test_torchscript_is_as_the_module_that_it_is_made_of(rule: str, cat: pl.Photo) -> None:
    net = residual()
    traced = pl.Network(torch.jit.trace(net.module.eval(), net.blank()), size=(14, 18))
    wanted = RULES[rule](net, cat, target="1")
    for _ in range(3):  # TorchScript looks twice, then does it its own way
        made = RULES[rule](traced, cat, target="1")
        assert made.facts == wanted.facts
        torch.testing.assert_close(made.values, wanted.values)


# Rectifiers as functions, in blocks after concatenation, clipped, soft; in transformers.
NETWORKS = {
    "googlenet": (64, "57 of 57"), "inception_v3": (96, "94 of 94"),
    "densenet121": (64, "121 of 121"), "mobilenet_v3_small": (64, "33 of 33"),
    "mobilenet_v2": (64, "35 of 35"), "swin_t": (64, "12 of 12"), "convnext_tiny": (64, "18 of 18"),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", NETWORKS)
def test_is_the_formula_on_networks_of_all_makes(
    name: str, rule: str, cat: pl.Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    side, count = NETWORKS[name]
    net = lively(name, side)
    made = RULES[rule](net, cat, target="3", reduce="colour")
    assert f"{count} rectifiers overridden" in made.caption
    twins.patched(monkeypatch, rule)
    assert_near(made.values, pl.saliency(net, cat, target="3", reduce="colour").values)


def assert_near(made: Tensor, wanted: Tensor, share: float = 1e-4) -> None:
    """Equal to a share of the greatest."""
    assert float(wanted.abs().max()) > 0
    assert float((made - wanted).abs().max()) <= share * float(wanted.abs().max())
