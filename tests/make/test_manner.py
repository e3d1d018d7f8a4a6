"""Named recipes: as published, and with parts of them otherwise."""

import pytest

import pellucid as pl
from pellucid.make.climb import Adam, Even
from pellucid.make.fourier import Fourier
from pellucid.make.manner import MANNERS, manner
from pellucid.make.phase import Phase
from pellucid.make.pixels import Pixels
from pellucid.make.regularisers import Blur, Decay, SmallContribution, SmallNorm
from pellucid.make.transforms import Jitter, Noise, Scale


def test_yosinskis_four_sets_are_as_published() -> None:
    """Decay, blur, percentiles and iterations of the Deep Visualization Toolbox."""
    published = {
        "yosinski1": ((Blur(0.5, 4), SmallNorm(50)), 500),
        "yosinski2": ((Decay(0.3), SmallNorm(20)), 750),
        "yosinski3": ((Decay(1e-4), Blur(1.0, 4)), 1000),
        "yosinski4": ((Blur(0.5, 4), SmallContribution(90)), 1000),
    }
    for name, (regularisers, steps) in published.items():
        found = manner(name)
        assert (found.regularisers, found.steps, found.canvas) == (regularisers, steps, Pixels())


def test_the_others() -> None:
    assert {"simple", "jitter", "lucid", "maco"} <= MANNERS.keys()
    assert manner("simple").canvas == Pixels(first="zeros") and not manner("simple").transforms
    assert manner("lucid").canvas == Fourier() and manner("lucid").climb == Adam(0.05)
    assert isinstance(manner("maco").canvas, Phase) and manner("maco").views > 1
    assert Noise(0.08) in manner("maco").transforms


def test_a_part_may_be_otherwise_in_words_or_as_itself() -> None:
    simple = manner("simple")
    assert simple.but() == simple == simple.but(steps=None, size=None, climb=None)
    assert simple.but(steps=7).steps == 7
    made = simple.but(
        canvas="fourier 64", transforms="jitter 0.1; scale 0.2", regularisers="none", climb="adam 1"
    )
    assert made.canvas == Fourier("64") and made.transforms == (Jitter(0.1), Scale(0.2))
    assert made.regularisers == () and made.climb == Adam(1) and made.steps == simple.steps
    same = simple.but(
        canvas=Fourier("64"), transforms=[Jitter(0.1), Scale(0.2)], regularisers=(), climb=Adam(1)
    )
    assert same == made


def test_size_and_rate_are_of_the_canvas_and_the_climb() -> None:
    lucid = manner("lucid")
    assert lucid.but(size=64).canvas == Fourier("64")
    assert lucid.but(size=(48, 64), canvas="pixels").canvas == Pixels("48x64")
    assert lucid.but(rate=0.2).climb == Adam(0.2)
    assert lucid.but(climb="even 1", rate=0.3).climb == Even(0.3)
    with pytest.raises(pl.PellucidError, match="rate of adam is from 0"):
        lucid.but(rate=-1)


def test_an_unknown_one() -> None:
    with pytest.raises(pl.PellucidError, match="no recipe 'yosinsky1'; did you mean 'yosinski1'"):
        manner("yosinsky1")
