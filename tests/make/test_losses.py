"""The losses of a stylist's training, from their formulas."""

import pytest
import torch

import pellucid as pl
from pellucid.make.natural import colours
from pellucid.make.painting.losses import Losses
from pellucid.target import observe


def test_the_losses_are_what_their_formulas_say(bundled: pl.Network) -> None:
    torch.manual_seed(0)
    usual, style = torch.rand(3, 3, 40, 40), torch.rand(3, 48, 48)
    photos, pictures = torch.rand(2, 3, 40, 40), torch.rand(2, 3, 40, 40)
    with bundled.at_rest(), torch.no_grad():
        losses = Losses(bundled, [style, style.flip(0)], ["relu1"], ["relu3"], usual)
        found = losses(pictures, losses.features(photos), torch.tensor([1, 1]))

        def seen(images: torch.Tensor, layer: str) -> torch.Tensor:
            return observe(bundled, bundled.preprocess.normalise(images), {layer})[layer].double()

        def grams(maps: torch.Tensor) -> torch.Tensor:
            places = maps.shape[2] * maps.shape[3]
            return torch.einsum("bihw,bjhw->bij", maps, maps) / places

        others = torch.stack(
            [(seen(usual[[n]], "relu1") - seen(usual[[n - 1]], "relu1")) ** 2 for n in range(3)]
        )
        content = [
            ((seen(pictures[[n]], "relu1") - seen(photos[[n]], "relu1")) ** 2).mean()
            / others.mean()
            for n in range(2)
        ]
        wanted = grams(seen(style.flip(0)[None], "relu3"))
        far = ((grams(seen(usual, "relu3")) - wanted) ** 2).sum((1, 2)).mean()
        styled = ((grams(seen(pictures, "relu3")) - wanted) ** 2).sum((1, 2)) / far

        mean, root = colours()

        def axes(images: torch.Tensor) -> torch.Tensor:
            pixels = images.flatten(2) - mean[:, None]
            flat = torch.linalg.inv(root).double() @ pixels.double()
            ones = torch.ones(len(images), 1, flat.shape[2], dtype=torch.float64)
            return torch.cat([flat, ones], 1)[:, :, :, None]

        dyed = grams(axes(style.flip(0)[None]))
        distance = ((grams(axes(usual)) - dyed) ** 2).sum((1, 2)).mean()
        coloured = ((grams(axes(pictures)) - dyed) ** 2).sum((1, 2)) / distance
    assert found.content.tolist() == pytest.approx([float(one) for one in content], rel=1e-3)
    assert found.style.tolist() == pytest.approx(styled.tolist(), rel=1e-3)
    assert found.colour.tolist() == pytest.approx(coloured.tolist(), rel=1e-3)


def test_a_style_itself_has_no_style_loss_and_a_photo_no_content_loss(bundled: pl.Network) -> None:
    torch.manual_seed(0)
    usual, style = torch.rand(2, 3, 40, 40), torch.rand(3, 40, 40)
    with bundled.at_rest(), torch.no_grad():
        losses = Losses(bundled, [style], ["relu3"], ["relu1", "relu3"], usual)
        found = losses(style[None], losses.features(style[None]), torch.tensor([0]))
    assert float(found.content) == pytest.approx(0, abs=1e-6)
    assert float(found.style) == pytest.approx(0, abs=1e-6)
    assert float(found.colour) == pytest.approx(0, abs=1e-6)
    assert float(found.rough) == pytest.approx(1)
