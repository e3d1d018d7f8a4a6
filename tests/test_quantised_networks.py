"""Networks of 8-bit numbers are looked into as far as they go, and what does not go is said."""

import pytest
import torch

import pellucid as pl
from quantised import quantised

pytestmark = pytest.mark.filterwarnings("ignore")  # torch.ao is deprecated


@pytest.fixture(params=["static", "graph"])
def net(request: pytest.FixtureRequest) -> pl.Network:
    torch.manual_seed(1)
    return pl.Network(quantised(request.param), size=16)


def test_what_needs_no_gradient_works(net: pl.Network, cat: pl.Photo) -> None:
    assert pl.predict(net, cat).values.sum() == pytest.approx(1)
    assert pl.occlusion(net, cat, window=4).values.any()
    several = [cat, pl.open_image("photo:rocket")]
    assert pl.cam(net, several, way="scorecam").values.shape == (2, 1, 7, 7)
    assert pl.cam(
        net, cat, way="ablationcam", target=lambda seen: seen[""].square().sum(1)
    ).values.any()
    assert pl.cam(net, cat, way="eigencam").values.any()
    assert pl.activations(net, cat, "conv").values.shape == (4, 1, 7, 7)
    channel = pl.activations(net, cat, "conv", channel=1).values
    assert len(channel.unique()) < 256 and channel.is_floating_point()
    assert pl.occlusion(net, cat, window=4, target="conv:1").values.isfinite().all()


def test_the_network_goes_on_with_what_it_computed(net: pl.Network, cat: pl.Photo) -> None:
    x = net.prepare(cat)[0]
    before = net.module(x)
    with pl.recording(net, ["conv", ""], stop=False) as seen:
        after = net.module(x)
    assert torch.equal(after, before) and torch.equal(seen[""], before)
    assert seen["conv"].is_floating_point()


def test_what_needs_one_says_what_to_ask_for(net: pl.Network, cat: pl.Photo) -> None:
    for layer in (None, "conv"):
        with pytest.raises(pl.PellucidError, match=r"no gradient of .* quantised"):
            pl.cam(net, cat, layer=layer)
    with pytest.raises(pl.PellucidError, match="ask for occlusion, or scorecam"):
        pl.cam(net, cat)
    with pytest.raises(pl.PellucidError, match="no gradient reaches the image"):
        pl.saliency(net, cat)
