"""The collection's tab in a real browser, and what programs can ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.atlas.collection import folder, photo

import pellucid as pl
from lab.conftest import Running, looking, started
from pellucid.atlas.atlas import Atlas
from pellucid.pictures import text_inside

pytest.importorskip("lance")
pytest.importorskip("gradio")
COUNT = 30
# Those of gradio_client, which leaves connections open.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    home = tmp_path_factory.mktemp("secret")
    photos = folder(home / "photos", COUNT, "xyz")
    return Atlas.build(home / "few.atlas", pl.load(), photos, layers=["conv3", "relu7"], keep=4)


@pytest.fixture(scope="module")
def lab(atlas: Atlas, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    made = started(tmp_path_factory.mktemp("lab"), atlas.path)
    yield made
    made.process.kill()
    made.process.communicate()


@pytest.fixture(scope="module")
def page(browser: Any, lab: Running) -> Iterator[Any]:
    """The collection's tab."""
    with looking(browser, lab.address, reduced_motion="reduce") as made:
        made.click("#tab-collection-button")
        made.wait_for_selector("#map .cmap[data-sheets='1']")
        yield made


def open_part(page: Any, name: str) -> None:
    page.click("#tab-collection-button")
    page.click(f"#tab-{name}-button")


def test_by_keys_from_the_map_to_a_photo_and_its_neighbours(page: Any, atlas: Atlas) -> None:
    open_part(page, "map")
    page.wait_for_selector("#map-stop", state="hidden")
    assert "30 photos by relu7 of pane, t-SNE" in page.locator("#map-note").inner_text()
    page.locator("#map canvas").focus()
    page.keyboard.press("+")
    page.keyboard.press("Enter")
    page.wait_for_selector("#neighbours [data-near]")
    panel = page.locator("#neighbours")
    assert panel.locator(".near").count() == 2 and panel.locator(".near li").count() == 16
    assert "photos/" not in panel.inner_html() and "secret" not in page.content()
    first = panel.locator(".near button").first
    row = int(first.get_attribute("data-row"))
    first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#neighbours [data-hand='{row}']")
    assert Path(atlas.images.uris[row]).name in panel.inner_text()
    pictures = panel.locator("img").evaluate_all(
        "all => Promise.all(all.map(one => (one.loading = 'eager', one.decode()))).then(() => "
        "all.map(one => one.naturalWidth))"
    )
    assert len(pictures) == 17 and min(pictures) > 0


def test_photos_are_chosen_by_words_by_a_line_and_in_view(page: Any) -> None:
    open_part(page, "map")
    page.fill("#map input[type=search]", "007")
    page.wait_for_selector(".cmap-photos button[aria-label$='007.png']")
    assert page.locator(".cmap-photos button").count() == 1
    assert page.locator(".cmap-photos button").get_attribute("aria-label") == "y · 007.png"
    page.locator(".cmap-counts .clear").click()
    assert page.locator(".cmap-photos").count() == 0
    page.get_by_role("button", name="All photos (0)").click()
    page.get_by_text("Choose what is in view").click()
    assert "30 photos" in page.locator(".cmap-counts").inner_text()
    page.locator(".cmap-counts button", has_text="x").first.click()
    assert page.locator(".cmap-photos button").count() == 10
    page.locator("#map canvas").focus()
    page.keyboard.press("Escape")
    canvas = page.locator("#map canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.get_by_text("Lasso").click()
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.down()
    for across, down in ((0.99, 0.0), (0.99, 0.99), (0.01, 0.99)):
        page.mouse.move(box["x"] + box["width"] * across, box["y"] + box["height"] * down + 2)
    page.mouse.up()
    assert "30 photos" in page.locator(".cmap-counts").inner_text()


def test_a_photo_goes_on_to_the_first_tab(page: Any) -> None:
    open_part(page, "map")
    page.fill("#map input[type=search]", "003")
    page.locator(".cmap-photos button[aria-label$='003.png']").click()
    page.get_by_text("003.png", exact=False).last.wait_for()
    page.locator("#neighbours [data-hand]").click()
    page.wait_for_selector("#photo img", state="visible")
    page.click("#run")
    page.wait_for_selector("#result img")


def test_best_patches_of_a_channel(page: Any, tmp_path: Path) -> None:
    open_part(page, "channel")
    page.wait_for_selector("#best .patches li")
    assert "relu7:0" in page.locator("#best").inner_text()
    box = page.locator("#channel input")
    box.click()
    box.fill("17 ·")
    box.press("Enter")
    page.get_by_text("relu7:17").wait_for()
    assert page.locator("#best .patches li").count() == 4
    assert page.locator("#best svg rect").count() >= 1
    with page.expect_download() as download:
        page.click("#channel-save")
    download.value.save_as(tmp_path / "patches.png")
    assert '"channels": [17]' in text_inside(tmp_path / "patches.png").replace("[\n", "[")
    page.locator("#best .patches button").first.click()
    page.wait_for_selector("#channel-neighbours [data-near]")


def test_the_wall_in_chinese(page: Any, lab: Running) -> None:
    other = page.context.new_page()
    other.goto(f"{lab.address}/zh/")
    other.wait_for_selector("#set-target")
    open_part(other, "wall")
    other.click("#wall-go")
    frame = other.frame_locator("#wall iframe")
    frame.locator("canvas").wait_for()
    assert "30 张照片" in frame.locator("h1").inner_text()
    assert other.locator("#wall a").get_attribute("rel") == "noopener"
    other.close()


def test_programs_ask_too(lab: Running, atlas: Atlas, tmp_path: Path) -> None:
    gradio_client = pytest.importorskip("gradio_client")
    client = gradio_client.Client(lab.address, verbose=False, download_files=str(tmp_path))
    about = client.predict(api_name="/collection")
    assert about["name"] == "few.atlas" and about["photos"] == COUNT
    assert about["layers"]["relu7"] == 384 and not about["negative"]
    found = client.predict(2, "", [], "relu7", 3, api_name="/neighbours")
    slow = atlas.neighbours(2, count=3)[0].features
    assert [one["row"] for one in found["features"]] == [near.row for near in slow]
    photo(4, 28, 36).save(tmp_path / "own.png")
    upload = [gradio_client.handle_file(tmp_path / "own.png")]
    found = client.predict(None, "", upload, "relu7", 1, api_name="/neighbours")
    assert found["file"] == "own.png" and found["features"][0]["file"] == "004.png"
    file, facts = client.predict("relu7", 5, False, 4, api_name="/best_patches")
    assert '"atlas patches"' in text_inside(Path(file)) and len(facts["patches"]) == 4
    for asked, said in (
        ((99, "", [], "relu7", 3), "photos 0 to 29"),
        ((None, "", [], "relu7", 3), "give a row"),
        ((None, "/etc/hostname", [], "relu7", 3), "not among the photos"),
    ):
        with pytest.raises(Exception, match=said):
            client.predict(*asked, api_name="/neighbours")
    client.close()
