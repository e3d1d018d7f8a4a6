"""Recipes that are wrong, hostile or absurd are refused, and nothing that they name is run."""

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin
from safetensors.torch import save_file

import pellucid as pl
from edited import edited
from pellucid.pictures import png_bytes


def test_code_named_in_a_picture_is_not_run(bundled: pl.Network, here: Path) -> None:
    Path("made.py").write_text(
        "from pathlib import Path\nfrom torch import nn\nPath('ran').touch()\n"
        "def make():\n    return nn.Sequential(nn.Conv2d(3, 4, 9), "
        "nn.AdaptiveAvgPool2d(1), nn.Flatten())\n"
    )
    path = pl.saliency(pl.load("made.py:make", device="cpu"), "photo:cat").save("why.png")
    Path("ran").unlink()
    with pytest.raises(pl.PellucidError, match=r"the code in made.py:make, which is not run"):
        pl.replay(path)
    assert not Path("ran").exists()
    assert pl.replay(path, network=pl.load("made.py:make", device="cpu")).same


WRONG: list[tuple[Any, str]] = [
    ("", "has no recipe inside"),
    ("not json", "no readable recipe"),
    ("[" * 100_000, "no readable recipe"),
    ("9" * 5000, "no readable recipe"),
    ("[]", "has no format"),
    ('"text"', "has no format"),
    ("{}", "has no format"),
    ('{"format": 1}', "damaged: see its 'method', 'settings'"),
    (lambda data: data.update(format=2), "of a later version"),
    (lambda data: data.update(more=1), "damaged: see its 'more'"),
    (lambda data: data.update(method=["saliency"]), "see its 'method'"),
    (lambda data: data.update(method="salience"), "did you mean 'saliency'"),
    (lambda data: data.update(settings=[1]), "see its 'settings'"),
    (lambda data: data["settings"].update(taregt=1), "did you mean 'target'"),
    (lambda data: data["settings"].update(target={"a": 1}), "target is a text"),
    (lambda data: data["settings"].update(net="pane"), "sets something twice"),
    (lambda data: data["settings"].update(photo="photo:cat"), "sets something twice"),
    (lambda data: data["settings"].update(target="class:999999"), "classes 0 to"),
    (lambda data: data.update(photos={"photo": "cat"}), "see its 'photos'"),
    (lambda data: data.update(photos={"photo": {"source": 3, "hash": ""}}), "see its 'photos'"),
    (lambda data: data.update(photos={}), "missing a required argument: 'photo'"),
    (lambda data: data.update(photos={"x": data["photos"]["photo"]}), "no setting of saliency 'x'"),
    (lambda data: data.update(photos={"net": data["photos"]["photo"]}), "sets something twice"),
    (lambda data: data["photos"]["photo"].update(source="photo:dog"), "no photo 'photo:dog'"),
    (lambda data: data["photos"]["photo"].update(source="a\0b"), "photo"),
    (lambda data: data.update(network="pane"), "see its 'network'"),
    (lambda data: data["network"].update(spec="pane"), "see its network"),
    (lambda data: data["network"].update(spec={"device": "cpu"}), "see its network"),
    (lambda data: data["network"].update(spec={"name": ["pane"]}), "see its network"),
    (lambda data: data["network"].update(spec={"name": "pane", "weights": 7}), "weights"),
    (lambda data: data["network"].update(spec={"name": "pane", "seed": "x"}), "seed"),
    (lambda data: data["network"].update(spec={"name": "pano"}), "did you mean 'pane'"),
    (lambda data: data["network"].pop("spec"), "give that as network="),
    (lambda data: data.update(versions=[]), "see its 'versions'"),
    (lambda data: data.update(versions={"torch": 2}), "see its 'versions'"),
    (lambda data: data.update(drawing="over"), "see its 'drawing'"),
    (lambda data: data.update(drawing=["save", {}]), "cannot be drawn as 'save'"),
    (lambda data: data.update(drawing=["over", {"opacity": "x"}]), "cannot be drawn over"),
    (lambda data: data.update(drawing=["over", {"opacity": 1, "x": 1}]), "cannot be drawn over"),
    (lambda data: data.update(drawing=["over", {"opacity": 99}]), "opacity is from 0 to 1"),
    (lambda data: data.update(drawing=["over", {"opacity": 1, "photo": 3}]), "drawn over a photo"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), WRONG, ids=[text[:30] for _, text in WRONG])
def test_a_wrong_recipe(change: Any, message: str, saved: Path) -> None:
    with pytest.raises(pl.PellucidError, match=message):
        pl.replay(edited(saved, change))


def _png_with(text: str, packed: bool) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("pellucid", text, zip=packed)
    path = Path("made.png")
    Image.new("RGB", (2, 2)).save(path, pnginfo=info)
    return path.read_bytes()


def _npz(**arrays: Any) -> bytes:
    np.savez("made.npz", **arrays)
    return Path("made.npz").read_bytes()


def _zip() -> bytes:
    with zipfile.ZipFile("made.npz", "w") as made:
        made.writestr("pellucid.npy", b"\x93NUMPY\x01\x00 nonsense")
    return Path("made.npz").read_bytes()


def _tensors() -> bytes:
    save_file({"values": torch.zeros(2)}, "made.safetensors")
    return Path("made.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", lambda: b""),
        ("a.png", lambda: b"\x89PNG\r\n\x1a\n"),
        ("a.png", lambda: Path("why.png").read_bytes()[:300]),
        ("a.png", lambda: Path("why.png").read_bytes()[:-40]),
        ("a.png", lambda: png_bytes(torch.zeros(3, 2, 2))),
        ("a.png", lambda: _png_with("x" * 80_000_000, packed=True)),
        ("a.png", lambda: _png_with("{" * 2_000_000, packed=False)),
        ("a.jpg", lambda: b"GIF89a nonsense"),
        ("a.npz", lambda: b""),
        ("a.npz", lambda: b"nonsense"),
        ("a.npz", lambda: b"PK\x03\x04 nonsense"),
        ("a.npz", lambda: _npz(values=np.zeros(2))),
        ("a.npz", lambda: _npz(pellucid=np.array([{}], dtype=object))),
        ("a.npz", _zip),
        ("a.npz", lambda: b"\x93NUMPY nonsense"),
        ("a.NPZ", lambda: b"nonsense"),
        ("a.safetensors", lambda: b""),
        ("a.safetensors", lambda: b"\xff" * 100),
        ("a.safetensors", _tensors),
        ("a", lambda: b"nonsense"),
    ],
)
def test_a_hostile_file(name: str, content: Any, saved: Path) -> None:
    Path(name).write_bytes(content())
    with pytest.raises(pl.PellucidError) as raised:
        pl.replay(name)
    assert name in str(raised.value) or "recipe" in str(raised.value)
    assert len(str(raised.value)) < 500


def test_no_file(here: Path) -> None:
    with pytest.raises(pl.PellucidError, match=r"no file why\.png"):
        pl.replay("why.png")
    with pytest.raises(pl.PellucidError, match="no file"):
        pl.replay(here)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["photos"]["photo"].update(source="//far.example/share/cat.png"),
        lambda data: data["network"]["spec"].update(
            weights=r"\\far.example\share\pane.safetensors"
        ),
        lambda data: data["network"]["spec"].update(name="hf://far.example/share"),
        lambda data: data.update(
            drawing=["over", {"opacity": 0.5, "photo": "//far.example/a.png"}]
        ),
    ],
)
def test_other_machines_are_not_called(saved: Path, change: Any) -> None:
    edited(saved, change)
    with pytest.raises(pl.PellucidError, match="on another machine"):
        pl.replay(saved)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: data.update(settings={"self": 1}), "no setting of saliency 'self'"),
        (lambda data: data["settings"].update(target="9" * 5000), "no class '999"),
        (
            lambda data: data["settings"].update(target="conv1:" + "9" * 5000),
            "a unit is LAYER:CHANNEL",
        ),
        (
            lambda data: data["network"]["spec"].update(weights="random", classes=10**12),
            "classes is a whole number from 1 to 1,000,000",
        ),
        (
            lambda data: data["network"]["spec"].update(weights="random", classes=True),
            "see its network's classes",
        ),
        (
            lambda data: data["network"]["spec"].update(weights="random", seed=2**70),
            "random weights are random",
        ),
    ],
)
def test_absurd_recipes_are_refused(saved: Path, change: Any, says: str) -> None:
    edited(saved, change)
    with pytest.raises(pl.PellucidError, match=says):
        pl.replay(saved)


def test_a_recipe_brings_no_markup_into_a_notebook(saved: Path) -> None:
    edited(saved, lambda data: data["versions"].update({"<script>": "1"}))
    shown = pl.replay(saved)
    assert "<script>: none now" in shown.differences[0]
    shown = replace(shown, same=False)
    assert "<script>" not in shown._repr_html_() and "&lt;script&gt;" in shown._repr_html_()


def test_a_small_file_does_not_unpack_into_gigabytes(here: Path) -> None:
    np.savez_compressed("bomb.npz", pellucid=np.zeros(20_000_000, np.uint8))
    assert Path("bomb.npz").stat().st_size < 100_000
    with pytest.raises(pl.PellucidError, match="too large"):
        pl.replay("bomb.npz")
