"""The dashboard in a real browser, on the simulated market."""

import re
import time

PATIENCE_SECONDS = 20


def number(text):
    return float(re.sub(r"[^0-9.]", "", text))


def type_line(page, line):
    page.fill("#line", line)
    page.press("#line", "Enter")


def until(page, expression):
    """Waits for it; the page's own policy forbids the way in which playwright would."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)


def colour(page, what="background-color"):
    return page.evaluate(f"getComputedStyle(document.body).getPropertyValue('{what}')")


def test_the_demo_shows_levels_charts_venues_and_that_it_is_simulated(visit):
    with visit() as page:
        page.wait_for_selector("#price:not([hidden])")
        page.wait_for_selector("#profile:not([hidden])")
        page.wait_for_selector("#log li")
        marks = page.evaluate(
            "[...document.querySelectorAll('main h2, aside h2')]"
            ".map(h => getComputedStyle(h, '::after').content)"
        )

        assert number(page.inner_text("#spot")) > 0
        assert "HVL" in page.inner_text("#levels")
        assert "deribit" in page.inner_text("#venues")
        assert "SIMULATED market data" in page.inner_text("#mark")
        assert page.title().startswith("SIMULATED")
        assert set(marks) == {'"SIMULATED"'}
        assert page.inner_text("#connection") == "live"


def test_another_symbol_is_a_press_or_an_arrow_away(visit):
    with visit() as page:
        page.click("#symbols >> text=ETH")
        until(page, "document.title.includes('ETH $')")
        page.keyboard.press("ArrowLeft")
        until(page, "document.title.includes('BTC $')")

        chosen = page.get_attribute("#symbols >> text=BTC", "aria-selected")
        assert chosen == "true"
        assert page.url.endswith("#BTC")


def test_prices_come_by_themselves(visit):
    with visit() as page:
        first = page.inner_text("#spot")

        until(page, f"document.getElementById('spot').textContent !== '{first}'")


def test_a_typed_command_is_answered_with_card_chart_and_buttons(visit):
    with visit() as page:
        type_line(page, "/levels eth")
        card = page.wait_for_selector("#talk .card")
        title = card.query_selector("h3").inner_text()
        page.wait_for_selector("#talk .card canvas")
        page.click("#talk .card >> text=0DTE")
        until(page, "document.querySelectorAll('#talk .card').length === 1")

        assert title == "SIMULATED · ETH levels"


def test_what_someone_typed_never_becomes_markup(visit):
    with visit() as page:
        type_line(page, "<img src=x onerror=alert(1)>")
        page.wait_for_selector("#talk .card")

        assert page.query_selector("#talk img") is None
        assert "<img" in page.inner_text("#talk .said")


def test_an_alert_that_is_made_in_a_form_rings_in_the_page(visit):
    with visit() as page:
        type_line(page, "alert add")
        page.wait_for_selector("#talk form")
        spot = number(page.inner_text("#spot"))
        coin, level, what, options = page.query_selector_all("#talk form input")
        coin.fill("btc")
        level.fill(f"{spot:.1f}")
        what.fill("cross any")
        options.fill("buffer 0.001% cooldown 1s")
        page.click("#talk form button")
        ring = page.wait_for_selector("#talk .ring")

        assert "SIMULATED" in ring.inner_text()
        assert "crossed" in ring.inner_text()
        assert "crossed" in page.text_content("#announce")


def test_a_file_can_be_saved(visit):
    with visit() as page:
        with page.expect_download() as download:
            page.click("#exports >> text=csv")
        saved = download.value

        assert re.fullmatch(r"gammabell-BTCUSDT-\S+-SIMULATED\.csv", saved.suggested_filename)
        assert "hvl" in saved.path().read_text()


def test_dark_is_dark_also_in_the_pictures(visit):
    with visit(scheme="light") as page:
        page.wait_for_selector("#price:not([hidden])")
        light = colour(page)
        page.emulate_media(color_scheme="dark")
        until(page, "document.getElementById('price').src.includes('theme=dark')")

        assert colour(page) != light


def test_a_phone_shows_it_all_without_scrolling_sideways(visit):
    with visit(width=390, height=844, scheme="dark") as page:
        type_line(page, "levels btc")
        page.wait_for_selector("#talk canvas")
        widths = page.evaluate(
            "[document.documentElement, ...document.querySelectorAll('main .scroll')]"
            ".map(e => e.scrollWidth - e.clientWidth)"
        )

        assert set(widths) == {0}


def test_everything_can_be_reached_by_keyboard(visit):
    with visit() as page:
        page.keyboard.press("Tab")
        first = page.evaluate("document.activeElement.textContent")
        names = page.evaluate(
            "[...document.querySelectorAll('button, input, select, a[href], [role=region]')]"
            ".filter(e => e.offsetParent).map(e => e.textContent || e.ariaLabel ||"
            " e.getAttribute('aria-labelledby') || e.labels?.length)"
        )

        assert first == "Skip to the levels"
        assert all(names)


def test_where_there_are_keys_the_page_asks_for_one_and_remembers_it(browser, keyed):
    address, key = keyed
    page = browser.new_page()
    page.goto(address)
    page.wait_for_selector("#key-form:not([hidden])")

    page.fill("#key", "gb_live_wrong")
    page.press("#key", "Enter")
    until(page, "document.getElementById('key-error').textContent.includes('not known')")
    page.fill("#key", key)
    page.press("#key", "Enter")
    page.wait_for_selector("#levels tr")
    page.reload()
    page.wait_for_selector("#price:not([hidden])")
    type_line(page, "flip btc")
    page.wait_for_selector("#talk .card")

    assert page.is_hidden("#key-form")
    assert key not in page.content() + page.evaluate("document.cookie")
    page.close()
