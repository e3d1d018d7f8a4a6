"""style_transfer(): regions, colours, strengths and scales; what is held, and what is bad input."""

from typing import Any

import pytest
import torch
from torch import Tensor

import pellucid as pl
from pellucid.make.blend import Blend, Manner, shares
from pellucid.make.easel import numbers, regions, seen, weighed
from pellucid.make.strata import strata
from pellucid.make.terms import GramTerm
from pellucid.make.tones import coloured, luminance, recoloured, relit

QUICK: dict[str, Any] = {"size": 96, "octaves": 1, "steps": 4}


def some(height: int, width: int, seed: int = 0) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return 0.2 + 0.6 * torch.rand(3, height, width, generator=random)


def blend(net: pl.Network, *masks: Tensor | None, tile: int | None = None) -> Blend:
    styles = [
        Manner(seen(net, some(80, 90, seed) ** 4), 1.0, mask) for seed, mask in enumerate(masks, 5)
    ]
    return Blend(
        net, seen(net, some(96, 120)), styles, strata(net, "pixels; relu1; relu4"), {"relu5": 1.0},
        tile=tile,
    )  # fmt: skip


def test_both_errors_are_one_at_their_worst(bundled: pl.Network) -> None:
    """The photo itself is as far from the style as that goes, and not at all from itself."""
    with bundled.at_rest():
        asked = blend(bundled, None)
        photo = asked.content
        asked.look((96, 120))
        errors = asked.errors(photo)
    assert errors["style"] == pytest.approx(1, rel=1e-4)
    assert errors["content"] == pytest.approx(0, abs=1e-8)
    assert set(errors["layers"]) == {"style pixels", "style relu1", "style relu4", "content relu5"}


def test_the_strength_goes_from_one_to_the_other(bundled: pl.Network) -> None:
    assert shares(0)[1] == 0 and shares(1)[0] == 0
    odds = [style / near for near, style in map(shares, (0.1, 0.3, 0.5, 0.7, 0.9))]
    assert odds == sorted(odds)
    made = pl.style_transfer(
        bundled, "photo:cat", "photo:brick", strengths="0,0.5,1", size=112, octaves=1, steps=12
    )
    style, content = made.facts["style"], made.facts["content"]
    assert style[0] > style[1] > style[2] and content[0] < content[1] < content[2]
    assert content[0] == pytest.approx(0, abs=1e-6)


def test_the_loss_falls_for_every_begin_and_climb(bundled: pl.Network) -> None:
    for options in ({"begin": "noise"}, {"rate": 0.05, "mean": 0.5}, {"smooth": 0.1}):
        work = pl.style_transfer.steps(
            bundled, "photo:cat", "photo:brick", **{**QUICK, "steps": 15, **options}
        )
        losses = [float(step.text.split("loss ")[1]) for step in work]
        assert len(losses) == 15 and losses[-1] < 0.7 * losses[0], options


def test_each_region_has_its_own_style(bundled: pl.Network) -> None:
    """What happens outside of a mask is nothing to its style; to a change inside it answers."""
    left = torch.zeros(96, 120)
    left[:, :60] = 1
    with bundled.at_rest():
        asked = blend(bundled, left, 1 - left)
        look = asked.look((96, 120))
        before = look.losses(asked.content)
        changed = asked.content.clone()
        changed[:, :, :, 90:] = changed[:, :, :, 90:] * 0.2
        after = look.losses(changed)
    terms = [term for term in look.terms if isinstance(term, GramTerm)]
    assert {term.name.split()[1] for term in terms} == {"1", "2"}
    for term, one, other in zip(look.terms, before, after, strict=True):
        if term.name == "style 1 relu1":
            assert one == pytest.approx(other, rel=1e-5)
        if term.name == "style 2 relu1":
            assert abs(one - other) > 1e-3


def test_a_masked_gram_matrix_is_that_of_the_part(bundled: pl.Network) -> None:
    """On the pixels, of which each is its own place: as if the rest were cut off."""
    left = torch.zeros(96, 120)
    left[:, :60] = 1
    with bundled.at_rest():
        asked = blend(bundled, left)
        look = asked.look((96, 120))
        losses = look.losses(asked.content)
        found = {term.name: loss for term, loss in zip(look.terms, losses, strict=True)}
        (term,) = (term for term in look.terms if term.name == "style 1 pixels")
        assert isinstance(term, GramTerm)
        from pellucid.make.terms import details

        maps = details(asked.content)[0, :, :, :60]
        wanted = maps.flatten(1) @ maps.flatten(1).T / maps[0].numel()
    away = (wanted - term.wanted).square().sum() / term.wanted.square().sum()
    assert found["style 1 pixels"] == pytest.approx(float(away), rel=1e-3)


def test_tiles_are_the_whole(bundled: pl.Network) -> None:
    """The bundled network, photo and style at once: the gradient has no seam."""
    slopes = []
    with bundled.at_rest():
        for tile in (None, 320):
            styles = [Manner(seen(bundled, some(80, 90, 5)), 1.0)]
            asked = Blend(
                bundled, seen(bundled, some(200, 420)), styles,
                strata(bundled, "pixels; relu1; relu4"), {"relu5": 1.0}, tile=tile,
            )  # fmt: skip
            look = asked.look((200, 420))
            assert (len(look.mosaic.tiles()) > 1) == (tile is not None)
            image = seen(bundled, some(200, 420, 9)).requires_grad_()
            slopes.append(torch.autograd.grad(look.value(image).sum(), image)[0])
    most = slopes[0].abs().max()
    torch.testing.assert_close(slopes[1] / most, slopes[0] / most, atol=1e-3, rtol=0)


def test_luminance_is_kept_exactly_and_colours_fit() -> None:
    light, colours = torch.rand(1, 9, 8), torch.rand(3, 9, 8)
    made = coloured(light, colours)
    torch.testing.assert_close(luminance(made), light, atol=1e-5, rtol=0)
    assert float(made.min()) >= -1e-6 and float(made.max()) <= 1 + 1e-6
    hue, wanted = made - light, colours - luminance(colours)
    cross = hue[0] * wanted[1] - hue[1] * wanted[0]
    torch.testing.assert_close(cross, torch.zeros_like(cross), atol=1e-5, rtol=0)
    torch.testing.assert_close(coloured(luminance(colours), colours), colours, atol=1e-5, rtol=0)


def test_with_luminance_only_the_colours_are_the_photos(bundled: pl.Network, cat: pl.Photo) -> None:
    """Redder stays redder: what is added to the grey is the photo's, or a share of it."""
    made = pl.style_transfer(bundled, cat, "photo:brick", colours="luminance", **QUICK).values
    photo = torch.nn.functional.interpolate(
        cat.floats()[None], made.shape[1:], mode="bicubic", antialias=True
    )[0].clamp(0, 1)
    hue, wanted = made - luminance(made), photo - luminance(photo)
    assert float((hue[0] * wanted[2] - hue[2] * wanted[0]).abs().max()) < 1e-4
    assert float((luminance(made) - luminance(photo)).abs().mean()) > 0.01


def test_a_recoloured_style_has_mean_and_covariance_of_the_photo() -> None:
    style = 0.4 + 0.2 * (some(40, 40, 1) - 0.5)
    photo = torch.stack([0.5 + 0.1 * some(30, 50, 2)[0], *(0.3 + 0.15 * some(30, 50, 3)[:2])])
    made, wanted = recoloured(style, photo).flatten(1), photo.flatten(1)
    torch.testing.assert_close(made.mean(1), wanted.mean(1), atol=1e-3, rtol=0)
    torch.testing.assert_close(torch.cov(made), torch.cov(wanted), atol=2e-5, rtol=0.05)
    light = relit(torch.rand(1, 20, 20), 0.5 + 0.1 * torch.rand(1, 9, 9))
    assert float(light.mean()) == pytest.approx(0.55, abs=0.02)


def test_a_grid_of_strengths_and_scales(bundled: pl.Network) -> None:
    made = pl.style_transfer(
        bundled, "photo:cat", "photo:brick", strengths="0.2,0.8", scales="0.5,1,2",
        size=80, octaves=1, steps=2,
    )  # fmt: skip
    assert isinstance(made, pl.Grid) and made.values.shape[0] == 6
    assert made.names[0] == "strength 0.2, scale 0.5" and made.columns == 2
    assert len(made.facts["style"]) == 6
    alone = pl.style_transfer(
        bundled, "photo:cat", "photo:brick", strength=0.8, scale=2.0, size=80, octaves=1, steps=2
    )
    torch.testing.assert_close(made.values[5], alone.values)


def test_two_styles_and_masks(bundled: pl.Network) -> None:
    mask = torch.zeros(1, 40, 50)
    mask[:, :, :25] = 1
    two = ("photo:brick", "photo:gravel")
    made = pl.style_transfer(bundled, "photo:cat", two, masks=pl.open_image(mask), **QUICK)
    assert any(name.startswith("style 2 ") for name in made.facts["layers"])
    mixed = [
        pl.style_transfer(bundled, "photo:cat", two, mix=mix, **QUICK).values
        for mix in ("1,0", None)
    ]
    first = pl.style_transfer(bundled, "photo:cat", "photo:brick", **QUICK).values
    assert float((mixed[0] - first).abs().max()) < 0.05 < float((mixed[1] - first).abs().max())


def test_equal_seeds_equal_pixels(bundled: pl.Network) -> None:
    made = [
        pl.style_transfer(bundled, "photo:cat", "photo:brick", begin="noise", seed=seed, **QUICK)
        for seed in (1, 1, 2)
    ]
    assert torch.equal(made[0].values, made[1].values)
    assert not torch.equal(made[0].values, made[2].values)


def test_interrupted_it_gives_what_it_has(bundled: pl.Network) -> None:
    options = {"size": 80, "octaves": 1, "steps": 3, "strengths": "0.3,0.6"}
    work = pl.style_transfer.steps(bundled, "photo:cat", "photo:brick", **options)
    for _ in range(4):
        next(work)
    with pytest.raises(StopIteration) as end:
        work.throw(KeyboardInterrupt)
    made = end.value.value
    assert made.recipe.settings["stop"] == 4 and "(stopped)" in made.caption
    again = pl.style_transfer(bundled, "photo:cat", "photo:brick", **options, stop=4)
    assert torch.equal(again.values, made.values)


def test_of_small_narrow_grey_and_transparent_pictures(bundled: pl.Network) -> None:
    from PIL import Image

    grey = pl.open_image(torch.rand(1, 31, 45))
    clear = pl.open_image(Image.new("RGBA", (33, 20), (200, 10, 10, 80)))
    strip = pl.open_image(torch.rand(3, 1, 77))
    for content, style in ((grey, clear), (strip, grey), (clear, strip)):
        made = pl.style_transfer(bundled, content, style, steps=2, octaves=2)
        assert bool(made.values.isfinite().all())
        assert made.values.shape[1:] == content.size


@pytest.mark.parametrize(
    "wrong",
    [
        {"layers": "relu9"},
        {"near": "classifier"},
        {"strengths": "0.2,many"},
        {"strengths": "2"},
        {"scales": "0"},
        {"mix": "1,2"},
        {"mix": "0"},
        {"masks": ("photo:cat", "photo:cat", "photo:cat")},
        {"masks": torch.zeros(1, 9, 9)},
        {"tile": 20},
    ],
)
def test_bad_requests_say_what_fits(bundled: pl.Network, wrong: dict[str, Any]) -> None:
    with pytest.raises(pl.PellucidError):
        pl.style_transfer(bundled, "photo:cat", "photo:brick", **{**QUICK, **wrong})


def test_numbers_weights_and_masks_are_read() -> None:
    assert numbers("strengths", "0.2, 0.5", 0, 1) == [0.2, 0.5]
    assert weighed(None, 2) == [1.0, 1.0]
    first, second = regions((pl.open_image(torch.full((1, 3, 3), 0.2)),), 2)
    assert first is not None and second is not None
    torch.testing.assert_close(first + second, torch.ones(3, 3))
