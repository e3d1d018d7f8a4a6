"""The stylist: what comes along works at once, in blends, on any photo, on many, on videos."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch.nn import functional as F
from typer.testing import CliRunner

import pellucid as pl
from pellucid.app.cli import app
from pellucid.assets import FOLDER, STYLIST
from pellucid.make import stylist as module
from pellucid.make.painting.blend import blend
from pellucid.make.painting.trained import load
from pellucid.make.painting.works import painted, works
from pellucid.progress import finished
from pellucid.reel import Frame, frames, written

FILE = FOLDER / f"{STYLIST}.safetensors"
NAMES = load(FILE).names
FIRST, SECOND = NAMES[:2]


@pytest.fixture
def folder(here: Path) -> Path:
    """Three photos, one of them in a folder of its own, and a file that is none."""
    inside = here / "in" / "more"
    inside.mkdir(parents=True)
    for number, name in enumerate(("a.png", "b.jpg", "more/c.png")):
        Image.new("RGB", (30 + number, 20), (250, 80 * number, 0)).save(here / "in" / name)
    return here / "in"


def run(*words: Any) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["stylist", *map(str, words)])
    return done.exit_code, done.output


def test_what_comes_along_is_small_and_says_what_it_is() -> None:
    assert FILE.stat().st_size <= 4_000_000
    made = load(FILE)
    assert 4 <= len(made.names) <= 6
    assert made.card["network"]["weights_hash"] == pl.load(device="cpu").weights_hash
    assert made.card["steps"] == made.card["plan"]["steps"]
    assert set(made.card["losses"]) == {"step", *made.names}
    assert (FOLDER / f"{STYLIST}.card.md").is_file()


@pytest.mark.parametrize("name", NAMES)
def test_its_pictures_have_the_style_and_still_the_photo(
    name: str, bundled: pl.Network, cat: pl.Photo
) -> None:
    """In the losses of the card, on a photo that it has never seen."""
    losses = load(FILE).card["losses"][name]
    assert losses["style"] < 0.5 and losses["colour"] < 0.3
    picture = pl.stylist(bundled, cat, style=name, size=224).values
    photo = module.laid(cat, 224)

    def shapes(image: torch.Tensor) -> torch.Tensor:
        light = F.avg_pool2d(image.mean(0, keepdim=True), 9)
        edges = torch.cat([light.diff(dim=1)[:, :, 1:], light.diff(dim=2)[:, 1:]])
        return edges.norm(dim=0).flatten()

    both = torch.corrcoef(torch.stack([shapes(picture), shapes(photo)]))
    assert float(both[0, 1]) > 0.5


def test_styles_differ_and_a_blend_lies_between(bundled: pl.Network, cat: pl.Photo) -> None:
    one, other, both = (
        pl.stylist(bundled, cat, style=style, size=96).values
        for style in (FIRST, SECOND, f"{FIRST} 0.5; {SECOND} 0.5")
    )
    apart = (one - other).abs().mean()
    assert apart > 0.05
    assert (both - one).abs().mean() < apart and (both - other).abs().mean() < apart


def test_a_blend_of_a_style_with_itself_is_that_style(bundled: pl.Network, cat: pl.Photo) -> None:
    plain = pl.stylist(bundled, cat, style=FIRST, size=64)
    for text in (f"{FIRST} 0.3; {FIRST} 0.7", "1", f"1; {FIRST}", f"{FIRST} 5; {SECOND} 0"):
        assert torch.equal(pl.stylist(bundled, cat, style=text, size=64).values, plain.values)
    assert torch.equal(pl.stylist(bundled, cat, style=1, size=64).values, plain.values)


def test_all_styles_side_by_side(bundled: pl.Network, cat: pl.Photo) -> None:
    sheet = pl.stylist(bundled, cat, size=64)
    assert sheet.values.shape == (1 + len(NAMES), 3, 43, 64)
    for name, picture in zip(NAMES, sheet.values[1:], strict=True):
        assert torch.equal(picture, pl.stylist(bundled, cat, style=name, size=64).values)
    assert sheet.facts["class"] in bundled.labels
    assert len(sheet.facts["painted"]) == len(NAMES)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (3, 5), (37, 53), (50, 50)])
def test_any_photo(size: tuple[int, int], bundled: pl.Network) -> None:
    made = pl.stylist(bundled, torch.rand(3, *size), style=FIRST)
    assert made.values.shape == (3, *size)
    assert bool(((made.values >= 0) & (made.values <= 1)).all())


def test_grey_and_transparent_photos(bundled: pl.Network, tmp_path: Path) -> None:
    Image.new("L", (33, 21), 90).save(tmp_path / "grey.png")
    Image.new("RGBA", (33, 21), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    for name in ("grey", "clear"):
        made = pl.stylist(bundled, tmp_path / f"{name}.png", style=FIRST)
        assert made.values.shape == (3, 21, 33) and bool(made.values.isfinite().all())
    white = pl.stylist(bundled, torch.ones(3, 21, 33), style=FIRST)
    assert torch.equal(made.values, white.values)


def test_a_photo_is_painted_at_its_own_size_or_the_one_asked_for(bundled: pl.Network) -> None:
    wide = torch.rand(3, 20, 2100)
    assert pl.stylist(bundled, wide, style=FIRST).values.shape == (3, 10, 1024)
    assert pl.stylist(bundled, wide, style=FIRST, size=210).values.shape == (3, 2, 210)


def test_more_than_memory_holds(bundled: pl.Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "free", lambda device: 1_000_000)
    with pytest.raises(pl.PellucidError, match=r"takes about .* GB.*ask for a size of \d+ px"):
        pl.stylist(bundled, torch.rand(3, 200, 200), style=FIRST)


def test_a_network_without_classes_says_nothing(bundled: pl.Network) -> None:
    maps = pl.Network(torch.nn.Sequential(*list(bundled.module)[:3]), size=112)
    made = pl.stylist(maps, "photo:cat", style=FIRST, size=32)
    assert made.facts == {} and made.caption == f"cat in {FIRST}"


def test_a_model_of_ones_own(bundled: pl.Network, here: Path) -> None:
    pl.stylist(bundled, "photo:cat", style=FIRST, size=32, model=FILE).save("a.png")
    assert pl.replay("a.png").same
    for model, says in (("none.safetensors", "no stylist"), ("a.png", "not a whole safetensors")):
        with pytest.raises(pl.PellucidError, match=says):
            pl.stylist(bundled, "photo:cat", model=model)


def test_a_replay_calls_no_other_machine(bundled: pl.Network, here: Path) -> None:
    made = pl.stylist(bundled, "photo:cat", style=FIRST, size=32)
    settings = made.recipe.settings | {"model": "\\\\elsewhere\\share\\a.safetensors"}
    from dataclasses import replace

    replace(made, recipe=replace(made.recipe, settings=settings)).save("a.png")
    with pytest.raises(pl.PellucidError, match="another machine"):
        pl.replay("a.png")


def test_the_command_for_one_photo(here: Path) -> None:
    code, text = run("apply", "photo:cat", "--style", f"{FIRST} 0.7; {SECOND} 0.3", "--size", 48)
    assert code == 0 and f"{FIRST} 0.7; {SECOND} 0.3" in text
    assert (here / "stylist-cat.png").is_file()
    assert run("apply", "photo:cat", "--style", FIRST)[0] == 2  # it is there
    code, text = run("apply", "photo:cat", "--style", "nothing like it", "--out", "b.png")
    assert code == 2 and "no style" in text
    assert run("aply")[0] == 2


def test_a_folder_is_painted_once(folder: Path, here: Path) -> None:
    words = ("apply", folder, "--style", FIRST, "--out", here / "out")
    code, text = run(*words)
    assert code == 0 and "3 painted" in text
    made = sorted(
        path.relative_to(here / "out").as_posix() for path in (here / "out").rglob("*.png")
    )
    assert made == ["a.png", "b.png", "more/c.png"]
    assert pl.replay(here / "out" / "more" / "c.png").same
    before = {path: path.stat().st_mtime_ns for path in (here / "out").rglob("*.png")}
    (here / "out" / "b.png").unlink()
    code, text = run(*words)
    assert code == 0 and "1 painted, 2 were there already" in text
    again = {path: path.stat().st_mtime_ns for path in (here / "out").rglob("*.png")}
    assert {p: t for p, t in again.items() if p.name != "b.png"} == {
        p: t for p, t in before.items() if p.name != "b.png"
    }


def test_what_is_there_and_something_else_is_not_overwritten(folder: Path, here: Path) -> None:
    words = ("apply", folder, "--out", here / "out", "--style")
    run(*words, FIRST)
    before = (here / "out" / "a.png").read_bytes()
    code, text = run(*words, SECOND)
    assert code == 2 and "another file is there" in text and "--force" in text
    assert (here / "out" / "a.png").read_bytes() == before
    code, text = run(*words, SECOND, "--force", "--json")
    assert code == 0 and len(json.loads(text)["saved"]) == 3
    assert (here / "out" / "a.png").read_bytes() != before


def test_damaged_files_do_not_stop_the_others(folder: Path, here: Path) -> None:
    (folder / "x.jpg").write_bytes(b"no photo")
    code, text = run("apply", folder, "--style", FIRST, "--out", here / "out")
    assert code == 2 and "3 painted, 1 cannot be read" in text


def test_many_want_one_style(folder: Path) -> None:
    code, text = run("apply", folder)
    assert code == 2 and f"--style one of {FIRST}" in text
    code, text = run("apply", folder, "--style", FIRST, "--arrays", "npz")
    assert code == 2 and "for one photo" in text


def test_ctrl_c_keeps_what_is_done(folder: Path, here: Path, bundled: pl.Network) -> None:
    work = painted(bundled, works([str(folder)], here / "out"), style=FIRST)
    next(work)
    with pytest.raises(StopIteration) as end:
        work.throw(KeyboardInterrupt)
    assert not end.value.value.whole and len(end.value.value.painted) == 1
    assert "goes on" in end.value.value.told()
    assert len(list((here / "out").rglob("*.png"))) == 1


def test_two_photos_of_one_name(here: Path) -> None:
    for name in ("a.png", "a.jpg"):
        Image.new("RGB", (8, 8)).save(here / name)
    found = works(["a.jpg", "a.png", "photo:cat", "clip.mov"], Path("out"))
    assert [work.target.as_posix() for work in found] == [
        "out/a.png", "out/a.png.png", "out/cat.png", "out/clip.mp4",
    ]  # fmt: skip


def test_a_video_is_painted_frame_by_frame(here: Path, bundled: pl.Network) -> None:
    pytest.importorskip("av", reason="PyAV is not installed")
    shown = [torch.rand(3, 40, 60).mul(255).byte() for _ in range(3)]
    with written(here / "in.mp4", "") as put:
        for number, pixels in enumerate(shown):
            put(Frame(pixels, Fraction(number, 10)))
    code, text = run("apply", "in.mp4", "--style", FIRST)
    assert code == 0, text
    found = [frame for _, frame in frames(here / "stylist-in.mp4")]
    assert [frame.time for frame in found] == [0, Fraction(1, 10), Fraction(1, 5)]
    trained = load(FILE)
    for (_, before), after in zip(frames(here / "in.mp4"), found, strict=True):
        photo = before.pixels.float() / 255
        wanted = module.paint(trained.painter, photo, blend(FIRST, trained.names))
        assert float((after.pixels / 255 - wanted).abs().mean()) < 0.08  # colours share 2 x 2 px
    assert run("apply", "in.mp4", "--style", FIRST)[0] == 2
    assert run("apply", "in.mp4", "--style", FIRST, "--out", "b.avi")[0] == 2
    (here / "empty.mp4").write_bytes(b"no frames here")
    code, text = run("apply", "empty.mp4", "--style", FIRST)
    assert code == 2 and "cannot be read as a video" in text
    assert not (here / "stylist-empty.mp4").exists()


def test_the_command_trains(folder: Path, here: Path) -> None:
    few = ("--steps", 2, "--size", 32, "--width", 2, "--blocks", 0, "--batch", 1)
    words = ("train", "photo:brick", "--photos", folder, "--out", "a.safetensors", *few)
    code, text = run(*words, "--content", "relu1", "--style", "relu1")
    assert code == 0, text
    assert "brick: 2 of 2 steps" in text and "saved a.safetensors" in text
    assert run("apply", "photo:cat", "--model", "a.safetensors", "--style", "brick")[0] == 0
    assert run(*words)[0] == 2
    code, text = run(
        "train", "photo:brick", "x/brick.png", "--photos", folder, "--out", "b.safetensors"
    )
    assert code == 2 and "two styles are called 'brick'" in text
    code, text = run(*words[:2], "--photos", here / "none", "--out", "b.safetensors")
    assert code == 2
    assert finished(pl.train_stylist(
        pl.load(device="cpu"), {"brick": "photo:brick"}, folder, "c.safetensors", steps=1, size=32,
        width=2, blocks=0, batch=1,
    )).names == ("brick",)  # fmt: skip
