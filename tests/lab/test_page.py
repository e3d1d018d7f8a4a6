"""The page in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.conftest import PATIENCE, Running, looking
from pellucid.pictures import text_inside


@pytest.fixture
def page(browser: Any, running: Running) -> Iterator[Any]:
    """The page in English."""
    with looking(browser, running.address) as made:
        yield made


def choose(page: Any, part: str, text: str) -> None:
    box = page.locator(f"#{part} input")
    box.click()
    box.fill(text)
    box.press("Enter")


def test_a_photo_becomes_a_picture_with_its_recipe(page: Any, tmp_path: Path) -> None:
    page.locator("#stock button").nth(1).click()
    page.wait_for_selector("#photo img")
    page.click("#run")
    page.wait_for_selector("#result img")
    assert "|gradient|" in page.locator("#stage").inner_text()
    assert "pellucid saliency photo:cat --over" in page.locator("#shell").inner_text()
    with page.expect_download() as download:
        page.click("#save")
    file = tmp_path / "picture.png"
    download.value.save_as(file)
    assert '"method": "saliency"' in text_inside(file)


def test_long_work_shows_itself_and_stops(page: Any) -> None:
    choose(page, "method", "Feature visualisation")
    page.wait_for_selector("#set-want")
    choose(page, "set-want", "class:chair")
    page.locator("#set-steps").locator("input, textarea").first.fill("50000")
    page.click("#run")
    page.wait_for_selector(".so-far")
    assert page.locator("[role=progressbar]").count() == 1
    page.click("#stop")
    page.wait_for_selector("#result img")
    told = page.locator("#stage").inner_text()
    assert re.search(r"in \d+ steps.*stopped, of 50000", told), told
    assert not page.locator("#stop").is_visible()


def test_what_is_wrong_is_said_on_the_page(page: Any, tmp_path: Path) -> None:
    page.click("#run")
    page.wait_for_selector(".trouble")
    assert page.locator(".trouble").inner_text() == "choose a photo first"
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\nand no more")
    page.locator("#photo input[type=file]").set_input_files(str(bad))
    page.wait_for_selector("#photo img[src*='bad.png']", state="attached")
    page.click("#run")
    page.wait_for_selector(".trouble >> text=bad.png is not an image")
    # The page goes on.
    page.locator("#photo").get_by_role("button", name=re.compile("clear|remove", re.I)).click()
    page.locator("#stock button").nth(1).click()
    page.wait_for_selector("#photo img")
    page.click("#run")
    page.wait_for_selector("#result img")


def test_it_can_be_used_without_a_mouse(page: Any) -> None:
    page.locator("#stock button").nth(2).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#photo img")
    page.locator("#run").focus()
    page.keyboard.press("Space")
    page.wait_for_selector("#result img")


def test_chinese_on_a_phone_in_the_dark(browser: Any, running: Running) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 800}, color_scheme="dark", is_mobile=True, has_touch=True
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{running.address}/zh")
    page.wait_for_selector("#set-target")
    assert page.locator("#run").inner_text() == "开始"
    assert "改动哪些像素" in page.locator("#question").inner_text()
    page.locator("#stock button").nth(1).tap()
    page.wait_for_selector("#photo img")
    page.locator("#run").tap()
    page.wait_for_selector("#result img")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.body.classList.contains('dark')")
    page.click("#other")
    page.wait_for_selector("#run >> text=Look")
    context.close()
