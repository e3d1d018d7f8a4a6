"""Activations are what the network computed, each on its place."""

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl


def test_they_are_the_recorded_ones(tiny: pl.Network, cat: pl.Photo) -> None:
    with tiny.at_rest(), pl.recording(tiny, ["block.relu#2"]) as seen:
        tiny.module(tiny.prepare(cat)[0])
    found = pl.activations(tiny, cat, "block.relu#2")
    assert torch.equal(found.values[:, 0], seen["block.relu#2"][0])
    one = pl.activations(tiny, cat, "block.relu#2", channel=4)
    assert isinstance(one, pl.Heatmap)
    assert torch.equal(one.values, seen["block.relu#2"][0, 4])
    assert (found.scale, one.scale) == ("positive", "positive")
    assert pl.activations(tiny, cat, "grouped").scale == "signed"


def test_sorted_by_strength(bundled: pl.Network, cat: pl.Photo) -> None:
    found = pl.activations(bundled, cat, "relu3", sort="strength", most=10)
    means = pl.activations(bundled, cat, "relu3", most=1000).values.mean((1, 2, 3))
    assert [int(name) for name in found.names] == means.argsort(descending=True)[:10].tolist()
    assert torch.equal(found.values.mean((1, 2, 3)), means.sort(descending=True).values[:10])


class Tokens(nn.Module):
    """Patches in a row behind a class token and a register, as in a vision transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Conv2d(3, 4, 4, stride=4)
        self.mix = nn.Identity()
        self.last = nn.Identity()
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x)
        tokens = x.flatten(2).transpose(1, 2)
        extra = torch.full((len(x), 2, 4), 99.0)
        tokens = self.mix(torch.cat([extra, tokens], 1))
        self.last(tokens[:, 2:].reshape(len(x), *self.grid(x), 4))
        return self.head(tokens.mean(1))

    @staticmethod
    def grid(x: Tensor) -> tuple[int, int]:
        return x.shape[2], x.shape[3]


def test_tokens_lie_on_their_places(cat: pl.Photo) -> None:
    net = pl.Network(Tokens(), size=(16, 24))
    wanted = pl.activations(net, cat, "embed").values
    assert wanted.shape == (4, 1, 4, 6)
    for layer in ("mix", "last"):
        assert torch.equal(pl.activations(net, cat, layer).values, wanted), layer


def test_a_bright_spot_is_bright_on_its_place() -> None:
    net = pl.load("vit_b_16", weights="random", device="cpu")
    pixels = torch.zeros(3, 256, 256)  # the network sees all but 16 px at each side
    pixels[:, 64:80, 176:192] = 1  # the patch in row 3, column 10
    plain = pl.activations(net, torch.zeros(3, 256, 256), "encoder.layers.encoder_layer_0.ln_1")
    found = pl.activations(net, pixels, "encoder.layers.encoder_layer_0.ln_1")
    change = (found.values - plain.values).abs().sum((0, 1))
    assert change.shape == (14, 14)
    assert float(change[3, 10]) > 0
    change[3, 10] = 0
    assert float(change.max()) < 1e-4


def test_channels_last_as_in_swin(cat: pl.Photo) -> None:
    net = pl.load("swin_t", weights="random", device="cpu")
    name = "features.1"
    with net.at_rest(), pl.recording(net, [name]) as seen:
        net.module(net.prepare(cat)[0])
    found = pl.activations(net, cat, name, most=1000)
    assert torch.equal(found.values[:, 0], seen[name][0].permute(2, 0, 1))


def test_a_vector_has_one_number_for_each_channel(tiny: pl.Network, cat: pl.Photo) -> None:
    found = pl.activations(tiny, cat, "drop")
    assert found.values.shape == (8, 1, 1, 1) and found.joint
    shades = found.image()
    assert float(shades.std()) > 0.05


def test_wrong_requests(tiny: pl.Network, cat: pl.Photo) -> None:
    with pytest.raises(pl.PellucidError, match=r"'stem\.0' has channels 0 to 5, not 6"):
        pl.activations(tiny, cat, "stem.0", channel=6)
    with pytest.raises(pl.Unknown, match=r"no layer 'stem\.7'; did you mean"):
        pl.activations(tiny, cat, "stem.7")
    flat = pl.Network(nn.Sequential(nn.Flatten(), nn.Linear(48, 2)), size=4)
    with pytest.raises(pl.PellucidError, match="no layer whose channels have places"):
        pl.activations(flat, cat)
