"""Things that a few words name are read back from their text as they were."""

from typing import Any

import pytest

import pellucid as pl
from pellucid.make import climb, regularisers, transforms
from pellucid.make.climb import Adam, Even, Plain
from pellucid.make.fourier import Fourier
from pellucid.make.manner import CANVASES, MANNERS, canvas
from pellucid.make.phase import Phase
from pellucid.make.pixels import Pixels
from pellucid.make.regularisers import Blur, Decay
from pellucid.make.transforms import Crop, Jitter, Scale
from pellucid.make.worded import Worded, number, read

KINDS = (*CANVASES, *climb.KINDS, *regularisers.KINDS, *transforms.KINDS)
THINGS = [
    Pixels(), Pixels("96x128"), Pixels(first="noise"), Fourier("", "zeros"), Fourier(power=1.2),
    Fourier("64", "zeros", 0.1 + 0.2), Phase("17x23"), Plain(1e-12), Even(0.1 + 0.2), Adam(1e30),
    Blur(0.5), Blur(1 / 3, 7), Decay(1e-4), Jitter(0.0361234567), Crop(0.25), Crop(0.25, 0.75),
]  # fmt: skip


@pytest.mark.parametrize("thing", THINGS, ids=str)
def test_a_text_is_read_back_as_the_thing(thing: Worded) -> None:
    assert read(str(thing), KINDS, "thing") == (thing,)


def test_the_named_recipes_are_read_back() -> None:
    for manner in MANNERS.values():
        assert canvas(str(manner.canvas)) == manner.canvas
        assert climb.climb(str(manner.climb)) == manner.climb
        told = transforms.told(manner.transforms)
        assert transforms.transforms(told) == manner.transforms
        told = "; ".join(map(str, manner.regularisers))
        assert regularisers.regularisers(told) == manner.regularisers


def test_texts_are_short() -> None:
    assert str(Blur(0.5, 4)) == "blur 0.5"
    assert str(Blur(0.5, 2)) == "blur 0.5 2"
    assert str(Fourier()) == "fourier" and str(Fourier("0")) == "fourier"
    assert str(Pixels(first="noise")) == "pixels 0 noise"
    assert [number(value) for value in (0.05, 1.0, 1e-7, 1 / 3)] == [
        "0.05", "1", "1e-07", "0.3333333333333333"
    ]  # fmt: skip


def test_several_or_none() -> None:
    found = transforms.transforms(" jitter 0.04 ;scale 0.1")
    assert found == (Jitter(0.04), Scale(0.1))
    for nothing in ("", "none", "  none "):
        assert transforms.transforms(nothing) == ()
    assert transforms.told(()) == "none"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jiter 0.1", "no thing 'jiter'; did you mean 'jitter'"),
        ("jitter 0.1;", "no thing ''"),
        ("jitter", "lacks a number: it is jitter SHARE"),
        ("jitter 0.1 0.2", "too many words: it is jitter SHARE"),
        ("jitter much", "share of jitter SHARE is a number, not 'much'"),
        ("jitter 1.5", "share of jitter is from 0 to 1, not 1.5"),
        ("jitter nan", "share of jitter is from 0 to 1, not nan"),
        ("noise inf", "deviation of noise is at least 0, not inf"),
        ("noise -1", "deviation of noise is at least 0, not -1"),
        ("crop 0.8 0.5", "high of crop is from 0.8 to 1, not 0.5"),
        ("rotate 181", "degrees of rotate is from 0 to 180"),
        ("scale 0.95", "share of scale is from 0 to 0.9"),
        ("pad 2", "share of pad is from 0 to 1"),
        ("blur 0", "sigma of blur is from 0.01 to 100"),
        ("blur 1 0", "every of blur is at least 1"),
        ("blur 1 2.5", "every of blur SIGMA EVERY is a number, not '2.5'"),
        ("decay 2", "share of decay is from 0 to 1"),
        ("small_norm 101", "percent of small_norm is from 0 to 100"),
        ("adam -1", r"rate of adam is from 0 to 1e\+30"),
        ("adam 1e38", r"rate of adam is from 0 to 1e\+30"),
        ("fourier 64 grey", "starts from zeros or noise, not 'grey'"),
        ("fourier 64 noise 5", "power of fourier is from 0 to 4"),
        ("pixels 0x5", "a size is 128, or 96x128"),
        ("pixels 1x2x3", "a size is 128, or 96x128"),
        ("pixels 99999x99999", "too large: at most"),
    ],
)
def test_wrong_texts(text: str, message: str) -> None:
    with pytest.raises(pl.PellucidError, match=message):
        read(text, KINDS, "thing")


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (canvas, "none"),
        (canvas, "pixels; phase"),
        (climb.climb, ""),
        (climb.climb, "even 1;adam 1"),
    ],
)
def test_just_one_is_wanted(reader: Any, text: str) -> None:
    with pytest.raises(pl.PellucidError, match=r"one (canvas|way to climb) is wanted"):
        reader(text)
