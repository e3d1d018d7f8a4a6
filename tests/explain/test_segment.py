"""Segmentation where the object is known, and what can go wrong."""

import builtins
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import pellucid as pl
from pellucid.explain import segment as rooms

pytest.importorskip("cv2")


class Red(nn.Module):
    """A network that counts red: its score is the red light that is not green as well."""

    def forward(self, x: Tensor) -> Tensor:
        red = (x[:, 0] - x[:, 1]).relu().square().sum((1, 2))
        return torch.stack([red, -red], 1)


def disc(
    height: int, width: int, row: float, column: float, radius: float
) -> tuple[Tensor, Tensor]:
    """A red disc on a grainy grey-green ground, and where it is."""
    torch.manual_seed(0)
    rows, columns = torch.arange(height)[:, None], torch.arange(width)[None]
    inside = (rows - row).square() + (columns - column).square() <= radius**2
    ground = torch.tensor([0.35, 0.45, 0.4]).view(3, 1, 1) + 0.05 * torch.randn(3, height, width)
    thing = torch.tensor([0.8, 0.15, 0.1]).view(3, 1, 1) + 0.05 * torch.randn(3, height, width)
    return torch.where(inside, thing, ground).clamp(0, 1), inside


def net() -> pl.Network:
    return pl.Network(Red(), size=64, mean=[0.0] * 3, std=[1.0] * 3, labels=["red", "other"])


def overlap(found: Tensor, wanted: Tensor) -> float:
    inside = found.bool()
    return float((inside & wanted).sum()) / float((inside | wanted).sum())


@pytest.mark.parametrize("size", [(64, 64), (200, 240), (900, 700)])
def test_a_disc_is_cut_out(size: tuple[int, int]) -> None:
    """Also of a photo larger than it is cut at, and of one that the network does not see whole."""
    height, width = size
    pixels, inside = disc(height, width, height * 0.5, width * 0.45, min(size) * 0.25)
    found = pl.segment(net(), pixels, target="red")
    assert found.values.shape == size
    assert set(found.values.unique().tolist()) == {0.0, 1.0}
    assert overlap(found.values, inside) > 0.93
    assert found.share == pytest.approx(float(inside.float().mean()), rel=0.07)


def test_the_object_goes_on_beyond_the_view() -> None:
    """Of a wide photo the network sees the middle; the colours reach further."""
    pixels, inside = disc(100, 220, 50, 70, 35)
    found = pl.segment(net(), pixels, target="red")
    view = net().preprocess.frame((100, 220)).view()
    assert inside[:, : view.left].any()
    assert overlap(found.values, inside) > 0.9


def test_draws_itself_three_ways(here: Path) -> None:
    pixels, _ = disc(80, 90, 40, 45, 20)
    made = {
        how: pl.segment(net(), pixels, target="red", draw=how)
        for how in ("panels", "cutout", "mask")
    }
    for how, result in made.items():
        path = result.save(f"{how}.png")
        assert result.image().shape[0] == 3
        with Image.open(path) as opened:
            assert opened.mode == ("RGBA" if how == "cutout" else "RGB")
    assert torch.equal(made["mask"].image()[0].bool(), made["mask"].values.bool())
    cut = made["cutout"]
    assert cut.object().shape == (4, 80, 90)
    assert bool((cut.image()[:, ~cut.values.bool()] == 1).all())
    line = cut.outline() != cut.map.photo.floats()
    assert not line[:, cut.values.bool()].any() and line.any()
    height, width = made["panels"].image().shape[1:]
    assert width > 3 * 90 and height > 80


def test_the_same_cut_every_time() -> None:
    import cv2

    pixels, _ = disc(80, 90, 40, 45, 20)
    first = pl.segment(net(), pixels, target="red")
    cv2.setRNGSeed(77)
    assert torch.equal(pl.segment(net(), pixels, target="red").values, first.values)


def test_nothing_to_cut_by(tiny: pl.Network) -> None:
    green = torch.zeros(3, 40, 40)
    green[1] = 1
    with pytest.raises(pl.PellucidError, match=r"nothing to cut by: .*no pixel changes it"):
        pl.segment(net(), green, target="red", smooth=1)
    pixels, _ = disc(5, 5, 2, 2, 1)
    with pytest.raises(pl.PellucidError, match="a photo of 5 x 5 px is too small"):
        pl.segment(net(), pixels, target="red")


def test_a_photo_of_one_colour_has_no_edge_to_follow(bundled: pl.Network) -> None:
    grey = torch.full((3, 80, 90), 0.4)
    grey[:, ::2] += 1 / 255
    with pytest.raises(pl.PellucidError, match="nothing to cut by: the photo is of one colour"):
        pl.segment(bundled, grey, smooth=1)


@pytest.mark.parametrize("size", [(20, 3000), (3000, 20)])
def test_a_narrow_photo_is_cut_as_it_is(size: tuple[int, int]) -> None:
    height, width = size
    pixels, inside = disc(height, width, height / 2, width / 2, 6)
    found = pl.segment(net(), pixels, target="red")
    assert overlap(found.values, inside) > 0.9
    assert found.caption.startswith("0.1") and found.caption[4:].startswith("% of the photo")
    with pytest.raises(pl.PellucidError, match="a photo of 4000 x 4 px is too narrow to learn"):
        pl.segment(net(), disc(4, 4000, 2, 2000, 1)[0], target="red")


@pytest.mark.parametrize(("size", "wide"), [((900, 60), False), ((300, 200), True)])
def test_names_of_panels_are_read_however_narrow_the_photo_is(
    size: tuple[int, int], wide: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = pl.segment(net(), disc(*size, size[0] / 2, size[1] / 2, 20)[0], target="red")
    shown: list[str] = []
    monkeypatch.setattr(
        "pellucid.tiles.lettered", lambda page, text, *_, **__: shown.append(text) or page
    )
    page = found.image()
    assert shown == ["the map", "outline", "cut-out"]
    assert (page.shape[2] == 3 * (200 + 4) + 4) is wide
    assert float(page[:, 4, 4 : 4 + 8].min()) < 1 or not wide


def test_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "cv2":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(pl.PellucidError, match=r"pip install 'pellucid\[segment\]'"):
        pl.segment(net(), torch.rand(3, 40, 40))


def test_blurring_keeps_the_sum_and_a_constant() -> None:
    dot = torch.zeros(41, 41)
    dot[20, 20] = 1
    soft = rooms._blurred(dot, 2.0)
    assert float(soft.sum()) == pytest.approx(1, abs=1e-4)
    wanted = torch.exp(-0.5 * torch.tensor([0.0, 1.0, 4.0, 9.0]) / 4)
    torch.testing.assert_close(soft[20, 20:24] / soft[20, 20], wanted)
    torch.testing.assert_close(
        rooms._blurred(torch.full((9, 7), 3.0), 2.0), torch.full((9, 7), 3.0)
    )


def test_it_cuts_whatever_torch_takes_for_usual(bundled: pl.Network) -> None:
    torch.set_default_dtype(torch.float64)
    try:
        found = pl.segment(bundled, "photo:flower", smooth=2)
    finally:
        torch.set_default_dtype(torch.float32)
    assert 0 < found.share < 1
