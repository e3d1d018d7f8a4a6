"""What all tests share: shapes checked at run time, one core, and small networks."""

import sys
from pathlib import Path

import jaxtyping
import pytest
import torch

from shapes import sparing

# Every annotation of a shape is checked while the tests run; so this stands before pellucid.
assert "pellucid" not in sys.modules
jaxtyping.jaxtyped = sparing(jaxtyping.jaxtyped)
jaxtyping.install_import_hook("pellucid", "shapes.checked")

import pellucid as pl  # noqa: E402
from pellucid.make import coarse  # noqa: E402
from pellucid.testing.networks import attentive, awkward  # noqa: E402

__all__ = ["attentive", "awkward"]
collect_ignore = ["plugin"]  # a package of its own, which `test_plugin` installs and tests

torch.set_num_threads(1)


@pytest.fixture
def tiny() -> pl.Network:
    """The awkward network, fresh for each test."""
    return pl.Network(
        awkward(), size=(20, 28), mean=[0.4], std=[0.3], labels=["ant", "bee", "cat", "dog", "elk"]
    )


@pytest.fixture(scope="session")
def bundled() -> pl.Network:
    """The network that comes with pellucid; tests leave it as they found it."""
    return pl.load(device="cpu")


@pytest.fixture(scope="session")
def cat() -> pl.Photo:
    """A photo of a cat, 451 x 300 px."""
    return pl.open_image("photo:cat")


@pytest.fixture
def all_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a processor that has no instructions for fewer."""
    monkeypatch.setattr(coarse, "quick", lambda: False)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, so that nothing is written where it should not be."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def saved(bundled: pl.Network, here: Path) -> Path:
    """A picture with its recipe inside, in that empty folder."""
    return pl.saliency(bundled, "photo:cat", target="class:3").save("why.png")
