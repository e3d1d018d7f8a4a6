"""Pictures rise on networks of every make, at every precision, at sizes that are not their own."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from conftest import attentive, awkward
from lively import lively
from pellucid.make.draw import Drawing
from pellucid.make.manner import manner
from pellucid.make.objectives import read


class Functional(nn.Module):
    """No rectifier is a module; one works in place, on the sum with what came before."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.norm, self.head = nn.BatchNorm2d(6), nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.a(x))
        x = F.relu_(x + self.norm(self.b(x)))
        x = torch.clamp(F.max_pool2d(x, 2), min=0)
        return self.head(torch.relu(x).mean((2, 3)))


def small(module: nn.Module) -> pl.Network:
    return pl.Network(module, size=(20, 28), mean=[0.4], std=[0.3])


def functional() -> pl.Network:
    torch.manual_seed(0)
    return small(Functional())


def rises(
    net: pl.Network, want: str, recipe: str = "simple", *, size: str = "", steps: int = 6
) -> Drawing:
    """Draws from noise, and looks at the picture at its beginning and its end, as it is.

    Not from grey: what was never trained, or on noise only, may be blind to it.
    """
    objective = read(want, net)
    # Steps of a length that no network overshoots in so few.
    rate = {"simple": 0.005, "lucid": 0.05, "maco": 0.05}[recipe]
    how = manner(recipe).but(
        size=size, steps=steps, rate=rate, transforms="none", regularisers="none"
    )
    with net.at_rest():
        shape = how.canvas.shape(net)
        noise = torch.rand(1, *shape, generator=torch.Generator().manual_seed(1))
        drawing = Drawing(net, objective.bind(net), how, begins=noise)
        before = float(drawing.plain()[0])
        for _ in drawing.run(objective):
            pass
        after = float(drawing.plain()[0])
    assert bool(drawing.alive.all())
    assert after > before
    return drawing


@pytest.mark.parametrize("recipe", ["simple", "lucid", "maco"])
@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (functional, ["class:1", "norm:2", "relu():3", "relu()#2:1"]),
        (lambda: small(awkward()), ["class:2", "act:3", "norm:1"]),
        (lambda: small(attentive()), ["class:2", "norm:3", "norm:3@token1", "norm:3@2,4"]),
    ],
    ids=["functional", "awkward", "attentive"],
)
def test_on_small_and_difficult_networks(
    make: Callable[[], pl.Network], wanted: list[str], recipe: str
) -> None:
    net = make()
    for want in wanted:
        made = rises(net, want, recipe).so_far().pictures
        assert made.shape == (1, 1, 20, 28)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("resnet18", ["layer1.0.relu:3", "class:7"]),
        ("mobilenet_v2", ["features.3:3", "class:7"]),
        ("densenet121", ["features.transition1:5"]),
        ("timm:vit_tiny_patch16_224", ["blocks.3:7", "blocks.3:7@token0", "blocks.1.attn:4"]),
        ("swin_t", ["features.1:5"]),
    ],
)
def test_on_architectures_that_people_use(name: str, wanted: list[str]) -> None:
    """At a size that is not their own: those that have places for so many tokens only see it so."""
    if ":" in name or name == "swin_t":
        net = pl.load(name, weights="random", device="cpu")
    else:
        net = lively(name, 64)
    for want in wanted:
        drawing = rises(net, want, size="72x80", steps=2)
        assert drawing.so_far().pictures.shape == (1, 3, 72, 80)
        assert drawing.runner.resized == ("vit" in name)


def test_the_class_head_of_a_transformer() -> None:
    """At its own size and larger; a head as it is made new says nothing of anything."""
    net = pl.load("timm:vit_tiny_patch16_224", weights="random", device="cpu")
    with torch.no_grad():
        net.module.get_submodule("head").weight.normal_(generator=torch.Generator().manual_seed(0))
    for size in ("", "250"):
        drawing = rises(net, "class:5", size=size, steps=2)
        assert drawing.so_far().pictures.shape[2] == int(size or 224)


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("recipe", ["simple", "lucid", "maco"])
def test_in_every_precision(kind: torch.dtype, recipe: str) -> None:
    """The picture's own numbers stay exact: small steps are not rounded away."""
    net = small(awkward().to(kind))
    drawing = rises(net, "class:2", recipe, steps=12)
    exact = rises(small(awkward()), "class:2", recipe, steps=12)
    assert drawing.so_far().inputs.dtype == kind
    made, wanted = (one.so_far().pictures.flatten() for one in (drawing, exact))
    assert float(torch.corrcoef(torch.stack([made, wanted]))[0, 1]) > 0.95


def test_a_network_larger_than_its_input(bundled: pl.Network) -> None:
    drawing = rises(bundled, "class:sunflower", "lucid", size="150x131", steps=4)
    assert not drawing.runner.resized
    assert drawing.so_far().pictures.shape == (1, 3, 150, 131)
