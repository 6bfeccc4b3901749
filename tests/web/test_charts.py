"""What can be read off the charts, by pointer and by keys."""

import pytest

from tests.web.pages import reader, until

CHARTS = {
    "Price by time": "#price",
    "GEX by strike": "#profile",
    "Levels over time": "#history",
}


@pytest.mark.parametrize("name", CHARTS)
def test_pointing_at_a_chart_reads_it(visit, name):
    page = visit()
    slider = reader(page, name)
    slider.scroll_into_view_if_needed()
    box, rest = slider.bounding_box(), slider.get_attribute("aria-valuetext")

    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    until_told(page, name, f"!== {rest!r}")
    read, shown = slider.get_attribute("aria-valuetext"), page.inner_text(CHARTS[name])
    page.mouse.move(0, 0)
    until_told(page, name, f"=== {rest!r}")

    assert read.split(", ")[-1] in " ".join(shown.split())


def until_told(page, name, condition):
    """Wait until the chart's words for who cannot see it are so."""
    chart = f"document.querySelector('{CHARTS[name]} [role=slider]')"
    until(page, f"{chart}.getAttribute('aria-valuetext') {condition}")


@pytest.mark.parametrize("name", CHARTS)
def test_arrow_keys_read_a_chart_and_tell_it(visit, name):
    page = visit()
    slider = reader(page, name)
    slider.wait_for()
    rest = slider.get_attribute("aria-valuetext")
    slider.focus()

    page.keyboard.press("ArrowLeft")
    first = slider.get_attribute("aria-valuetext")
    page.keyboard.press("ArrowLeft")
    second = slider.get_attribute("aria-valuetext")
    page.keyboard.press("Escape")

    assert len({rest, first, second}) == 3
    assert slider.get_attribute("aria-valuetext") == rest


def test_a_chart_s_numbers_are_there_as_a_table(visit):
    page = visit()

    page.click("#profile summary")

    until(page, "document.querySelectorAll('#profile table tr').length > 10")
    assert "$80,000" in page.inner_text("#profile table")


def test_one_expiry_s_strikes_can_be_chosen(visit):
    page = visit()
    page.wait_for_selector("#profile [role=img][aria-label*='all expiries']")

    page.select_option("#profile select", "0dte")

    page.wait_for_selector("#profile [role=img][aria-label*='0DTE']")


def test_the_level_nearest_to_an_old_candle_is_told_to_be_of_today(visit):
    page = visit()
    slider = reader(page, "Price by time")
    slider.wait_for()
    slider.focus()

    page.keyboard.press("ArrowLeft")  # the last one comes first
    page.keyboard.press("Home")
    first = slider.get_attribute("aria-valuetext")
    page.keyboard.press("End")
    last = slider.get_attribute("aria-valuetext")

    assert "Nearest of today's levels to" in first
    assert "Nearest to" in last


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1600])
def test_the_price_chart_stays_where_it_is_while_a_candle_is_read(visit, width):
    page = visit(width=width)
    page.wait_for_selector("#price canvas")
    height = "document.querySelector('#price .plot-reading').offsetHeight"
    rest = page.evaluate(height)

    reader(page, "Price by time").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Home")

    assert page.evaluate(height) == rest
