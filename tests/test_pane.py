"""The bundled network: what its card promises, as far as a test can see it."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import pellucid as pl
from pellucid.assets import FOLDER

CALTECH = Path(__file__).parents[2] / "shared" / "data" / "caltech101"


def test_is_small_and_in_half_precision() -> None:
    file = FOLDER / "pane.safetensors"
    assert file.stat().st_size <= 8_000_000
    assert {value.dtype for value in load_file(file).values()} == {torch.float16}


def test_is_convolutions_and_rectifiers_with_a_feature_vector(bundled: pl.Network) -> None:
    kinds = {type(part) for part in bundled.module.children()}
    assert kinds == {
        nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.AdaptiveAvgPool2d, nn.Flatten, nn.Linear
    }  # fmt: skip
    assert min(bundled.preprocess.size) >= 112
    assert bundled.module.conv1.kernel_size >= (7, 7)
    assert bundled.layers["flatten"].shape[0] >= 256
    assert len(bundled.labels) == bundled.classes == 101


def test_its_first_filters_are_smooth_and_alive(bundled: pl.Network) -> None:
    """Smooth: pixels differ less from their neighbours than independent ones would."""
    kernels = bundled.module.conv1.weight
    strength = kernels.flatten(1).norm(dim=1)
    assert float(strength.min()) > 0.05 * float(strength.median())
    steps = kernels.diff(dim=3).square().mean((1, 2, 3)) + kernels.diff(dim=2).square().mean(
        (1, 2, 3)
    )
    noise = 4 * kernels.square().mean((1, 2, 3))  # what both sums are for white noise
    assert float((steps / noise).median()) < 0.35
    assert float((steps / noise).max()) < 0.8


def test_no_channel_is_silent_on_all_photos(bundled: pl.Network) -> None:
    fired: dict[str, torch.Tensor] = {}
    names = [name for name in bundled.layers if name.startswith("relu")]
    for photo in pl.photos():
        with torch.no_grad(), pl.recording(bundled, names) as seen:
            bundled.module(bundled.prepare(pl.open_image(photo))[0])
        for name, maps in seen.items():
            now = (maps[0] > 0).flatten(1).any(1)
            fired[name] = fired.get(name, torch.zeros_like(now)) | now
    # A few photos cannot wake every channel of the last layers; the card counts on all of them.
    for name in names[:4]:
        assert bool(fired[name].all()), f"{name}: {(~fired[name]).nonzero().flatten().tolist()}"


@pytest.mark.skipif(not CALTECH.is_dir(), reason="Caltech-101 is not here")
def test_knows_photos_that_it_was_not_trained_on(bundled: pl.Network) -> None:
    """One held-out photo of each class; the card's figure is over all of them."""
    from recipes.pane.photos import files

    right = 0
    for label, paths in files(CALTECH).items():
        right += pl.predict(bundled, paths[0], top=1).names == (label,)
    assert right >= 0.6 * bundled.classes


def test_its_card_says_what_it_is() -> None:
    card = (FOLDER / "pane.card.md").read_text("utf-8")
    for word in ("Caltech-101", "CC BY 4.0", "seed", "top-1", "Limits", "recipes"):
        assert word in card
