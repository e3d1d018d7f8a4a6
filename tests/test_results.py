"""Results draw themselves sanely whatever their numbers, and save whole or not at all."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

import pellucid as pl
from mapped import RECIPE, heatmap
from pellucid import colour, tiles, writing
from pellucid.pictures import text_inside

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    "numbers", [[0.0], [3.0], [NAN], [INF, 1.0], [-INF, NAN, 2.0], [1e38, -1e38]]
)
@pytest.mark.parametrize("scale", ["range", "positive", "signed"])
@pytest.mark.parametrize("clean", [None, 2.0, INF, NAN])
def test_odd_numbers_are_drawn(numbers: list[float], scale: Any, clean: float | None) -> None:
    values = torch.tensor(numbers).repeat(16)[:16].reshape(4, 4)
    made: list[pl.Result] = [heatmap(values, (9, 8), scale=scale, clean=clean)]
    made += [made[0].over(), pl.Grid(values=values[None, None], scale=scale, names=("a",))]
    for result in made:
        image = result.image()
        assert bool(image.isfinite().all()) and 0 <= float(image.min()) <= float(image.max()) <= 1
        assert result._repr_png_()


def test_a_grid_has_a_range_for_each_tile_or_one_for_all() -> None:
    values = torch.tensor([0.0, 1.0, 0.0, 2.0]).reshape(2, 1, 1, 2)
    first, last = {}, {}
    for joint in (False, True):
        image = pl.Grid(values=values, joint=joint, tile=2, columns=2).image()
        row = image[0, tiles.GAP + 0]
        first[joint], last[joint] = float(row[tiles.GAP + 1]), float(row[2 * tiles.GAP + 3])
    assert (first, last) == ({False: 1, True: 0.5}, {False: 1, True: 1})


def test_names_stand_below_their_tiles() -> None:
    values = torch.zeros(3, 1, 4, 4)
    plain = pl.Grid(values=values, columns=3).image()
    named = pl.Grid(values=values, columns=3, names=("a", "b", "")).image()
    below = named[:, tiles.GAP + 48 : named.shape[1] - tiles.GAP]
    ink = [
        float((1 - below[:, :, tiles.GAP + n * 52 : tiles.GAP + n * 52 + 48]).sum())
        for n in range(3)
    ]
    assert named.shape[2] == plain.shape[2] and named.shape[1] > plain.shape[1]
    assert ink[0] > 1 and ink[1] > 1 and ink[2] == 0


def test_a_name_too_long_is_cut() -> None:
    assert tiles.fitted("short", 100) == "short"
    cut = tiles.fitted("a name that is far too long", 60)
    assert cut.endswith("…") and tiles.text_width(cut, tiles.LETTER) <= 60
    assert tiles.fitted("W", 1) == ""


@pytest.mark.parametrize("size", [(300, 450), (40, 4000), (4000, 40), (1, 1)])
def test_bars_are_as_long_as_their_shares(size: tuple[int, int]) -> None:
    shares = torch.tensor([0.75, 0.25, 0.0])
    made = pl.Ranking(
        values=shares,
        names=("a", "b" * 200, ""),
        scores=shares,
        photo=pl.open_image(torch.ones(3, *size)),
    )
    image = made.image()
    blue = (image - torch.tensor(tiles.BAR).view(3, 1, 1)).abs().amax(0) < 0.01
    lengths = blue.sum(1)
    assert sorted(set(lengths.tolist()))[1:] == [1, 73, 219]
    assert image.shape[2] < 800
    assert made.data()["ranking"][0] == {"name": "a", "probability": 0.75, "score": 0.75}


def test_many_bars_stay_a_picture() -> None:
    shares = torch.full((5000,), 0.5)
    shares[0] = torch.nan  # of a network whose scores overflow
    photo = pl.open_image(torch.zeros(3, 30, 40))
    names = tuple(map(str, range(5000)))
    image = pl.Ranking(values=shares, names=names, scores=shares, photo=photo).image()
    blue = (image - torch.tensor(tiles.BAR).view(3, 1, 1)).abs().amax(0) < 0.01
    assert int((blue.any(1).int().diff() == 1).sum()) == 100
    assert image.shape[1] < 4000 and image.shape[2] < 1100


def test_a_small_picture_is_enlarged_in_whole_steps() -> None:
    made = pl.Picture(values=torch.rand(1, 100, 50))
    assert made.image().shape == (3, 300, 150)
    assert torch.equal(made.image()[:, ::3, ::3], made.values.expand(3, -1, -1))


def test_the_recipe_travels_in_every_file(here: Path) -> None:
    made = heatmap(torch.rand(4, 4), (9, 8))
    made.save("a.png", arrays="npz")
    made.save("b.PNG", arrays="safetensors")
    texts = [text_inside(Path("a.png")), text_inside(Path("b.PNG"))]
    with np.load("a.npz", allow_pickle=False) as arrays:
        texts.append(str(arrays["pellucid"]))
        assert np.array_equal(arrays["values"], made.values)
    with safe_open("b.safetensors", "pt") as opened:
        texts.append(opened.metadata()["pellucid"])
        assert torch.equal(opened.get_tensor("values"), made.values)
    assert [pl.Recipe.parse(text) for text in texts] == [RECIPE] * 4


def test_numbers_that_numpy_does_not_know(here: Path) -> None:
    made = pl.Picture(values=torch.rand(3, 4, 4).bfloat16())
    made.save("a.png", arrays="npz")
    with np.load("a.npz") as arrays:
        assert np.array_equal(arrays["values"], made.values.float().numpy())


def test_refuses_to_overwrite(here: Path) -> None:
    made = heatmap(torch.rand(4, 4), (9, 8))
    Path("a.npz").write_text("mine")
    Path("link.png").symlink_to("nowhere")
    for name, there in (("a.png", "a.npz"), ("link.png", "link.png")):
        with pytest.raises(pl.PellucidError, match=f"{there} is there already; force=True"):
            made.save(name, arrays="npz")
    assert Path("a.npz").read_text() == "mine"
    assert {entry.name for entry in here.iterdir()} == {"a.npz", "link.png"}
    made.save("a.png", arrays="npz", force=True)
    assert np.load("a.npz")["values"].shape == (4, 4)


@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        ("a.jpg", {}, "saved as .png, not 'a.jpg'"),
        ("", {}, r"\. is a folder, not a file"),
        ("none/a.png", {}, "cannot write none/a.png: No such file"),
        ("file/a.png", {}, "cannot write file/a.png"),
        ("folder.png", {"force": True}, "folder.png is a folder, not a file"),
        ("a" * 300 + ".png", {}, "cannot write a+.png: File name too long"),
        ("a\0.png", {}, "cannot write"),
        ("a.png", {"arrays": "csv"}, "npz or safetensors, not 'csv'"),
    ],
)
def test_what_cannot_be_saved(name: str, more: Any, message: str, here: Path) -> None:
    Path("file").write_text("")
    Path("folder.png").mkdir()
    with pytest.raises(pl.PellucidError, match=message):
        heatmap(torch.rand(4, 4), (9, 8)).save(name, **more)
    assert {entry.name for entry in here.iterdir()} == {"file", "folder.png"}


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("where", ["open", "replace"])
@pytest.mark.parametrize("there", [True, False])
def test_nothing_half_written_is_left(
    error: BaseException, where: str, there: bool, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if there:
        Path("a.png").write_text("old")
    real_open, calls = Path.open, 0

    def fail(self: Path, *args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:  # the picture is written, the arrays are not
            real_open(self, "wb").close()
            raise error
        return real_open(self, *args, **kwargs)

    def never(*_: Any) -> None:
        raise error

    if where == "open":
        monkeypatch.setattr(Path, "open", fail)
    else:
        monkeypatch.setattr(os, "replace", never)
    wanted = pl.PellucidError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(wanted, match="No space left" if isinstance(error, OSError) else None):
        heatmap(torch.rand(4, 4), (9, 8)).save("a.png", arrays="npz", force=True)
    assert [entry.name for entry in here.iterdir()] == (["a.png"] if there else [])
    assert not there or Path("a.png").read_text() == "old"


def test_files_are_readable_as_the_user_wants(here: Path) -> None:
    mask = os.umask(0o027)
    try:
        writing.write_whole(Path("a.html"), b"page")
    finally:
        os.umask(mask)
    assert Path("a.html").stat().st_mode & 0o777 == 0o640


def test_captions_cannot_break_a_page() -> None:
    recipe = pl.Recipe("saliency", {"target": "<script>"})
    made = pl.Picture(values=torch.rand(3, 4, 4), caption='"><script>', recipe=recipe)
    assert "<script>" not in made._repr_html_()


def test_the_picture_in_the_file_is_the_picture(here: Path) -> None:
    made = heatmap(torch.rand(4, 4), (90, 80))
    with Image.open(made.save("a.png")) as opened:
        found = torch.from_numpy(np.asarray(opened).copy()).permute(2, 0, 1)
    assert torch.equal(found, (made.image() * 255).round().byte())
    assert made.colours in colour.MAPS


def test_results_and_photos_say_themselves_in_one_line() -> None:
    made = heatmap(torch.rand(4, 5), (9, 8))
    ranking = pl.Ranking(
        values=torch.tensor([0.75, 0.25]),
        names=("cat", "dog"),
        scores=torch.tensor([2.0, 1.0]),
        photo=made.photo,
    )
    assert repr(made) == "<Heatmap 4 x 5: c>"
    assert repr(ranking) == "<Ranking cat 75.0%, dog 25.0%>"
    assert repr(made.photo) == "<Photo without a name, 8 x 9 px>"
    assert repr(pl.open_image("photo:cat")) == "<Photo photo:cat, 451 x 300 px>"


@pytest.mark.parametrize("count", [2, 6, 8, 18, 32])
def test_square_tiles_make_a_page_that_is_wider_than_tall(count: int) -> None:
    page = tiles.arranged(torch.zeros(count, 3, 8, 8))
    assert page.shape[2] > page.shape[1]


@pytest.mark.parametrize("path", [5, None, b"a.png"])
def test_a_result_is_saved_under_a_name(path: Any) -> None:
    with pytest.raises(pl.PellucidError, match="under the name of a file, not"):
        pl.Picture(values=torch.rand(1, 2, 2)).save(path)
