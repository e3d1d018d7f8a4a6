"""Layout: channels, places and tokens, on networks of every kind."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torchvision import models

import pellucid as pl
from pellucid.layout import Layout, infer


def torchvision_vit(height: int = 64) -> nn.Module:
    return models.VisionTransformer(
        image_size=height,
        patch_size=16,
        num_layers=2,
        num_heads=2,
        hidden_dim=24,
        mlp_dim=48,
        num_classes=5,
    )


def torchvision_swin() -> nn.Module:
    return models.SwinTransformer(
        patch_size=[4, 4],
        embed_dim=12,
        depths=[1, 1],
        num_heads=[2, 2],
        window_size=[4, 4],
        num_classes=5,
    )


def timm_vit(**options: object) -> nn.Module:
    timm = pytest.importorskip("timm")
    from timm.models.vision_transformer import VisionTransformer

    assert timm
    small = {"patch_size": 8, "embed_dim": 24, "depth": 2, "num_heads": 2, "num_classes": 5}
    return VisionTransformer(**{**small, **options})


def timm_model(name: str) -> nn.Module:
    return pytest.importorskip("timm").create_model(name, num_classes=5)


def hugging(kind: str, **options: object) -> nn.Module:
    transformers = pytest.importorskip("transformers")
    config = getattr(transformers, f"{kind}Config")(**options)
    return getattr(transformers, f"{kind}ForImageClassification")(config)


HF_VIT = dict(
    hidden_size=24, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48, patch_size=8
)
HF_SWIN = dict(
    image_size=64, patch_size=4, embed_dim=12, depths=[1, 1], num_heads=[2, 2], window_size=4
)

# name: (make, (height, width), {layer: (form, channels, grid, prefix)})
CASES: dict[str, tuple[Callable[[], nn.Module], tuple[int, int], dict[str, tuple[object, ...]]]] = {
    "resnet18": (
        lambda: models.resnet18(num_classes=5),
        (96, 160),
        {
            "conv1": ("map", 64, (48, 80), 0),
            "layer4": ("map", 512, (3, 5), 0),
            "avgpool": ("map", 512, (1, 1), 0),
            "fc": ("vector", 5, (1, 1), 0),
        },
    ),
    "vgg11": (
        lambda: models.vgg11(num_classes=5, init_weights=False),
        (64, 64),
        {"features.0": ("map", 64, (64, 64), 0), "classifier.3": ("vector", 4096, (1, 1), 0)},
    ),
    "densenet121": (
        lambda: models.densenet121(num_classes=5),
        (64, 96),
        {"features.denseblock2": ("map", 512, (8, 12), 0), "relu()": ("map", 1024, (2, 3), 0)},
    ),
    "mobilenet_v2": (
        lambda: models.mobilenet_v2(num_classes=5),
        (64, 64),
        {"features.18": ("map", 1280, (2, 2), 0), "classifier.1": ("vector", 5, (1, 1), 0)},
    ),
    "torchvision vit": (
        torchvision_vit,
        (64, 64),
        {
            "conv_proj": ("map", 24, (4, 4), 0),
            "encoder.layers.encoder_layer_1": ("tokens", 24, (4, 4), 1),
            "encoder.ln": ("tokens", 24, (4, 4), 1),
            "heads": ("vector", 5, (1, 1), 0),
        },
    ),
    "torchvision swin": (
        torchvision_swin,
        (64, 64),
        {
            "features.0": ("channels last", 12, (16, 16), 0),
            "features.1": ("channels last", 12, (16, 16), 0),
            "features.3": ("channels last", 24, (8, 8), 0),
            "permute": ("map", 24, (8, 8), 0),
        },
    ),
    "torchvision swin, not square": (
        torchvision_swin,
        (64, 96),
        {
            "features.1": ("channels last", 12, (16, 24), 0),
            "features.3": ("channels last", 24, (8, 12), 0),
        },
    ),
    "timm vit": (
        lambda: timm_vit(img_size=64),
        (64, 64),
        {
            "patch_embed.proj": ("map", 24, (8, 8), 0),
            "patch_embed": ("tokens", 24, (8, 8), 0),
            "blocks.1": ("tokens", 24, (8, 8), 1),
        },
    ),
    "timm vit with registers, not square": (
        lambda: timm_vit(img_size=(32, 48), reg_tokens=4),
        (32, 48),
        {
            "patch_embed": ("tokens", 24, (4, 6), 0),
            "blocks.0": ("tokens", 24, (4, 6), 5),
            "norm": ("tokens", 24, (4, 6), 5),
        },
    ),
    "timm vit_tiny": (
        lambda: timm_model("vit_tiny_patch16_224"),
        (224, 224),
        {"blocks.0": ("tokens", 192, (14, 14), 1), "head": ("vector", 5, (1, 1), 0)},
    ),
    "hugging face vit": (
        lambda: hugging("ViT", image_size=64, **HF_VIT),
        (64, 64),
        {
            "vit.embeddings.patch_embeddings": ("tokens", 24, (8, 8), 0),
            "vit.embeddings": ("tokens", 24, (8, 8), 1),
            "vit.layernorm": ("tokens", 24, (8, 8), 1),
            "classifier": ("vector", 2, (1, 1), 0),
        },
    ),
    "hugging face vit with attention by hand, not square": (
        lambda: hugging("ViT", image_size=(48, 64), attn_implementation="eager", **HF_VIT),
        (48, 64),
        {"vit.embeddings": ("tokens", 24, (6, 8), 1), "vit.layernorm": ("tokens", 24, (6, 8), 1)},
    ),
    "hugging face swin": (
        lambda: hugging("Swin", **HF_SWIN),
        (64, 64),
        {
            "swin.embeddings": ("tokens", 12, (16, 16), 0),
            "swin.encoder.layers.0.blocks.0": ("tokens", 12, (16, 16), 0),
            "swin.layernorm": ("tokens", 24, (8, 8), 0),
        },
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_form_channels_grid_and_prefix(case: str) -> None:
    make, size, wanted = CASES[case]
    net = pl.Network(make(), size=size)
    layers = net.layers
    for name, (form, channels, grid, prefix) in wanted.items():
        assert name in layers
        assert layers[name].layout == Layout(form, channels, grid, prefix), name  # type: ignore[arg-type]
    inputs = torch.rand(2, 3, *size)
    with torch.no_grad(), pl.recording(net.module, list(wanted)) as seen:
        net.module.eval()(inputs)
    for name in wanted:
        layout = layers[name].layout
        assert layout.maps(seen[name]).shape == (2, layout.channels, *layout.grid)


PATCHES = {
    "torchvision vit": "conv_proj",
    "torchvision swin": "features.0",
    "torchvision swin, not square": "features.0",
    "timm vit with registers, not square": "patch_embed",
    "hugging face vit": "vit.embeddings",
    "hugging face vit with attention by hand, not square": "vit.embeddings",
    "hugging face swin": "swin.embeddings",
}


@pytest.mark.parametrize("case", PATCHES)
def test_a_marked_region_lights_up_where_it_is(case: str) -> None:
    make, size, _ = CASES[case]
    torch.manual_seed(0)
    module = make().eval()
    net = pl.Network(module, size=size)
    layer = net.layer(PATCHES[case])
    rows, columns = layer.layout.grid
    row, column = rows // 4, columns - 2  # off every axis of symmetry
    tall, wide = size[0] // rows, size[1] // columns
    black = torch.zeros(1, 3, *size)
    marked = black.clone()
    marked[:, :, row * tall : (row + 1) * tall, column * wide : (column + 1) * wide] = 1
    found = []
    for inputs in (black, marked):
        with torch.no_grad(), pl.recording(module, [layer.name]) as seen:
            module(inputs)
        found.append(layer.layout.maps(seen[layer.name])[0])
    change = (found[1] - found[0]).abs().sum(0)
    assert divmod(int(change.argmax()), columns) == (row, column)
    assert int((change > 1e-5).sum()) == 1  # patches do not overlap: nothing else has changed


def test_prefix_tokens_are_in_front_and_left_out_of_maps() -> None:
    values = torch.arange(5 + 6).float().view(1, 11, 1).expand(2, 11, 3)
    layout = infer((1, 11, 3), (16, 24), [(2, 3)])
    assert layout == Layout("tokens", 3, (2, 3), 5)
    assert layout.maps(values)[0, 0].tolist() == [[5, 6, 7], [8, 9, 10]]
    assert layout.token(values, 4)[1].tolist() == [4, 4, 4]


@pytest.mark.parametrize(
    ("shape", "image", "grids", "wanted"),
    [
        ((1, 197, 768), (224, 224), [], Layout("tokens", 768, (14, 14), 1)),
        ((1, 50, 768), (224, 224), [], Layout("tokens", 768, (7, 7), 1)),
        ((1, 261, 384), (224, 224), [(16, 16)], Layout("tokens", 384, (16, 16), 5)),
        ((1, 151, 24), (160, 240), [], Layout("tokens", 24, (10, 15), 1)),
        ((1, 1, 24), (64, 64), [], Layout("tokens", 24, (1, 1), 0)),
        ((1, 512, 196), (224, 224), [], Layout("other")),  # an MLP over places: channels first
        ((1, 512, 1, 1), (64, 96), [], Layout("map", 512, (1, 1))),
        ((1, 56, 56, 96), (224, 224), [], Layout("channels last", 96, (56, 56))),
        ((1, 96, 56, 56), (224, 224), [], Layout("map", 96, (56, 56))),
        ((1, 3, 197, 197), (224, 224), [(14, 14)], Layout("other")),  # attention
        ((1, 64, 35, 35), (299, 299), [(149, 149), (71, 71)], Layout("map", 64, (35, 35))),
        ((1, 8, 16, 16), (64, 64), [(4, 4)], Layout("map", 8, (16, 16))),
        ((16, 49, 96), (224, 224), [], Layout("other")),  # windows in the batch axis
        ((1, 10), (32, 32), [], Layout("vector", 10)),
        ((1,), (32, 32), [], Layout("other")),
        ((1, 0, 3), (32, 32), [], Layout("other")),
        ((1, 3, 4, 8, 8), (32, 32), [], Layout("other")),
    ],
)
def test_shapes(
    shape: tuple[int, ...],
    image: tuple[int, int],
    grids: list[tuple[int, int]],
    wanted: Layout,
) -> None:
    assert infer(shape, image, grids) == wanted


def test_what_has_no_channels_says_so() -> None:
    with pytest.raises(pl.PellucidError, match="no channels"):
        Layout("other").maps(torch.rand(1, 2, 3, 4, 5))


def test_attention_by_hand_has_no_channels() -> None:
    make, size, _ = CASES["hugging face vit with attention by hand, not square"]
    layers = pl.Network(make(), size=size).layers
    weights = [layer for layer in layers.values() if layer.shape == (2, 49, 49)]
    assert weights and all(layer.layout.form == "other" for layer in weights)
