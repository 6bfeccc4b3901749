"""The price chart under a finger."""

import re

import pytest

from tests.web.pages import PATIENCE_SECONDS, reader, until

# The library draws its crosshair on canvases of their own, which are empty without one.
DRAWN_ON = """() => [...document.querySelectorAll("#price canvas")].filter((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.some(Boolean);
}).length"""
CANDLE = re.compile(r"\d+ \w+, \d\d:\d\d \S+, O \S+, H \S+, L \S+, C \S+, Nearest")


@pytest.fixture
def phone(browser, demo, guest):
    """The page on a phone, its price chart in sight."""
    with browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, storage_state=guest
    ) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_SECONDS * 1_000)
        page.goto(demo)
        reader(page, "Price by time").scroll_into_view_if_needed()
        until(page, "document.querySelector('#price').textContent.includes('Nearest')")
        yield page


def tap(page, share):
    """Tap the chart so far from its left side; what it says then."""
    slider = reader(page, "Price by time")
    before = slider.get_attribute("aria-valuetext")
    box = slider.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
    said = "document.querySelector('#price [role=slider]').getAttribute('aria-valuetext')"
    until(page, f"{said} !== {before!r}")
    return slider.get_attribute("aria-valuetext")


def test_a_tap_marks_a_candle_and_tells_its_values_and_the_next_tap_those_of_another(phone):
    unmarked = phone.evaluate(DRAWN_ON)

    first = tap(phone, 0.1)
    marked = phone.evaluate(DRAWN_ON)
    second = tap(phone, 0.4)

    assert CANDLE.match(first)
    assert CANDLE.match(second)
    assert first.partition(", O ")[0] != second.partition(", O ")[0]
    assert marked > unmarked
