"""Training a stylist: it learns, goes on where it was interrupted, and knows what it is."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

import pellucid as pl
from conftest import awkward
from pellucid.make.painting import trained, training
from pellucid.make.painting.crops import Crops
from pellucid.progress import finished

FEW: dict[str, Any] = {"steps": 6, "size": 32, "width": 2, "blocks": 1, "batch": 2}
LAYERS: dict[str, Any] = {"content": "relu1", "style": "relu1; relu3"}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Four small photos, in a folder and a folder in it."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    random = torch.Generator().manual_seed(0)
    for number in range(4):
        small = torch.rand(3, 5, 7, generator=random)
        pixels = torch.nn.functional.interpolate(small[None], (48, 60), mode="bilinear")[0]
        array = (pixels * 255).byte().permute(1, 2, 0).numpy()
        Image.fromarray(array).save(folder / ("more" if number % 2 else "") / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def styles() -> dict[str, Any]:
    stripes = torch.zeros(3, 64, 64)
    stripes[0, ::4] = 1
    return {"stripes": stripes, "brick": "photo:brick"}


def train(net: pl.Network, styles: Any, photos: Path, out: Path, **more: Any) -> Any:
    return pl.train_stylist(net, styles, photos, out, **{**FEW, **LAYERS, **more})


def test_it_learns(bundled: pl.Network, styles: Any, photos: Path, tmp_path: Path) -> None:
    """On four photos, in few steps, what it is to lower is lowered."""
    work = train(bundled, styles, photos, tmp_path / "a.safetensors", steps=60, rate=0.01)
    values = []
    for step in work:
        terms = dict(part.split() for part in step.text.split(", "))
        values.append(float(terms["style"]) + float(terms["colour"]))
        assert (step.done, step.total) == (len(values), 60)
    assert sum(values[-6:]) < 0.75 * sum(values[:6])
    assert step.picture is not None and step.picture.shape == (3, 64, 3 * 32)


def test_gone_on_with_it_is_the_same_to_the_last_bit(
    bundled: pl.Network, styles: Any, photos: Path, tmp_path: Path
) -> None:
    """Killed after a checkpoint, interrupted by Ctrl-C, or left alone."""
    alone, killed, stopped = (tmp_path / f"{name}.safetensors" for name in ("a", "k", "s"))
    finished(train(bundled, styles, photos, alone))
    work = train(bundled, styles, photos, killed, every=0)
    for _ in range(3):
        next(work)
    work.close()  # as a kill does: nothing more is written
    assert not killed.exists()
    finished(train(bundled, styles, photos, killed))
    work = train(bundled, styles, photos, stopped)
    for _ in range(2):
        next(work)
    with pytest.raises(StopIteration) as end:
        work.throw(KeyboardInterrupt)
    assert end.value.value.card["steps"] == 2
    assert not stopped.exists() and (tmp_path / "s.training.safetensors").exists()
    finished(train(bundled, styles, photos, stopped))
    first, second, third = (file.read_bytes() for file in (alone, killed, stopped))
    assert first == second == third
    assert sorted(path.name for path in tmp_path.glob("*.safetensors")) == [
        "a.safetensors", "k.safetensors", "s.safetensors",
    ]  # fmt: skip


def test_another_training_is_not_gone_on_with(
    bundled: pl.Network, styles: Any, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a.safetensors"
    work = train(bundled, styles, photos, out, every=0)
    next(work)
    next(work)
    work.close()
    with pytest.raises(pl.PellucidError, match=r"another plan: .*force"):
        train(bundled, styles, photos, out, seed=1)
    with pytest.raises(pl.PellucidError, match="another styles"):
        train(bundled, styles | {"brick": "photo:grass"}, photos, out)
    half = tmp_path / "a.training.safetensors"
    whole = half.read_bytes()
    half.write_bytes(whole[:-50])
    with pytest.raises(pl.PellucidError, match="cannot be gone on with"):
        train(bundled, styles, photos, out)
    finished(train(bundled, styles, photos, out, seed=1, force=True))
    assert out.exists() and not half.exists()
    with pytest.raises(pl.PellucidError, match="there already"):
        train(bundled, styles, photos, out)


def test_divergence_is_said_and_the_last_good_state_kept(
    bundled: pl.Network, styles: Any, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, half = tmp_path / "a.safetensors", tmp_path / "a.training.safetensors"
    work = train(bundled, styles, photos, out, every=0)
    for _ in range(2):
        next(work)
    good = half.read_bytes()
    loss = training._Training.loss
    monkeypatch.setattr(
        training._Training,
        "loss",
        lambda self: (loss(self)[0] * float("nan"), *loss(self)[1:]),
    )
    with pytest.raises(pl.PellucidError, match=r"no number any more: .* try 0\.0002; the last"):
        next(work)
    assert half.read_bytes() == good and not out.exists()


def test_the_network_is_left_as_found(
    tiny: pl.Network, styles: Any, photos: Path, tmp_path: Path
) -> None:
    """Any network, grey ones too; also between the steps."""
    before = tiny.weights_hash, [part.training for part in tiny.module.modules()]
    torch.manual_seed(5)
    random = torch.get_rng_state()
    more = {"content": None, "style": None}
    for _ in train(tiny, {"a": styles["stripes"]}, photos, tmp_path / "a.safetensors", **more):
        assert (tiny.weights_hash, [part.training for part in tiny.module.modules()]) == before
        assert torch.equal(torch.get_rng_state(), random)


def test_a_network_in_half_precision(styles: Any, photos: Path, tmp_path: Path) -> None:
    net = pl.Network(awkward().to(torch.bfloat16), size=(20, 28), mean=[0.4], std=[0.3])
    more = {"content": None, "style": None, "steps": 2}
    made = finished(
        train(net, {"a": styles["stripes"]}, photos, tmp_path / "a.safetensors", **more)
    )
    assert all(bool(one.isfinite().all()) for one in made.painter.parameters())


def test_damaged_files_are_left_out_and_counted(
    bundled: pl.Network, styles: Any, photos: Path, tmp_path: Path
) -> None:
    (photos / "broken.jpg").write_bytes(b"no photo")
    made = finished(train(bundled, styles, photos, tmp_path / "a.safetensors"))
    assert made.card["damaged photos"] == 1
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(pl.PellucidError, match="no image in the folder"):
        train(bundled, styles, empty, tmp_path / "b.safetensors")
    (empty / "a.png").write_bytes(b"nothing")
    with pytest.raises(pl.PellucidError, match="cannot be read"):
        train(bundled, styles, empty, tmp_path / "b.safetensors")


def test_crops_are_the_same_whenever_they_are_asked_for(photos: Path) -> None:
    first, second = Crops(str(photos), 40, seed=7), Crops(str(photos), 40, seed=7)
    later = second.batch(3, 2)
    assert torch.equal(later, first.batch(3, 2))
    assert later.shape == (2, 3, 40, 40)
    assert not torch.equal(first.batch(0, 2), first.batch(2, 2))
    # In one round each photo comes once.
    assert len({first._file(place) for place in range(4)}) == 4
    tall = photos / "tall.png"
    Image.new("RGB", (3, 200), "red").save(tall)
    assert Crops(str(photos), 40, seed=0).batch(0, 10).shape == (10, 3, 40, 40)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"steps": 0}, "at least 1"),
        ({"layers": 3}, "setting of a training"),
        ({"content": "rellu1"}, "did you mean 'relu1'"),
        ({"rate": float("nan")}, "finite"),
    ],
)
def test_a_wrong_setting(
    more: dict[str, Any], says: str, bundled: pl.Network, styles: Any, photos: Path, tmp_path: Path
) -> None:
    with pytest.raises(pl.PellucidError, match=says):
        train(bundled, styles, photos, tmp_path / "a.safetensors", **more)


def test_wrong_styles_and_names(
    bundled: pl.Network, styles: Any, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a.safetensors"
    with pytest.raises(pl.PellucidError, match="one style at least"):
        train(bundled, {}, photos, out)
    with pytest.raises(pl.PellucidError, match="has no ';'"):
        train(bundled, {"a; b": "photo:brick"}, photos, out)
    with pytest.raises(pl.PellucidError, match=r"saved as \.safetensors"):
        train(bundled, styles, photos, tmp_path / "a.pt")
    with pytest.raises(pl.PellucidError, match="no folder"):
        train(bundled, styles, photos, tmp_path / "none" / "a.safetensors")


@pytest.mark.parametrize("size", [(1, 40), (9, 11)])
def test_a_style_smaller_than_the_networks_field(
    size: tuple[int, int], bundled: pl.Network, photos: Path, tmp_path: Path
) -> None:
    work = train(bundled, {"small": torch.rand(3, *size)}, photos, tmp_path / "a.safetensors")
    assert "nan" not in next(work).text


def test_a_file_is_tensors_and_text_and_knows_what_it_is(
    bundled: pl.Network, styles: Any, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a.safetensors"
    made = finished(train(bundled, styles, photos, out))
    with safe_open(out, "pt") as opened:
        told = json.loads(opened.metadata()[trained.KEY])
    again = trained.load(out)
    assert again.names == made.names == ("stripes", "brick")
    assert again.card == told["card"] == json.loads(json.dumps(made.card))
    assert again.card["network"]["weights_hash"] == bundled.weights_hash
    assert again.card["plan"]["seed"] == 0 and again.card["versions"]["torch"]
    assert again.card["losses"]["brick"].keys() == {"content", "style", "colour", "rough"}
    for name, value in made.painter.state_dict().items():
        assert torch.equal(again.painter.state_dict()[name], value.half().float())


@pytest.mark.parametrize(
    ("about", "says"),
    [
        (None, "not a stylist's file"),
        ({"format": 2}, "later version"),
        ({"styles": []}, "see its styles"),
        ({"styles": [3]}, "see its styles"),
        ({"width": 10**9}, "see its width"),
        ({"blocks": -1}, "see its blocks"),
        ({"width": 8}, "do not fit"),
        ({"card": None}, "see its card"),
    ],
)
def test_a_file_of_something_else(about: Any, says: str, tmp_path: Path) -> None:
    from pellucid.make.painting.painter import Painter

    whole = {"format": 1, "styles": ["a"], "width": 2, "blocks": 1, "card": {}}
    tensors = {k: v.half().contiguous() for k, v in Painter(1, 2, 1).state_dict().items()}
    text = {} if about is None else {trained.KEY: json.dumps(whole | about)}
    save_file(tensors, tmp_path / "a.safetensors", text)
    with pytest.raises(pl.PellucidError, match=says):
        trained.load(tmp_path / "a.safetensors")
    (tmp_path / "b.safetensors").write_bytes(b"nothing of that kind")
    with pytest.raises(pl.PellucidError, match="not a whole safetensors file"):
        trained.load(tmp_path / "b.safetensors")
