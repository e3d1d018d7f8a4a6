"""Attention seen while it is computed: its weights are those that the network uses."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from conftest import attentive
from pellucid.explain.attention import attending, dot_product


@pytest.mark.parametrize(
    "settings",
    [{}, {"scale": 0.3}, {"is_causal": True}, {"attn_mask": True}, {"attn_mask": False}],
)
@pytest.mark.parametrize("keys", [1, 2])
def test_weights_that_are_never_written_down(settings: dict[str, Any], keys: int) -> None:
    """Weights times values are what torch gives."""
    torch.manual_seed(0)
    query, key = torch.randn(2, 2, 5, 4), torch.randn(2, keys, 5, 4)
    value = torch.randn(2, keys, 5, 3)
    if "attn_mask" in settings:
        mask = torch.randn(5, 5)
        settings = {"attn_mask": mask > -0.5 if settings["attn_mask"] else mask}
    settings |= {"enable_gqa": keys == 1}
    wanted = F.scaled_dot_product_attention(query, key, value, **settings)
    found = dot_product(query, key, value, **settings) @ value
    torch.testing.assert_close(found, wanted)


def test_the_network_computes_as_ever(cat: pl.Photo) -> None:
    """Also where weights are asked for, averaged or not."""
    module = attentive().eval()
    x = torch.randn(2, 37, 8)
    for wanted in ({}, {"average_attn_weights": False}, {"need_weights": False}):
        plain = module.first(x, x, x, **wanted)
        seen: list[Tensor] = []
        with attending(seen.append):
            watched = module.first(x, x, x, **wanted)
        torch.testing.assert_close(watched, plain)
        assert seen[0].shape == (2, 2, 37, 37)
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    with torch.inference_mode(), attending(seen.append):
        fast = layer(x)
    assert len(seen) == 2
    torch.testing.assert_close(fast, layer(x).detach(), rtol=1e-4, atol=1e-5)
