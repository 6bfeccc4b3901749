"""The chat panel as one types in it: what is offered, what is remembered, what is lost and kept."""

import asyncio
import re
import time
from concurrent.futures import ThreadPoolExecutor

from bot.service.access import Access
from bot.store.migrate import open_store
from tests.web.demo import store_in
from tests.web.pages import PATIENCE_SECONDS, type_line, until
from tests.web.test_access import free_port


async def link_for(person, folder, address):
    """What the bot tells the person."""
    store = await open_store(store_in(folder))
    try:
        return await Access(store, time.time, address).link(person)
    finally:
        await store.close()


def shown(page, field="#line"):
    """What the open list of the field offers."""
    page.wait_for_selector(f"{field} + .offers:not([hidden]) li")
    return [
        option.inner_text().partition("\n")[0]
        for option in page.query_selector_all(f"{field} + .offers li")
    ]


def test_a_line_is_put_together_by_keys_alone(visit):
    page = visit()

    page.focus("#line")
    page.keyboard.type("cha")
    commands = shown(page)
    page.keyboard.press("ArrowDown")
    active = page.get_attribute("#line", "aria-activedescendant")
    selected = page.get_attribute(f"#{active}", "aria-selected")
    page.keyboard.press("Enter")
    until(page, "document.querySelectorAll('#line + .offers li').length > 1")
    page.keyboard.type("et")
    until(page, "document.querySelectorAll('#line + .offers li').length === 1")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    value = page.input_value("#line")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.wait_for_selector("#talk .card canvas")

    assert commands[0].startswith("chart")
    assert (selected, value) == ("true", "chart ETH ")
    assert page.inner_text("#talk .said") == "chart ETH"
    assert page.get_attribute("#line", "aria-expanded") == "false"


def test_an_offer_is_taken_by_a_press_and_the_field_keeps_the_focus(visit):
    page = visit(width=390, height=844)

    page.focus("#line")
    page.keyboard.type("export b")
    page.click("#line + .offers li")

    assert page.input_value("#line") == "export BTC "
    assert page.evaluate("document.activeElement.id") == "line"


def test_enter_sends_what_was_typed_although_something_is_offered(visit):
    page = visit()

    page.focus("#line")
    page.keyboard.type("flip bt")
    shown(page)
    page.keyboard.press("Enter")
    page.wait_for_selector("#talk .said")

    assert page.inner_text("#talk .said") == "flip bt"
    assert page.is_hidden("#line + .offers")


def test_lines_typed_before_come_back_by_arrow_and_what_was_begun_is_kept(visit):
    page = visit()
    for line in ("flip btc", "move btc"):
        type_line(page, line)

    page.focus("#line")
    page.keyboard.type("zz")
    until(page, "document.querySelector('#line + .offers').hidden")
    found = []
    for key in ("ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
        found.append(page.input_value("#line"))

    assert found == ["move btc", "flip btc", "flip btc", "move btc", "zz"]


def test_a_form_offers_values_and_can_be_left(visit):
    page = visit()
    type_line(page, "alert add")
    page.wait_for_selector("#talk form")

    until(page, "document.activeElement.closest('#talk form') !== null")
    page.keyboard.type("b")
    coins = shown(page, "#talk form input")
    page.keyboard.press("Escape")
    page.click("#talk form >> text=Never mind")

    assert coins == ["BTC"]
    assert page.query_selector("#talk form") is None


def test_a_newcomer_presses_an_example(visit):
    page = visit()

    page.click(".welcome >> text=levels btc")
    page.wait_for_selector("#talk .card canvas")

    label = page.get_attribute("#talk .card canvas", "aria-label")
    assert "Spot" in label


def test_a_chart_is_shown_larger_and_let_go_by_escape(visit):
    page = visit()
    type_line(page, "levels btc")
    page.wait_for_selector("#talk .picture canvas")

    page.focus("#talk .picture")
    page.keyboard.press("Enter")
    wide = page.wait_for_selector("dialog canvas").bounding_box()["width"]
    narrow = page.query_selector("#talk canvas").bounding_box()["width"]
    page.keyboard.press("Escape")
    until(page, "document.querySelector('dialog') === null")

    assert wide > narrow
    assert page.evaluate("document.activeElement.className") == "picture"


def test_a_file_is_saved_under_the_pages_policy(visit):
    page = visit()
    type_line(page, "export btc csv")

    with page.expect_download() as download:
        page.click("#talk >> text=Save gammabell")

    assert re.fullmatch(r"gammabell-BTCUSDT-\S+-SIMULATED\.csv", download.value.suggested_filename)
    assert "hvl" in download.value.path().read_text()


def test_the_level_string_of_a_card_is_copied_by_a_press(visit):
    page = visit()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    type_line(page, "export btc tradingview")

    page.click("#talk .card .copy button")
    page.wait_for_selector("#talk .card >> text=copied")

    assert page.evaluate("navigator.clipboard.readText()") == page.inner_text("#talk .card th")


def test_whoever_reads_further_up_is_told_what_is_new_and_stays_there(visit):
    page = visit()
    for _ in range(3):
        type_line(page, "levels btc")
    until(page, "document.querySelectorAll('#talk canvas').length === 3")

    page.evaluate("document.querySelector('#talk').scrollTop = 0")
    type_line(page, "setup test")
    page.wait_for_selector("#talk .card >> text=on its way")
    page.evaluate("document.querySelector('#talk').scrollTop = 0")
    page.wait_for_selector("#talk .ring")
    page.wait_for_selector("#to-new:not([hidden])")
    top = page.evaluate("document.querySelector('#talk').scrollTop")
    page.click("#to-new")

    assert top == 0
    assert page.is_hidden("#to-new")
    assert page.evaluate("document.querySelector('#talk').scrollTop") > 0


def test_a_ring_that_nobody_sees_is_counted_in_the_title(visit):
    page = visit()
    page.evaluate("""
      window.isGone = true;
      Object.defineProperty(document, "hidden", { get: () => window.isGone });
    """)

    type_line(page, "setup test")
    page.wait_for_selector("#talk .ring")
    until(page, "document.title.startsWith('(1) SIMULATED')")
    page.evaluate("""
      window.isGone = false;
      document.dispatchEvent(new Event("visibilitychange"));
    """)

    assert page.title().startswith("SIMULATED")


def test_what_was_typed_outlives_a_lost_connection_and_goes_out_after_it(browser, program):
    port = str(free_port())
    demo = program(API__PORT=port)
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_SECONDS * 1_000)
    page.goto(demo.address())
    page.wait_for_selector("#levels tr")
    demo.stop()
    until(page, "document.getElementById('chat-state').textContent.includes('Not connected')")

    type_line(page, "flip btc")
    held = page.input_value("#line")
    told = page.inner_text("#chat-state")
    program(API__PORT=port).address()
    page.wait_for_selector("#talk .card")

    assert held == "flip btc"
    assert told == "Not connected; your line goes out when it is back."
    assert page.inner_text("#talk .said") == "flip btc"
    assert page.input_value("#line") == ""
    page.close()


def test_a_link_of_the_bot_lets_a_browser_in_once_and_leaves_no_trace(browser, program, tmp_path):
    demo = program()
    address = demo.address()
    demo.make_key()
    with ThreadPoolExecutor() as apart:  # playwright's event loop runs in this thread
        link = apart.submit(asyncio.run, link_for("telegram:7", tmp_path, address)).result()
    addresses = []
    context = browser.new_context()
    page = context.new_page()
    page.on("request", lambda request: addresses.append(request.url))

    page.goto(link)
    page.click("#enter")
    page.wait_for_selector("#levels tr")
    page.wait_for_selector("#sign-out:not([hidden])")
    page.click("#sign-out")
    page.wait_for_selector("#key-form:not([hidden])")
    page.goto(link)
    page.click("#enter")
    until(page, "document.getElementById('trouble').textContent.includes('/dashboard')")

    given = link.partition("#")[2]
    assert given not in page.url
    # The fragment belongs to the address that the browser opens; no request for it carries it.
    assert not any(given in one.partition("#")[0] for one in addresses)
    context.close()
