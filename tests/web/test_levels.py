"""The dashboard's symbols, levels and looks in a real browser, on the simulated market."""

import re

import pytest

from tests.web.pages import colour, live_spot, number, overflow, until


def title_begins(coin):
    return f"document.title.startsWith('SIMULATED · {coin} $')"


def test_the_demo_shows_levels_charts_venues_and_that_it_is_simulated(visit):
    page = visit()

    page.wait_for_selector("#price canvas")
    page.wait_for_selector("#profile [role=img]")
    page.wait_for_selector("#history [role=img]")
    marks = page.evaluate(
        "[...document.querySelectorAll('main h2, aside h2')]"
        ".map(h => getComputedStyle(h, '::after').content)"
    )

    assert number(page.inner_text("#spot")) > 0
    assert "HVL" in page.inner_text("#levels")
    assert "deribit" in page.inner_text("#venues")
    assert "SIMULATED market data" in page.inner_text("#mark")
    assert page.title().startswith("SIMULATED")
    assert set(marks) == {'" SIMULATED"'}
    assert page.get_by_role("heading", name="Levels SIMULATED", exact=True).is_visible()
    until(page, "document.getElementById('connection').textContent === 'live'")
    assert "●live" not in page.locator(".status").aria_snapshot()


def test_another_symbol_is_a_press_or_an_arrow_away(visit):
    page = visit()

    page.get_by_role("tab", name="ETH").click()
    until(page, title_begins("ETH"))
    page.keyboard.press("ArrowLeft")
    until(page, title_begins("BTC"))

    assert page.get_by_role("tab", name="BTC").get_attribute("aria-selected") == "true"
    assert page.url.endswith("#BTC")


def test_switching_to_and_fro_ends_with_the_last_symbol_everywhere(visit):
    page = visit()

    for coin in ("ETH", "BTC", "ETH", "BTC", "ETH"):
        page.get_by_role("tab", name=coin).click()
    until(page, title_begins("ETH"))
    page.wait_for_selector("#price canvas")
    page.wait_for_selector("#profile [role=img][aria-label*=ETH]")
    page.wait_for_timeout(500)  # for an answer that comes too late

    assert page.inner_text("#now-title").startswith("ETH")
    assert number(page.inner_text("#spot")) < 20_000
    assert "ETH" in page.get_attribute("#profile [role=img]", "aria-label")
    assert "ETH" in page.get_attribute("#price [role=img]", "aria-label")
    assert "/ETHUSDT/" in page.get_attribute("#exports a", "href")


def test_a_symbol_in_the_address_is_the_one_that_is_shown(opened, demo):
    page = opened(demo)

    page.goto(f"{demo}/#eth")
    until(page, title_begins("ETH"))

    assert page.get_by_role("tab", name="ETH").get_attribute("aria-selected") == "true"


def test_prices_come_by_themselves(visit):
    page = visit()

    assert live_spot(page) > 0


@pytest.mark.parametrize(("form", "ending"), [("CSV", "csv"), ("Calendar", "ics")])
def test_a_file_can_be_saved(visit, form, ending):
    page = visit()

    with page.expect_download() as download:
        page.click(f"#exports >> text={form}")

    name = download.value.suggested_filename
    assert re.fullmatch(rf"gammabell-BTCUSDT-\S+-SIMULATED\.{ending}", name)
    assert "simulated" in download.value.path().read_text().lower()


@pytest.mark.parametrize(("name", "begins"), [("TradingView", "$BTCUSD:"), ("Pine", "//")])
def test_what_is_pasted_elsewhere_is_copied_by_a_press(visit, name, begins):
    page = visit()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    page.click(f"#exports [aria-label='Copy {name}']")
    page.wait_for_selector("#exports >> text=copied")

    assert page.evaluate("navigator.clipboard.readText()").startswith(begins)
    assert page.query_selector("#exports pre") is None


def test_where_there_is_no_clipboard_the_text_is_selected(opened, demo):
    page = opened(demo)
    page.add_init_script(WITHOUT_CLIPBOARD)
    page.goto(demo)

    page.click("#exports [aria-label='Copy TradingView']")
    page.wait_for_selector("#exports >> text=selected")

    assert page.evaluate("getSelection().toString()").startswith("$BTCUSD:")


# As a page has it that came by plain HTTP from another machine.
WITHOUT_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', { value: undefined });"


def test_a_page_that_is_open_over_midnight_says_of_what_day_its_times_are(opened, demo):
    page = opened(demo)
    page.clock.install()
    page.goto(demo)
    page.wait_for_selector("#log time")
    today = page.eval_on_selector_all("#log time", TEXTS)

    page.clock.fast_forward("24:00:00")
    until(page, f"({TEXTS})([...document.querySelectorAll('#log time')]).at(-1).length > 8")
    later = page.eval_on_selector_all("#log time", TEXTS)

    assert re.fullmatch(r"\d\d:\d\d:\d\d", today[-1])
    assert re.fullmatch(r"\d+ \w{3,4} \d\d:\d\d:\d\d", later[-1])


TEXTS = "all => all.map(one => one.textContent)"


def test_dark_is_dark_also_in_the_charts(visit):
    page = visit(scheme="light")
    page.wait_for_selector("#price canvas")
    selectors = ("body", ".panel", "#levels tr")

    light = [(colour(page, one), colour(page, one, "color")) for one in selectors]
    page.emulate_media(color_scheme="dark")
    dark = [(colour(page, one), colour(page, one, "color")) for one in selectors]

    assert all(one != other for one, other in zip(light, dark, strict=True))
    until(page, f"({CORNER})().every(part => part < 80)")


# Red, green and blue of the price chart's corner.
CORNER = """() => {
  const canvas = document.querySelector("#price canvas");
  return [...canvas.getContext("2d").getImageData(1, 1, 1, 1).data.slice(0, 3)];
}"""


@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_scrolls_sideways_on_a_narrow_screen(visit, width):
    page = visit(width=width, height=844, scheme="dark")
    page.wait_for_selector("#price canvas")
    page.wait_for_selector("#profile [role=img]")
    page.wait_for_selector("#history [role=img]")

    assert overflow(page) == 0


def test_without_the_chart_library_the_server_s_picture_stands_there(opened, demo):
    page = opened(demo)
    page.add_init_script(WITHOUT_CHARTS)

    page.goto(demo)
    picture = page.wait_for_selector("#price img")

    until(page, "document.querySelector('#price img').naturalWidth > 0")
    assert picture.get_attribute("alt")
    assert page.query_selector("#price canvas") is None


def test_the_picture_stands_there_too_where_the_library_s_files_are_gone(browser, demo):
    page = browser.new_page()
    page.route("**/price.js", lambda route: route.fulfill(status=404))

    page.goto(demo)
    page.wait_for_selector("#price img")

    assert page.query_selector("#price canvas") is None
    page.close()


def test_the_last_candle_follows_the_live_price(visit):
    page = visit()
    page.wait_for_selector("#price canvas")

    live_spot(page)

    until(page, CANDLE_CLOSES_AT_SPOT)


CANDLE_CLOSES_AT_SPOT = """(() => {
  const read = [...document.querySelectorAll("#price .plot-reading div")]
    .map((one) => [one.firstChild.textContent, one.lastChild.textContent]);
  const spot = document.getElementById("spot").textContent.replace("$", "");
  return Object.fromEntries(read).C === spot.replace(/[.]0$/, "");
})()"""


def test_a_regime_that_spot_has_left_is_told_as_past(opened, demo):
    page = opened(demo)
    page.route("**/gex/levels?*", above_hvl)

    page.goto(demo)
    live_spot(page)
    until(page, "document.getElementById('meaning').textContent.includes('since')")

    assert page.inner_text("#meaning") == "Spot has crossed HVL since."
    assert re.fullmatch(r"\w+ gamma at \d\d:\d\d:\d\d", page.inner_text("#regime"))


def above_hvl(route):
    """Levels of a spot that was above an HVL which is far above it now."""
    body = route.fetch().json()
    body["data"]["all_expiry"]["hvl"] = 2 * body["meta"]["spot_price"]
    body["meta"]["spot_price"] *= 3
    route.fulfill(json=body)


def test_who_comes_again_asks_for_no_file_again(visit):
    page = visit()
    page.wait_for_selector("#price canvas")

    page.reload()
    page.wait_for_selector("#price canvas")
    files = page.evaluate(
        "performance.getEntriesByType('resource').filter(({ name }) => name.includes('/assets/'))"
        ".map(({ name, transferSize }) => [name, transferSize])"
    )

    assert {"dashboard.css", "dashboard.js", "icon.svg"} <= {
        name.split("/")[-1] for name, _ in files
    }
    assert [name for name, sent in files if sent] == []


# As the server writes it where nothing was fetched from npm.
WITHOUT_CHARTS = """
new MutationObserver(() => { document.documentElement.dataset.charts = "false"; })
  .observe(document, { childList: true });
"""
