"""Saliency against finite differences, and where the answer is known."""

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from lively import lively


def network() -> pl.Network:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 5, 3), nn.ReLU(inplace=True),
        nn.Flatten(), nn.Linear(5 * 4 * 5, 3),
    )  # fmt: skip
    return pl.Network(module.double(), size=(6, 7), mean=[0.4, 0.5, 0.6], std=[0.2, 0.3, 0.4])


@pytest.mark.parametrize("target", ["class:1", "3:2", "2:4@0,3", "0:1@5,6"])
def test_is_the_difference_that_a_pixel_makes(target: str, cat: pl.Photo) -> None:
    net = network()
    inputs = net.prepare(cat)[0]
    unit = net.unit(target)
    step = 1e-6
    wanted = torch.zeros(6, 7)
    with torch.no_grad():
        for row in range(6):
            for column in range(7):
                for channel in range(3):
                    above, below = inputs.clone(), inputs.clone()
                    above[0, channel, row, column] += step
                    below[0, channel, row, column] -= step
                    change = (net.neurons(above, unit) - net.neurons(below, unit)) / (2 * step)
                    wanted[row, column] = max(float(wanted[row, column]), abs(float(change)))
    assert float(wanted.max()) > 0
    found = pl.saliency(net, cat, target=target).values
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-4)


def test_of_a_linear_score_it_is_the_weight(cat: pl.Photo) -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 6 * 7, 2))
    net = pl.Network(module, size=(6, 7))
    wanted = module[1].weight[1].detach().reshape(3, 6, 7).abs().amax(0)
    assert torch.equal(pl.saliency(net, cat, target="class:1").values, wanted)


def test_the_class_of_the_photo_where_none_is_given(tiny: pl.Network, cat: pl.Photo) -> None:
    best = pl.predict(tiny, cat).names[0]
    assert torch.equal(pl.saliency(tiny, cat).values, pl.saliency(tiny, cat, target=best).values)


def test_of_a_token_of_a_transformer(cat: pl.Photo) -> None:
    """In a first layer that mixes nothing, a token depends on its own patch alone."""
    net = lively("vit_b_16", 224)
    found = pl.saliency(net, cat, target="encoder.layers.encoder_layer_0.ln_1:7@3,10").values
    assert float(found[48:64, 160:176].min()) >= 0 < float(found[48:64, 160:176].max())
    found[48:64, 160:176] = 0
    assert not found.any()
    assert not pl.saliency(
        net, cat, target="encoder.layers.encoder_layer_0.ln_1:7@token0"
    ).values.any()


class Cut(nn.Module):
    """A network that no gradient passes, for one of three reasons."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    def forward(self, x: Tensor) -> Tensor:
        if self.how == "detached":
            x = x.detach()
        if self.how == "infinite":
            x = (x - x).sqrt()
        return x.sum((2, 3))


@pytest.mark.parametrize(
    ("how", "message"),
    [("detached", "no gradient reaches the image"), ("infinite", "the gradient is not finite")],
)
def test_a_network_that_lets_no_gradient_through(how: str, message: str, cat: pl.Photo) -> None:
    with pytest.raises(pl.PellucidError, match=message):
        pl.saliency(pl.Network(Cut(how), size=4), cat, target="class:0")


def test_a_score_that_no_pixel_changes_is_said(cat: pl.Photo) -> None:
    net = network()
    assert "zero" not in pl.saliency(net, cat, target="class:1").caption
    nn.init.zeros_(net.module[5].weight)
    caption = pl.saliency(net, cat, target="class:1").caption
    assert caption.endswith(": zero everywhere, no pixel changes it")


def test_a_network_as_before_training_is_recognised(cat: pl.Photo) -> None:
    """All its scores are equal; what is black then is no fault of the method."""
    net = network()
    nn.init.zeros_(net.module[5].weight)
    nn.init.zeros_(net.module[5].bias)
    wanted = "the network scores all classes alike: is it trained?"
    for method, settings in (
        (pl.saliency, {}), (pl.saliency, {"reduce": "colour"}), (pl.guided, {}), (pl.cam, {}),
        (pl.occlusion, {"stride": 4}), (pl.integrated, {"steps": 2}),
    ):  # fmt: skip
        assert method(net, cat, **settings).caption.endswith("; " + wanted), method
    assert "trained" not in pl.saliency(net, cat, target="0:1").caption
    assert pl.predict(net, cat).caption.endswith("which scores all classes alike: is it trained?")
