"""The page of a map: one file, offline, whatever stands in its labels; and in a browser."""

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from atlas import collection
from pellucid.atlas.map import Map, New
from pellucid.atlas.page import page
from pellucid.atlas.page.words import WORDS
from pellucid.errors import PellucidError, Unknown
from pellucid.images import open_image, thumbnail

EVIL = "</script><img src=x onerror=alert(1)>&\u2028"


class Kept:
    """Small pictures of so many images."""

    def __init__(self, count: int) -> None:
        self.files = [thumbnail(open_image(collection.photo(one)), 64) for one in range(count)]

    def __len__(self) -> int:
        return len(self.files)

    def thumbnails(self, rows: Sequence[int]) -> list[bytes]:
        return [self.files[row] for row in rows]


def made(count: int = 60, labels: Sequence[str] = ("ant", "bee", EVIL)) -> Map:
    random = torch.Generator().manual_seed(0)
    return Map(
        values=torch.randn(count, 2, generator=random),
        labels=tuple(labels[one % len(labels)] for one in range(count)),
        predicted=tuple("ant" if one % 4 else "bee" for one in range(count)),
        right=torch.arange(count) % 3 - 1,
        uris=tuple(f"/photos/{EVIL}/{one:02}.jpg" for one in range(count)),
        how="tsne",
        layer="relu7",
        network="pane",
        kept=Kept(count),
        facts={"trustworthiness": 0.98},
        new=(New("dog.jpg", (0.0, 0.0), "somehow"),),
    )


def data(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert found
    return json.loads(found[1])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_asks_for_nothing_from_outside(lang: Any, tmp_path: Path) -> None:
    path = made().page(tmp_path / "m.html", lang=lang)
    text = path.read_text("utf-8")
    assert not re.search(r"<(?:script|link|img)[^>]+(?:src|href)=", text.split("<script>")[0])
    assert "default-src 'none'" in text and "<script src" not in text
    assert "<img src=x" not in text and "\u2028" not in text
    assert WORDS[lang]["about"] in text and "0.980" in text
    found = data(text)
    assert EVIL in found["modes"]["label"]["names"]
    assert found["uris"][3] == "03.jpg"  # what all addresses begin with is left out
    assert found["sheets"][0].startswith("data:image/webp;base64,")
    assert list(found["modes"]) == ["label", "predicted", "right"]
    assert found["modes"]["right"]["of"][:3] == [2, 1, 0]
    label, predicted = found["modes"]["label"], found["modes"]["predicted"]
    colours = [dict(zip(one["names"], one["colours"], strict=True)) for one in (label, predicted)]
    assert colours[0]["ant"] == colours[1]["ant"]


def test_words_in_both_languages() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()


def test_large_collections_are_thinned_and_pages_without_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "MOST", 10)
    text = made(labels=[""]).page(tmp_path / "m.html").read_text("utf-8")
    assert "10 of 60 photos are shown" in text and len(data(text)["uris"]) == 10
    assert "label" not in data(text)["modes"]


def test_a_sheet_has_each_photo_in_its_place() -> None:
    kept = Kept(30)
    sheet = page._sheet(kept, [4, 7, *range(24)])
    assert sheet.shape == (3, 2 * page.SIDE, page.ACROSS * page.SIDE)
    own = page._sheet(kept, [7])[:, :, : page.SIDE]
    assert torch.equal(sheet[:, : page.SIDE, page.SIDE : 2 * page.SIDE], own)
    assert torch.equal(
        sheet[:, page.SIDE :, page.SIDE : 2 * page.SIDE], page._sheet(kept, [23])[:, :, : page.SIDE]
    )


def test_what_is_no_page(tmp_path: Path) -> None:
    one = made(6)
    (tmp_path / "there.html").touch()
    with pytest.raises(PellucidError, match=r"saved as .html, not 'm.png'"):
        one.page(tmp_path / "m.png")
    with pytest.raises(PellucidError, match="no folder"):
        one.page(tmp_path / "nowhere" / "m.html")
    with pytest.raises(PellucidError, match="is there already"):
        one.page(tmp_path / "there.html")
    with pytest.raises(Unknown, match="no language 'fr'"):
        one.page(tmp_path / "m.html", lang="fr")  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["there.html"]
    one.page(tmp_path / "there.html", force=True)


@pytest.fixture
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no chromium here")
    with playwright.sync_playwright() as start:
        opened = start.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


def test_in_a_browser(browser: Any, tmp_path: Path) -> None:
    path = made().page(tmp_path / "m.html")
    context = browser.new_context(viewport={"width": 900, "height": 800})
    shown, wrong, asked = context.new_page(), list[str](), list[str]()
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    shown.on("dialog", lambda dialog: wrong.append(dialog.message))
    shown.on("request", lambda request: asked.append(request.url.split(":")[0]))
    shown.goto(path.as_uri())
    shown.wait_for_selector("html[data-ready=yes]")
    # A name of the list: its 20 photos, counted; once more: nothing.
    first = shown.locator("#legend button").first
    first.click()
    assert shown.locator("#photos .photo").count() == 20
    assert shown.locator("#counts strong").inner_text() == "20 photos"
    assert first.get_attribute("aria-selected") == "true"
    first.click()
    assert shown.locator("#photos .photo").count() == 0
    # Search among files, labels and predictions.
    shown.fill("#search", "07.JPG")
    shown.wait_for_selector("#photos .photo")
    assert shown.locator("#photos .photo").count() == 1
    assert "07.jpg" in shown.locator("#photos .photo").get_attribute("title")
    # Another colouring, another list; what is selected stays.
    shown.select_option("#colour", "right")
    assert shown.locator("#legend button").count() == 3
    assert shown.locator("#photos .photo").count() == 1
    # A box over the whole plot.
    shown.evaluate("Bokeh.documents[0].get_model_by_name('points').selected.indices = [1, 2, 3]")
    assert shown.locator("#photos .photo").count() == 3
    shown.locator("#counts button").click()
    before = shown.evaluate("getComputedStyle(document.body).backgroundColor")
    shown.click("#theme")
    assert shown.evaluate("getComputedStyle(document.body).backgroundColor") != before
    # On a phone the page is no wider than the screen.
    shown.set_viewport_size({"width": 360, "height": 700})
    assert shown.evaluate("document.documentElement.scrollWidth") <= 360
    assert not wrong and {*asked} <= {"file", "data", "blob"}
