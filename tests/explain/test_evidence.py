"""The layer that a class activation map is taken from, on networks of every make."""

from collections.abc import Callable

import pytest
import torch
from test_cam import WAYS
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import models
from torchvision.models.convnext import CNBlockConfig

import pellucid as pl
from pellucid.explain.evidence import evidence
from pellucid.question import Question
from pellucid.record import watching


def small(name: str) -> pl.Network:
    """An architecture in a small make, random, with a head that is not zero."""
    torch.manual_seed(0)
    tiny_vit = {"img_size": 64, "patch_size": 16, "embed_dim": 32, "depth": 3, "num_heads": 2}
    made: dict[str, Callable[[], nn.Module]] = {
        "resnet18": lambda: models.resnet18(num_classes=10),
        "squeezenet1_1": lambda: models.squeezenet1_1(num_classes=10),
        "densenet": lambda: models.DenseNet(8, (2, 2), 16, num_classes=10),
        "swin": lambda: models.SwinTransformer(
            [4, 4], 16, [1, 2], [2, 2], [4, 4], stochastic_depth_prob=0.0, num_classes=10
        ),
        "convnext": lambda: models.ConvNeXt(
            [CNBlockConfig(16, 32, 1), CNBlockConfig(32, None, 2)], num_classes=10
        ),
        "vit": lambda: VisionTransformer(**tiny_vit, num_classes=10),
        "registers": lambda: VisionTransformer(**tiny_vit, num_classes=10, reg_tokens=2),
        "mean": lambda: VisionTransformer(**tiny_vit, num_classes=10, global_pool="avg"),
    }
    return pl.Network(made[name](), size=64)


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("resnet18", "layer4"),
        ("squeezenet1_1", "features"),
        ("densenet", "relu()"),
        ("swin", "permute"),
        ("convnext", "features"),
        ("vit", "blocks.2.norm1"),
        ("registers", "blocks.2.norm1"),
        ("mean", "blocks.2.norm2"),
    ],
)
def test_the_last_layer_with_places(name: str, layer: str, cat: pl.Photo) -> None:
    net = small(name)
    made = pl.cam(net, cat, target=0)
    assert f" at {layer}, " in made.caption, made.caption
    named = pl.cam(net, cat, target=0, layer=layer)
    assert bool(made.values.any()) or name == "squeezenet1_1"  # of a class that is rectified away
    torch.testing.assert_close(made.values, named.values)
    assert made.values.shape == net.layers[layer].layout.grid


def test_of_a_channel_the_layer_that_makes_it(bundled: pl.Network, cat: pl.Photo) -> None:
    assert " at relu5, " in pl.cam(bundled, cat, target="relu6:3").caption
    assert " at relu5, " in pl.cam(bundled, cat, target=["cougar_face", "conv6:3@2,2"]).caption
    # Of one in the first layer there is only the channel itself.
    assert " at conv1, " in pl.cam(bundled, cat, target="conv1:3").caption


@pytest.mark.parametrize(("name", "prefix"), [("vit", 1), ("registers", 3)])
def test_a_transformers_tokens_are_laid_back(name: str, prefix: int, cat: pl.Photo) -> None:
    """Against gradients taken by hand, at the last block's first norm."""
    net = small(name)
    net.module.eval()
    tokens: list[Tensor] = []
    norm = net.module.blocks[2].norm1
    hook = norm.register_forward_hook(lambda _module, _inputs, output: tokens.append(output))
    score = net.module(net.prepare(cat)[0])[0, 7]
    hook.remove()
    (slope,) = torch.autograd.grad(score, tokens[0])
    wanted = torch.zeros(4, 4)
    for row in range(4):
        for column in range(4):
            here = tokens[0][0, prefix + 4 * row + column].detach()
            wanted[row, column] = torch.dot(slope[0, prefix:].mean(0), here).relu()
    assert float(wanted.max()) > 1e-4
    found = pl.cam(net, cat, target=7)
    torch.testing.assert_close(found.values, wanted, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", ["swin", "vit", "convnext"])
def test_transformers_by_every_way(name: str, cat: pl.Photo) -> None:
    net = small(name)
    for way in WAYS:
        made = pl.cam(net, cat, target=3, way=way)
        assert bool(made.values.isfinite().all()) and float(made.values.max()) > 0, way


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float64])
@pytest.mark.parametrize("name", ["resnet18", "vit"])
def test_in_half_and_double_precision(name: str, kind: torch.dtype, cat: pl.Photo) -> None:
    net = small(name)
    wanted = pl.cam(net, cat, target=1).values
    found = pl.cam(pl.Network(net.module.to(kind), size=64), cat, target=1).values
    rough = 0.1 if kind == torch.bfloat16 else 1e-4
    torch.testing.assert_close(found, wanted, rtol=0, atol=rough * float(wanted.max()))


def test_a_layer_whose_places_no_longer_count(cat: pl.Photo) -> None:
    net = small("vit")
    with pytest.raises(pl.PellucidError, match=r"class token alone.*such as 'blocks\.2\.norm1'"):
        pl.cam(net, cat, target=0, layer="norm")


class Beside(nn.Module):
    """Two branches of which one does not count, and one that a gradient does not pass."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right, self.cut = (nn.Conv2d(3, 2, 1) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        self.left(x)
        return (self.right(x) + self.cut(x).detach()).mean((2, 3))


@pytest.mark.parametrize("layer", ["left", "cut"])
def test_a_layer_that_no_gradient_reaches(layer: str, cat: pl.Photo) -> None:
    net = pl.Network(Beside(), size=8)
    with pytest.raises(pl.PellucidError, match=f"no gradient of class:1 reaches layer '{layer}'"):
        pl.cam(net, cat, target=1, layer=layer)
    assert " at right, " in pl.cam(net, cat, target=1).caption


def test_targets_on_different_branches_meet_where_they_part() -> None:
    """Each branch has a layer of its own; the one that all come from is taken."""

    class Parted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.trunk, self.left, self.right = (nn.Conv2d(3, 3, 1) for _ in range(3))

        def forward(self, x: Tensor) -> Tensor:
            x = self.trunk(x)
            left, right = (F.relu(part(x)).mean((1, 2, 3)) for part in (self.left, self.right))
            return torch.stack([left, right], 1)

    torch.manual_seed(0)
    net = pl.Network(Parted(), size=8, mean=[0.0] * 3, std=[1.0] * 3)
    for weight in net.module.parameters():
        nn.init.uniform_(weight)
    for target in (0, 1):
        alone = pl.cam(net, "photo:cat", target=target).caption
        assert " at relu()#2, " in alone if target else " at relu(), " in alone
    both = pl.cam(net, "photo:cat", target=["0", "1"])
    assert all(" at trunk, " in one for one in both.captions[0]), both.captions


def test_a_network_without_places(cat: pl.Photo) -> None:
    net = pl.Network(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 2)), size=8)
    with pytest.raises(pl.PellucidError, match="no layer with places in the photo: ask for sal"):
        pl.cam(net, cat)


@pytest.mark.parametrize("layer", ["block.relu", "block.relu#2", "relu()", "stem.1", "gelu"])
def test_rectifiers_of_every_make(layer: str, tiny: pl.Network, cat: pl.Photo) -> None:
    """In place, used twice, functional: the gradient is that of what the layer puts out."""
    inputs = tiny.prepare(cat)[0]
    seen: list[Tensor] = []
    tiny.module.eval()
    with pl.recording(tiny, [layer], stop=False) as clean, torch.no_grad():
        before = tiny.module(inputs)
    maps = clean[layer]
    direction = torch.linspace(-1, 1, maps.numel()).reshape(maps.shape)

    def moved(name: str, output: Tensor, _inputs: object, _in_place: bool) -> Tensor:
        if name == layer:
            output.data += 1e-3 * direction
            seen.append(output)
        return output

    with watching(tiny.module, moved), torch.no_grad():
        change = (tiny.module(inputs) - before)[0, 2] / 1e-3
    assert len(seen) == 1
    with tiny.at_rest():
        (one,) = evidence(Question.of(tiny, cat, 2), layer)
    along = float((one.slopes[0, 0] * direction[0]).sum())
    assert along == pytest.approx(float(change), rel=2e-2, abs=1e-5)
    assert abs(along) > 1e-4


class Cut(nn.Module):
    """Its answer depends on the photo, but no gradient comes back."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(4, 2)

    def forward(self, image: Tensor) -> Tensor:
        found: Tensor = self.head(self.conv(image).detach().mean((2, 3)))
        return found


@pytest.mark.parametrize("layer", [None, "conv"])
def test_a_gradient_that_is_cut_off_is_not_called_zero(layer: str | None, cat: pl.Photo) -> None:
    torch.manual_seed(0)
    net = pl.Network(Cut(), size=8, labels=["one", "other"])
    for way in ("gradcam", "gradcam++", "layercam", "guided"):
        with pytest.raises(pl.PellucidError, match=r"no gradient of .* reaches .* cuts gradients"):
            pl.cam(net, cat, layer=layer, way=way)
    assert pl.cam(net, cat, layer=layer, way="scorecam").values.any()  # needs none
