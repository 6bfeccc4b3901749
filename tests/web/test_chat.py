"""The dashboard's chat in a real browser."""

import json
import re

from tests.web.pages import live_spot, overflow, type_line, until

A_LITTLE = 0.0002  # of spot, which moves that far in seconds
RELOADS = 20


def test_a_typed_command_is_answered_with_card_chart_and_buttons(visit):
    page = visit(guest=None)

    type_line(page, "/levels eth")
    title = page.wait_for_selector("#talk .card h3").inner_text()
    page.wait_for_selector("#talk .card canvas")
    page.click("#talk .card >> text=0DTE")
    until(page, "document.querySelectorAll('#talk .card').length === 1")

    assert title == "SIMULATED · ETH levels"


def test_a_table_without_a_title_is_called_by_its_card(visit):
    page = visit()

    type_line(page, "compare btc")

    page.get_by_role("region", name="SIMULATED · BTC levels by venue").wait_for()


def test_what_someone_typed_never_becomes_markup(visit):
    page = visit(guest=None)

    type_line(page, "<img src=x onerror=alert(1)>")
    page.wait_for_selector("#talk .card")

    assert page.query_selector("#talk img") is None
    assert "<img" in page.inner_text("#talk .said")


def test_an_alert_that_is_made_in_a_form_rings_in_the_page(visit):
    page = visit(guest=None)
    spot = live_spot(page)
    below, above = spot * (1 - A_LITTLE), spot * (1 + A_LITTLE)

    type_line(page, f"alert add btc {below:.1f} cross any buffer 0.001%")
    type_line(page, "alert add")
    page.wait_for_selector("#talk form")
    coin, level, what, options = page.query_selector_all("#talk form input")
    coin.fill("btc")
    level.fill(f"{above:.1f}")
    what.fill("cross any")
    options.fill("buffer 0.001%")
    page.click("#talk form button")
    ring = page.wait_for_selector("#talk .ring")  # whichever way the price goes

    assert "SIMULATED" in ring.inner_text()
    assert "crossed" in ring.inner_text()
    assert ring.query_selector("time").inner_text() in ring.query_selector("h3 + p").inner_text()
    until(page, "document.getElementById('announce').textContent.includes('crossed')")


def test_what_rang_is_there_again_when_the_page_is_and_in_the_log(visit):
    page = visit()
    spot = live_spot(page)
    for near in (spot * (1 - A_LITTLE), spot * (1 + A_LITTLE)):
        type_line(page, f"alert add btc {near:.1f} cross any buffer 0.001%")
    page.wait_for_selector("#talk .ring")
    page.wait_for_selector("#log [data-own]", state="attached")

    for _ in range(RELOADS):  # that it was heard is written a moment after it rang
        page.reload()
        page.wait_for_selector("#levels tr")
        if page.query_selector("#talk .past li"):
            break
    last = page.query_selector_all("#talk .past li")[-1]

    assert re.match(r"\d\d:\d\d:\d\d", last.query_selector("time").inner_text())
    assert "BTC" in last.inner_text()
    page.click("#log-filter >> text=Rings")
    assert "YOUR RING BTC" in page.inner_text("#log")


def test_of_many_earlier_rings_the_newest_is_in_sight_and_told_with_its_day(opened, demo, guest):
    rang = [
        {"id": f"a{n}", "at": f"2026-01-{n:02}T12:00:00Z", "symbol": "BTCUSDT", "text": f"Ring {n}"}
        for n in range(1, 21)
    ]
    page = opened(demo, width=390, height=640, guest=guest)
    hello = json.dumps({"type": "hello", "signedIn": False, "rang": rang})
    page.route_web_socket("**/chat", lambda socket: socket.send(hello))

    page.goto(demo)
    page.wait_for_selector("#talk .past li")

    lines = page.query_selector_all("#talk .past li")
    assert [line.inner_text().split()[-1] for line in lines] == [str(n) for n in range(1, 21)]
    assert lines[-1].inner_text().startswith("20 Jan ")
    ends = "document.querySelector('#talk .past').getBoundingClientRect().bottom"
    assert page.evaluate(
        f"{ends} <= document.querySelector('#talk').getBoundingClientRect().bottom"
    )


def test_a_card_fits_a_phone(visit):
    page = visit(width=320, height=640, scheme="dark", guest=None)

    type_line(page, "levels btc")
    page.wait_for_selector("#talk canvas")

    assert overflow(page) == 0
