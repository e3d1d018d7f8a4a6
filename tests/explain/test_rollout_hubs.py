"""Attention rollout of the transformers of torchvision, timm and Hugging Face."""

from copy import deepcopy

import pytest
import torch
from by_hand import SMALL, by_hand, multiplied
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor
from torchvision import models

import pellucid as pl
from pellucid.explain.rollout import Strength, places, reading
from pellucid.question import Question


@torch.no_grad()
def test_of_torchvisions_transformer(cat: pl.Photo) -> None:
    torch.manual_seed(0)
    module = models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=3).eval()
    net = pl.Network(module, size=32)
    x = module._process_input(net.prepare(cat)[0])
    x = torch.cat([module.class_token, x], 1) + module.encoder.pos_embedding
    blocks = []
    for block in module.encoder.layers:
        inside = block.ln_1(x)[0]
        attention = block.self_attention
        projected = inside @ attention.in_proj_weight.T + attention.in_proj_bias
        blocks.append(by_hand(projected[:, :16], projected[:, 16:32], 2))
        x = block(x)
    found = pl.rollout(net, cat).values
    # Its head is of zeros: the class token is what it must be read from.
    torch.testing.assert_close(found, multiplied(blocks)[0, 1:].reshape(4, 4))


@pytest.mark.parametrize("fused", [True, False])
@torch.no_grad()
def test_of_timms_transformer_fused_or_not(fused: bool, cat: pl.Photo) -> None:
    torch.manual_seed(0)
    module = VisionTransformer(**SMALL, num_classes=3, reg_tokens=2).eval()
    for block in module.blocks:
        block.attn.fused_attn = fused
        block.attn.qkv.weight *= 30
    net = pl.Network(module, size=32)
    inputs: list[Tensor] = []
    hooks = [
        block.attn.qkv.register_forward_hook(lambda _m, _i, out: inputs.append(out[0]))
        for block in module.blocks
    ]
    module(net.prepare(cat)[0])
    for hook in hooks:
        hook.remove()
    wanted = multiplied([by_hand(one[:, :16], one[:, 16:32], 2) for one in inputs])
    torch.testing.assert_close(pl.rollout(net, cat).values, wanted[0, 3:].reshape(4, 4))


@pytest.mark.parametrize("kind", ["ViT", "DeiT", "Dinov2WithRegisters"])
@torch.no_grad()
def test_of_hugging_faces_transformers_beside_their_own_weights(kind: str, cat: pl.Photo) -> None:
    import transformers

    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        image_size=32, patch_size=8, num_labels=3, initializer_range=0.5,
    )  # fmt: skip
    made = getattr(transformers, f"{kind}ForImageClassification")
    eager, fused = (
        made._from_config(deepcopy(config), attn_implementation=how).eval()
        for how in ("eager", "sdpa")
    )
    fused.load_state_dict(eager.state_dict())
    nets = [pl.Network(module, size=32) for module in (eager, fused)]
    own = eager(nets[0].prepare(cat)[0], output_attentions=True).attentions
    product = multiplied([weights[0].mean(0) for weights in own])
    prefix = len(product) - 16
    found = [pl.rollout(net, cat).values for net in nets]
    layout = places(nets[0], len(product))
    with torch.enable_grad():
        rows = reading(Question.of(nets[0], cat, Strength()), layout)
    assert prefix == {"ViT": 1, "DeiT": 2, "Dinov2WithRegisters": 5}[kind]
    # DINOv2's head reads the class token and the mean of the places, but not its registers.
    assert rows == ([0] if kind != "Dinov2WithRegisters" else [0, *range(5, 21)])
    for one in found:
        torch.testing.assert_close(one, product[rows].mean(0)[prefix:].reshape(4, 4))
