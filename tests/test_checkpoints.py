"""Checkpoints: networks that compute anew on the way back are explained as those that do not."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils import checkpoint as module_of_torch
from torch.utils.checkpoint import checkpoint, checkpoint_sequential

import pellucid as pl
from pellucid.checkpoints import without_checkpoints


class Saving(nn.Module):
    def __init__(self, how: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.how = how
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 4, 3), nn.ReLU()
        )

    def forward(self, x: Tensor) -> Tensor:
        if self.how == "plain":
            x = self.body(x)
        elif self.how == "sequential":
            x = checkpoint_sequential(self.body, 2, x, use_reentrant=False)
        else:
            x = checkpoint(self.body, x, use_reentrant=self.how == "reentrant")
        return x.mean((2, 3))


def network(how: str) -> pl.Network:
    return pl.Network(Saving(how).eval(), size=20)


@pytest.mark.parametrize("how", ["reentrant", "other", "sequential"])
@pytest.mark.parametrize(
    "ask",
    [
        pl.saliency, pl.guided, pl.deconv, pl.integrated, pl.occlusion, pl.input_x_gradient, pl.cam,
        lambda net, photo: pl.cam(net, photo, way="guided"),
        lambda net, photo: pl.saliency(net, photo, target="body.3:1"),
        lambda net, photo: pl.dream(net, photo, "body.3:1", steps=1),
    ],
)  # fmt: skip
def test_the_same_as_without(how: str, ask: Callable[..., Any], cat: pl.Photo) -> None:
    wanted, found = ask(network("plain"), cat), ask(network(how), cat)
    assert torch.equal(found.values, wanted.values)
    assert found.caption.replace("Saving", "") == wanted.caption.replace("Saving", "")


def test_torch_has_its_own_again_also_after_an_error() -> None:
    names = [name for name in dir(module_of_torch) if "heckpoint" in name]
    before = [getattr(module_of_torch, name) for name in names]
    with pytest.raises(ZeroDivisionError), without_checkpoints(), without_checkpoints():
        assert [getattr(module_of_torch, name) for name in names] != before
        raise ZeroDivisionError
    assert [getattr(module_of_torch, name) for name in names] == before
    calls = []
    x = torch.rand(1, 3, 20, 20, requires_grad=True)
    net = network("other")
    net.module.body[0].register_forward_hook(lambda *_: calls.append(1))
    net.module(x).sum().backward()
    assert len(calls) == 2  # there and back


def test_a_network_of_timm(cat: pl.Photo) -> None:
    timm = pytest.importorskip("timm")
    module = timm.create_model("test_vit", pretrained=False, num_classes=5).eval()
    net = pl.Network(module, size=160)
    wanted = pl.cam(net, cat)
    module.set_grad_checkpointing(True)
    assert torch.equal(pl.cam(net, cat).values, wanted.values)
