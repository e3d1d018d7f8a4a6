"""The wall: an assignment near the best, tiles equal to the whole picture, a page that works."""

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import pellucid as pl
from atlas.collection import clusters
from pellucid.atlas.wall import build, grid, picture, pyramid, words
from pellucid.atlas.wall.photos import Photos
from pellucid.atlas.wall.squares import GREY, squared, squares
from pellucid.images import open_image
from pellucid.pictures import file_bytes
from pellucid.progress import finished


def colour(row: int) -> torch.Tensor:
    """A plain photo, wider than tall, in a colour of its own."""
    tone = torch.tensor([row * 37 % 256, row * 91 % 256, row * 151 % 256], dtype=torch.uint8)
    return tone.view(3, 1, 1).expand(3, 40, 60)


def collection(count: int, bad: tuple[int, ...] = ()) -> Photos:
    def opened(row: int) -> pl.Photo:
        if row in bad:
            raise pl.PellucidError("it is damaged")
        return open_image(colour(row))

    return Photos(
        opened=opened,
        uris=[f"photos/{row:03}.jpg" for row in range(count)],
        labels=[("even", "odd")[row % 2] for row in range(count)],
        predicted=["even"] * count,
        shares=[0.5] * count,
        sizes=[(40, 60)] * count,
        network="a net",
    )


@pytest.mark.parametrize(("height", "width"), [(1, 1), (256, 256), (300, 520), (777, 257)])
def test_tiles_are_the_picture_at_every_power_of_two(
    tmp_path: Path, height: int, width: int
) -> None:
    down, across = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    whole = torch.stack([down % 256, across % 256, (down + across) // 8 % 256]).byte()
    made = pyramid.Pyramid(tmp_path / "wall.dzi", height, width)
    for top in range(0, height, pyramid.TILE):
        made.add(whole[:, top : top + pyramid.TILE])
    made.close()
    level, shown = made.levels, whole
    while True:
        assert made.at(level) == shown.shape[1:]
        for row in range(-(-shown.shape[1] // 256)):
            for column in range(-(-shown.shape[2] // 256)):
                part = shown[:, row * 256 : row * 256 + 256, column * 256 : column * 256 + 256]
                tile = pyramid.tile_path(made.path, level, column, row).read_bytes()
                assert tile == file_bytes(part, quality=pyramid.QUALITY)
        if level == 0:
            break
        level, shown = level - 1, pyramid.halved(shown)
    assert shown.shape == (3, 1, 1)
    folders = {int(path.name) for path in (tmp_path / "wall_files").iterdir()}
    assert folders == set(range(made.levels + 1))
    assert made.tiles == len(list((tmp_path / "wall_files").rglob("*.jpg")))
    assert f'Width="{width}" Height="{height}"' in (tmp_path / "wall.dzi").read_text()


def test_halving_is_the_mean_of_four() -> None:
    picture = torch.randint(0, 256, (3, 6, 8), dtype=torch.uint8)
    means = torch.nn.functional.avg_pool2d(picture.float(), 2)
    assert (pyramid.halved(picture).float() - means).abs().max() <= 0.5
    odd = pyramid.halved(picture[:, :5])  # its last row stands for two
    assert torch.equal(odd[:, 2], pyramid.halved(picture[:, [4, 4]])[:, 0])


def test_squares_come_in_order_from_the_middle_and_grey_where_unread() -> None:
    photo = torch.zeros(3, 20, 50, dtype=torch.uint8)
    photo[:, :, 15:35] = 200
    assert torch.equal(squared(open_image(photo), 20), torch.full((3, 20, 20), 200).byte())
    photos = collection(150, bad=(4,))
    made = list(squares(photos.opened, [*range(150)][::-1], 32, 3))
    assert len(made) == 150
    for row, (square, why) in zip(reversed(range(150)), made, strict=True):
        wanted = GREY if row == 4 else colour(row)[:, :1, :1]
        assert bool((square == wanted).all()) and (why == "it is damaged") == (row == 4)


def test_a_wall_shows_every_photo_in_its_cell(tmp_path: Path) -> None:
    photos, points = collection(23, bad=(7,)), clusters(23)
    made = finished(build.wall(tmp_path / "wall", photos, points, workers=2))
    assert made.cell == 64 and list(made.unread) == [7] and "1 photo could not" in made.told()
    assert {path.name for path in tmp_path.iterdir()} == {"wall"}
    whole = picture.pixels(made)
    rows, columns = grid.shape(23)
    assert whole.shape == (3, rows * 64, columns * 64)
    for row, (down, across) in enumerate(made.given.tolist()):
        middle = whole[:, down * 64 + 32, across * 64 + 32].float()
        wanted = torch.full((3,), 200.0) if row == 7 else colour(row)[:, 0, 0].float()
        assert (middle - wanted).abs().max() < 12
    script = (tmp_path / "wall" / "wall.js").read_text("utf-8")
    data = json.loads(script.removeprefix("window.WALL = ").rstrip().removesuffix(";"))
    assert data["at"] == [down * columns + across for down, across in made.given.tolist()]
    assert data["unread"] == {"7": "it is damaged"} and data["judged"] is True
    assert [data["prefix"] + rest for rest in data["rests"]] == list(photos.uris)
    assert json.loads(json.dumps(made.data()))["photos"] == 23


@pytest.mark.parametrize("kind", ["png", "jpg"])
@pytest.mark.parametrize("layout", picture.LAYOUTS)
def test_a_wall_is_one_large_image_too(
    tmp_path: Path, kind: str, layout: picture.Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = torch.tensor([[0.0, 0], [10, 0], [0, 10], [10, 10]])
    made = finished(build.wall(tmp_path / "wall", collection(4), points))
    monkeypatch.setattr(picture, "MOST_PIXELS", 5000)
    size = picture.saved(made, tmp_path / f"wall.{kind}", layout)
    shown = open_image(tmp_path / f"wall.{kind}")
    assert shown.size == size and size[0] * size[1] <= 1.1 * 5000
    corners = [(-3, 2), (-3, -3), (2, 2), (2, -3)]  # of the page, where the map has the photos
    for row, (down, across) in enumerate(corners):
        assert (shown.pixels[:, down, across].float() - colour(row)[:, 0, 0]).abs().max() < 25
    with pytest.raises(pl.PellucidError, match="there already"):
        picture.saved(made, tmp_path / f"wall.{kind}", layout)
    with pytest.raises(pl.PellucidError, match=r"saved as \.png or \.jpg"):
        picture.saved(made, tmp_path / "wall.gif", layout)
    with pytest.raises(pl.Unknown, match="did you mean 'scattered'"):
        picture.check(tmp_path / "other.png", "scatered", False)


def test_names_from_anybody_are_texts(tmp_path: Path) -> None:
    photos = Photos(
        opened=lambda row: open_image(colour(row)),
        uris=["a</script><b>.jpg", "b\u2028'.jpg"],
        labels=["<img onerror=alert(1)>", ""],
        network="<script>alert(1)</script>",
    )
    finished(build.wall(tmp_path / "wall", photos, torch.tensor([[0.0, 0], [1, 1]]), cell=32))
    html = (tmp_path / "wall" / "index.html").read_text("utf-8")
    assert "<script>alert" not in html and "&lt;script&gt;alert" in html
    script = (tmp_path / "wall" / "wall.js").read_text("utf-8")
    assert "\u2028" not in script and "\\u2028" in script
    assert "innerHTML" not in (tmp_path / "wall" / "viewer.js").read_text("utf-8")


def test_a_folder_is_only_replaced_if_it_is_a_wall(tmp_path: Path) -> None:
    out, photos, points = tmp_path / "wall", collection(3), clusters(3)
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    for force in (False, True):
        with pytest.raises(pl.PellucidError, match="not a wall"):
            finished(build.wall(out, photos, points, force=force))
    assert (out / "mine.txt").read_text() == "mine"
    (out / "mine.txt").unlink()
    finished(build.wall(out, photos, points))  # an empty folder is as good as none
    with pytest.raises(pl.PellucidError, match="is a wall already"):
        finished(build.wall(out, photos, points))
    before = (out / "wall.js").read_bytes()
    finished(build.wall(out, photos, points, force=True))
    assert (out / "wall.js").read_bytes() == before  # and the same again
    with pytest.raises(pl.PellucidError, match="no folder"):
        finished(build.wall(tmp_path / "none" / "wall", photos, points))
    with pytest.raises(pl.PellucidError, match="3 photos have 2 places"):
        finished(build.wall(tmp_path / "other", photos, points[:2]))
    with pytest.raises(pl.PellucidError, match="cells are 32, 64, 128, 256 px, not 100"):
        finished(build.wall(tmp_path / "other", photos, points, cell=100))
    with pytest.raises(pl.PellucidError, match="a wall needs a photo"):
        Photos(opened=photos.opened, uris=[])
    with pytest.raises(pl.PellucidError, match="2 photos have 1 labels"):
        Photos(opened=photos.opened, uris=["a", "b"], labels=["a"])
    assert {path.name for path in tmp_path.iterdir()} == {"wall"}


def full(path: Path, content: bytes) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def stopped(path: Path, content: bytes) -> int:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("breaks", "raises"), [(full, pl.PellucidError), (stopped, KeyboardInterrupt)]
)
def test_nothing_half_made_is_left(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    breaks: Callable[[Path, bytes], int],
    raises: type[BaseException],
) -> None:
    finished(build.wall(tmp_path / "wall", collection(3), clusters(3)))
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", breaks)
        with pytest.raises(raises):
            finished(build.wall(tmp_path / "wall", collection(30), clusters(30), force=True))
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == before
    with pytest.raises(pl.PellucidError, match="none of the photos can be read: it is damaged"):
        finished(build.wall(tmp_path / "new", collection(3, bad=(0, 1, 2)), clusters(3)))
    assert not (tmp_path / "new").exists()


def test_the_page_comes_in_two_languages(tmp_path: Path) -> None:
    for lang, word in (("en", "Scattered"), ("zh", "散布")):
        made = finished(build.wall(tmp_path / lang, collection(4), clusters(4), lang=lang))
        text = made.page.read_text("utf-8")
        letters = any("\u4e00" <= letter <= "\u9fff" for letter in text)
        assert word in text and letters == (lang == "zh")
        assert words.WORDS[lang].keys() == words.WORDS["en"].keys()


def test_the_page_zooms_names_finds_and_scatters(tmp_path: Path) -> None:
    """In a real browser, from a file: nothing but the folder's own files is asked for."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    playwright = pytest.importorskip("playwright.sync_api")
    if browser is None:
        pytest.skip("no chromium here")
    made = finished(build.wall(tmp_path / "wall", collection(60), clusters(60)))
    with playwright.sync_playwright() as work:
        window = work.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = window.new_page(viewport={"width": 900, "height": 700})
        asked, complaints = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda line: complaints.append(line.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(made.page.as_uri())
        idle = "document.getElementById('wall').dataset.idle === 'true'"

        def view() -> dict[str, object]:
            page.wait_for_timeout(120)
            page.wait_for_function(idle)
            found: dict[str, object] = page.evaluate(
                "(() => { const {seen, layout, morph, hits, pinned} = WALL_VIEW();"
                " return {zoom: seen.zoom, x: seen.x, layout, morph, hits, pinned} })()"
            )
            return found

        def spot(row: int) -> tuple[float, float]:
            x, y = page.evaluate(f"WALL_VIEW().place({row})")
            box = page.locator("#wall").bounding_box()
            return x + box["x"], y + box["y"]

        whole = view()
        # Every photo is drawn in its colour where the page says that it is.
        page.screenshot(path=tmp_path / "shot.png")
        shot = open_image(tmp_path / "shot.png").pixels
        for row in range(60):
            x, y = spot(row)
            drawn = shot[:, round(y), round(x)].float()
            assert (drawn - colour(row)[:, 0, 0]).abs().max() < 25
        page.mouse.click(*spot(17))
        assert view()["pinned"] == 17 and page.inner_text("#label") == "odd"
        assert (
            "even" in page.inner_text("#guess") and page.get_attribute("#guess", "class") == "wrong"
        )
        assert page.inner_text("#uri") == "photos/017.jpg"
        page.keyboard.press("Escape")
        assert view()["pinned"] == -1 and page.is_hidden("#card")
        page.mouse.move(*spot(3))
        page.mouse.wheel(0, -300)
        nearer = view()
        assert nearer["zoom"] > 1.5 * whole["zoom"]
        page.keyboard.press("ArrowRight")
        assert view()["x"] > nearer["x"]
        page.keyboard.press("0")
        assert view()["zoom"] == pytest.approx(whole["zoom"], rel=0.01)
        page.keyboard.press("+")
        assert view()["zoom"] > 1.3 * whole["zoom"]
        page.mouse.dblclick(*spot(3))
        assert view()["zoom"] > 2 * whole["zoom"]
        page.fill("#search", "odd")
        assert view()["hits"] == [*range(1, 60, 2)]
        assert "30" in page.inner_text("#found")
        page.press("#search", "Enter")
        assert view()["pinned"] == 1
        page.fill("#search", "058.jpg")
        assert view()["hits"] == [58]
        page.fill("#search", "")
        page.click("label:has(#map)")
        scattered_view = view()
        assert scattered_view["layout"] == scattered_view["morph"] == 1
        box = page.locator("#wall").bounding_box()
        x, y = spot(59)  # the last one is in front of all
        assert page.evaluate(f"WALL_VIEW().at({x - box['x']}, {y - box['y']})") == 59
        before = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.click("#theme")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
        window.close()
    assert not complaints
    assert all(url.startswith((tmp_path / "wall").as_uri()) for url in asked)
