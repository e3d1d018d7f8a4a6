"""Films: what is saved comes back, whatever the kind of file, and the recipe with it."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence
from typer.testing import CliRunner

import pellucid as pl
from pellucid.app.cli import app
from pellucid.film import Film, asked
from pellucid.movies import film_bytes
from pellucid.pictures import text_inside
from pellucid.recipe import Recipe
from pellucid.replay import read
from pellucid.results import check_ending

RECIPE = Recipe("dream", {"film": 5, "want": "猫; {comment}"})


def film(count: int = 5, channels: int = 3, size: tuple[int, int] = (20, 31)) -> Film:
    """Grey frames, each lighter than the one before, a red corner where there are colours."""
    shades = torch.linspace(20, 235, count).round().byte()
    values = shades.view(-1, 1, 1, 1).repeat(1, channels, *size)
    values[:, 0, :8, :8] = 255
    return Film(values=values, fps=10, caption="lighter", recipe=RECIPE)


def frames(path: Path) -> tuple[torch.Tensor, float]:
    """All frames of a file, and the seconds that one is shown."""
    if path.suffix == ".mp4":
        av = pytest.importorskip("av", reason="PyAV is not installed")
        with av.open(str(path)) as opened:
            shown = [frame.to_ndarray(format="rgb24") for frame in opened.decode(video=0)]
            seconds = float(1 / opened.streams.video[0].average_rate)
    else:
        with Image.open(path) as opened:
            shown = [np.array(one.convert("RGB")) for one in ImageSequence.Iterator(opened)]
            seconds = opened.info["duration"] / 1000
    return torch.from_numpy(np.stack(shown)).permute(0, 3, 1, 2), seconds


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("ending", [".gif", ".webp", ".mp4"])
def test_frames_time_and_recipe_come_back(ending: str, channels: int, here: Path) -> None:
    if ending == ".mp4":
        pytest.importorskip("av", reason="PyAV is not installed")
    made = film(channels=channels)
    path = made.save(f"made{ending}", arrays="npz")
    found, seconds = frames(path)
    even = (20, 30) if ending == ".mp4" else (20, 31)
    assert found.shape == (5, 3, *even)
    assert seconds == pytest.approx(0.1)
    away = (found[:, :, 12:, 12:].float() - made.values[:, :, 12 : even[0], 12 : even[1]]).abs()
    assert float(away.max()) <= 8
    if channels == 3:
        assert bool((found[0, 0, :6, :6] > 200).all()) and bool((found[0, 1, :6, :6] < 80).all())
    assert read(path) == RECIPE == read("made.npz")
    assert {entry.name for entry in here.iterdir()} == {f"made{ending}", "made.npz"}
    if ending != ".mp4":  # whose encoder is not always the same to the last bit
        assert made.file(ending) == made.file(ending)


def test_as_a_picture_it_is_a_strip_of_frames(here: Path) -> None:
    for count, shown in ((1, 1), (5, 5), (40, 12)):
        made = film(count)
        height, width = made.image().shape[1:]
        assert height * width > shown * 129 * 200
        assert float(made.image()[:, 60, 100].mean()) == pytest.approx(20 / 255, abs=0.01)
    assert text_inside(made.save("made.png")) == RECIPE.json()


def test_it_runs_in_a_notebook() -> None:
    page = film()._repr_html_()
    assert page.startswith("<figure") and "data:image/webp;base64," in page
    assert film()._repr_png_().startswith(b"\x89PNG")
    assert film().data()["fps"] == 10 and film().data()["shape"] == [5, 3, 20, 31]


def test_names_that_do_not_fit(here: Path) -> None:
    with pytest.raises(pl.PellucidError, match=r"a film is saved as \.gif, \.webp, \.mp4 or \.png"):
        film().save("made.avi")
    for folder in (here, Path()):
        with pytest.raises(pl.PellucidError, match="is a folder, not a file to write: name a file"):
            check_ending(folder, pl.Result)
    with pytest.raises(pl.PellucidError, match=r"a picture is saved as \.png, not 'made\.gif'"):
        pl.Picture(values=torch.rand(3, 4, 4)).save("made.gif")
    with pytest.raises(pl.PellucidError, match="at least 2 x 2"):
        pytest.importorskip("av", reason="PyAV is not installed")
        film(size=(1, 9)).save("made.mp4")
    assert not list(here.iterdir())


def test_without_pyav_it_is_said_before_the_work(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(pl.PellucidError, match="needs PyAV"):
        film_bytes(film().values, 10, ".mp4")
    shown = CliRunner().invoke(
        app, ["dream", "photo:cat", "--film", "3", "--out", "a.mp4", "--network", "none"]
    )
    assert shown.exit_code == 2 and "needs PyAV" in shown.output
    assert not list(here.iterdir())


def test_what_is_asked_for() -> None:
    assert asked({"film": 3}) is Film
    assert asked({"film": 0}) is asked({}) is pl.Result


def test_in_the_shell(here: Path) -> None:
    few = ["dream", "photo:cat", "relu1", "--octaves", "1", "--steps", "1", "--size", "40"]
    shown = CliRunner().invoke(app, [*few, "--film", "2", "--guide", "photo:coins"])
    assert shown.exit_code == 0, shown.output
    assert "saved dream-cat-relu1-coins.gif" in shown.output
    recipe = read("dream-cat-relu1-coins.gif")
    assert "--guide photo:coins" in recipe.command() and recipe.command().count("photo:") == 2
    shown = CliRunner().invoke(app, ["replay", "dream-cat-relu1-coins.gif", "--out", "again.webp"])
    assert shown.exit_code == 0, shown.output
    assert "bit for bit" in shown.output and read("again.webp") == recipe
    shown = CliRunner().invoke(app, [*few, "--out", "a.gif", "--network", "none"])
    assert shown.exit_code == 2 and "a picture is saved as .png" in shown.output


def test_a_film_without_a_recipe_says_so(here: Path) -> None:
    Image.new("RGB", (4, 4)).save("other.gif")
    Image.new("RGB", (4, 4)).save("other.webp")
    for name in ("other.gif", "other.webp"):
        with pytest.raises(pl.PellucidError, match="no recipe inside"):
            read(name)
    Path("bad.mp4").write_bytes(b"nothing")
    with pytest.raises(pl.PellucidError, match=r"no recipe can be read|needs PyAV"):
        read("bad.mp4")
