"""The network's tab in a browser: layers, channels, units, with mouse and keys."""

from collections.abc import Iterator
from typing import Any

import pytest

from lab.conftest import Running, looking


@pytest.fixture(scope="module")
def tab(running: Running, browser: Any) -> Iterator[Any]:
    with looking(browser, running.address) as page:
        page.click("#tab-network-button")
        page.wait_for_selector("#net-channels .plate")
        yield page


def test_it_begins_with_the_first_filters(tab: Any) -> None:
    assert tab.locator(".net-block").count() == 20
    assert tab.locator("#net-filters [data-unit]").count() == 48
    assert tab.locator(".net-name[aria-pressed=true]").get_attribute("data-layer") == "conv1"


def test_a_layer_and_a_unit_are_opened_with_keys_alone(tab: Any) -> None:
    tab.locator(".net [data-layer=conv4]").focus()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#net-channels img[alt*='relu4']")
    cell = tab.locator("#net-channels [data-unit]").first
    cell.focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#net-guided .plate")
    assert tab.locator("#net-unit h2").inner_text() == "relu4:1"
    assert "pellucid guided" in tab.locator("#net-guided code").first.text_content()
    assert not tab.locator("#net-layer h2").count()


def test_a_class_leads_to_its_channels_and_back(tab: Any) -> None:
    tab.locator("#net-find input").fill("motorb")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#net-known .net-bars")
    assert tab.locator("#net-unit h2").inner_text() == "class:Motorbikes"
    tab.locator("#net-known [data-unit]").first.click()
    tab.wait_for_selector("#net-answers .plate")
    assert tab.locator("#net-unit h2").inner_text().startswith("relu7:")


def test_a_drawing_is_stopped_and_shown_as_far_as_it_is(tab: Any) -> None:
    tab.locator(".net [data-layer=relu2]").click()
    tab.wait_for_selector("#net-channels img[alt*='relu2']")
    tab.locator("#net-steps input").fill("4000")
    tab.locator("#net-range textarea, #net-range input").first.fill("0-3")
    tab.locator("#net-draw").click()
    tab.wait_for_selector("#net-drawn .so-far")
    tab.locator("#net-stop").click()
    tab.wait_for_selector("#net-drawn .plate")
    assert "stopped" in tab.locator("#net-drawn figcaption").inner_text()
    assert not tab.locator("#net-stop").is_visible()


def test_what_is_wrong_is_said(tab: Any) -> None:
    tab.locator("#net-find input").fill("nothing-like-it")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#net-state .trouble")
    assert "nothing-like-it" in tab.locator("#net-state").inner_text()
