"""The unit pages: every link resolves, nothing is fetched, and they say what the atlas says."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from typer.testing import CliRunner

import pellucid as pl

pytest.importorskip("lance")

from atlas.collection import folder, network
from atlas.crawler import FEW, Page, crawled, files, pages, small
from pellucid.app.atlas.site import site as command
from pellucid.atlas.atlas import Atlas
from pellucid.atlas.site import Site, site
from pellucid.atlas.site.ledger import NAME
from pellucid.progress import finished

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    return small(tmp_path_factory.mktemp("atlas"))


@pytest.fixture(scope="module")
def made(atlas: Atlas, tmp_path_factory: pytest.TempPathFactory) -> Site:
    out = tmp_path_factory.mktemp("sites") / "site"
    return finished(site(atlas, out, **FEW))


def test_every_link_resolves_and_every_file_is_reached(made: Site) -> None:
    out = made.path.parent.resolve()
    reached = crawled(out)
    there = {path for path in out.rglob("*") if path.is_file()}
    assert there - reached == {out / NAME}
    assert sum(path.suffix == ".html" for path in reached) == 1 + 3 + 6 + 8 + 8
    assert made.units == made.drawn == 22 and made.whole
    assert made.files == len(there)
    assert made.size == sum(path.stat().st_size for path in there)


def test_nothing_is_fetched_from_elsewhere(made: Site) -> None:
    for name, content in files(made.path.parent).items():
        if not name.endswith(".jpg"):
            text = content.decode().replace("http://www.w3.org/2000/svg", "")
            assert not re.search(r"https?:|@import|fetch\(|XMLHttp", text), name


def test_names_are_escaped(made: Site) -> None:
    text = "".join(text for _, text in pages(made.path.parent))
    assert "<b>&y" not in text and "&lt;b&gt;&amp;y" in text


def test_a_unit_page_says_what_the_atlas_says(made: Site, atlas: Atlas) -> None:
    text = (made.path.parent / "02-5/3.html").read_text("utf-8")
    best = atlas.best("5")
    for value, row in zip(best.values[3].tolist(), best.images[3].tolist(), strict=True):
        assert f"<b>{value:.3g}</b>" in text
        assert atlas.images.uris[row].rpartition("/")[2] in text
    assert 'rel="prev" href="../02-5/2.html"' in text
    assert 'rel="next" href="../02-5/4.html"' in text
    assert "pellucid features 5 --channels" in text
    # The mean over the places is what the classifier reads.
    assert "Weights to the classes" in text
    assert "Weights to the classes" not in (made.path.parent / "01-2/3.html").read_text("utf-8")


def test_the_pictures_are_the_patches_and_the_drawings(made: Site, atlas: Atlas) -> None:
    from pellucid.atlas.patches import patches_of

    found = finished(patches_of(atlas, "5", [3], guided=True))[3]
    for kind, pictures in {
        "patches": [one.tile(one.pixels.float() / 255) for one in found],
        "guided": [
            one.tile(pl.colour.ranged(one.guided, "signed", 0.005).expand(3, -1, -1))
            for one in found
        ],
    }.items():
        sheet = pl.open_image(made.path.parent / f"02-5/3-{kind}.jpg").floats()
        side = pictures[0].shape[1]
        assert sheet.shape == (3, 2 * side, 3 * side)
        for number, picture in enumerate(pictures):
            top, left = number // 3 * side, number % 3 * side
            tile = sheet[:, top : top + side, left : left + side]
            assert float((tile - picture).abs().mean()) < 0.04, kind  # as JPEG
    drawn = pl.features(atlas.network(), "5", channels="0-7", batch=8, steps=2)
    shown = pl.open_image(made.path.parent / "02-5/3-drawn.jpg").floats()
    assert float((shown - drawn.values[3]).abs().mean()) < 0.08


def test_without_drawings_of_some_units_in_chinese(atlas: Atlas, tmp_path: Path) -> None:
    made = finished(site(atlas, tmp_path / "a" / "site", layers="5", channels="1-2", draw=False,
                         lang="zh"))  # fmt: skip
    assert (made.units, made.drawn) == (2, 0) and made.whole
    reached = crawled((tmp_path / "a" / "site").resolve())
    assert not any("drawn" in path.name for path in reached)
    for _, text in pages(tmp_path / "a" / "site"):
        assert Page(text).lang == "zh-Hans"
        assert "What it looks for" not in text and "单元" in text


def test_photos_that_are_gone_are_grey_and_counted(tmp_path: Path) -> None:
    photos = folder(tmp_path / "photos", 6)
    store = Atlas.build(tmp_path / "small.atlas", network(), photos, layers=["5"], keep=2)
    for path in photos.rglob("*.png"):
        path.unlink()
    made = finished(site(store, tmp_path / "site", draw=False))
    assert made.lost > 0
    grey = pl.open_image(tmp_path / "site/01-5/0-patches.jpg").floats()
    assert float(grey[:, :90, :90].std()) < 0.01
    crawled((tmp_path / "site").resolve())


def test_a_silent_channel_has_a_page_without_patches(tmp_path: Path) -> None:
    net = network()
    with torch.no_grad():
        net.module[4].weight[3] = 0
        net.module[4].bias[3] = -1
    store = Atlas.build(tmp_path / "small.atlas", net, folder(tmp_path / "photos", 6), layers=["5"])
    finished(site(store, tmp_path / "site", **FEW))
    text = (tmp_path / "site/01-5/3.html").read_text("utf-8")
    assert "zero on every photo" in text and "dead, or silent" in text
    assert not list((tmp_path / "site/01-5").glob("3-patches*"))
    crawled((tmp_path / "site").resolve())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layers": "6"}, "6"),
        ({"layers": " ; "}, "no layer is named"),
        ({"channels": "99"}, "channels 0 to"),
        ({"recipe": "crob"}, "did you mean 'crop'"),
        ({"steps": 0}, "1 or more"),
    ],
)
def test_bad_wishes(settings: dict[str, str], message: str, atlas: Atlas, tmp_path: Path) -> None:
    with pytest.raises(pl.PellucidError, match=message):
        finished(site(atlas, tmp_path / "site", **settings))
    assert not (tmp_path / "site").exists()


def test_the_command(atlas: Atlas, tmp_path: Path) -> None:
    words = [atlas.path, str(tmp_path / "site"), "--layers", "5", "--channels", "0", "--no-draw"]
    alone = typer.Typer()
    alone.command()(command)
    # A network of one's own is not in the atlas, only its name and weights.
    done = CliRunner().invoke(alone, words)
    assert done.exit_code == 2 and "module of your own" in done.output
    factory = tmp_path / "net.py"
    factory.write_text(
        "from torch import nn\n"
        "def small():\n"
        "    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1),\n"
        "        nn.Flatten(), nn.Linear(4, 2))\n"
    )
    net = pl.load(f"{factory}:small", weights="random", device="cpu")
    store = Atlas.build(tmp_path / "b.atlas", net, folder(tmp_path / "photos", 4), layers=["1"])
    words = [store.path, *words[1:3], "1", *words[4:], "--network", f"{factory}:small"]
    words += ["--weights", "random", "--device", "cpu"]
    done = CliRunner().invoke(alone, [*words, "--json"])
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    assert data["units"] == 1 and data["whole"] and Path(data["page"]).is_file()
    done = CliRunner().invoke(alone, words)
    assert "the site begins at" in done.stdout and "MB" in done.stdout


def _lost(request: Any) -> bool:
    """Whether a file is not there; one that is broken off by going to the next page is not lost."""
    return request.failure != "net::ERR_ABORTED"


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_in_a_browser(made: Site) -> None:
    """Search, the arrow keys, no error and no request but for files; on a phone nothing is cut."""
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    wrong: list[str] = []
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width, dark in ((1200, "light"), (360, "dark")):
            page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=dark)
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("console", lambda said: wrong.append(said.text))
            page.on("requestfailed", lambda request: _lost(request) and wrong.append(request.url))
            page.on("request", lambda one: one.url.startswith("file:") or wrong.append(one.url))
            page.goto(made.path.as_uri())
            page.keyboard.press("/")
            page.keyboard.type("5 3")
            page.keyboard.press("Enter")
            page.wait_for_url("**/02-5/3.html")
            page.keyboard.press("ArrowRight")
            page.wait_for_url("**/02-5/4.html")
            assert page.inner_text("h1") == "5:4"
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            every = "[...document.images].map(i => { i.loading = 'eager'; return i.decode() })"
            page.evaluate(f"Promise.all({every})")  # an image that is not one raises
            page.fill("#find", "nobody")
            assert page.inner_text("#found") == "nothing fits"
            page.fill("#find", "&y")
            assert page.locator("#found a").count() > 0
        browser.close()
    assert wrong == []
