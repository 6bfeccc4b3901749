"""A dashboard that asks who is there, and one that goes away for a while."""

import socket

from tests.web.pages import type_line, until

CONNECTION = "document.getElementById('connection').textContent"


def test_where_there_are_keys_the_page_asks_for_one_and_remembers_it(browser, keyed):
    address, key = keyed
    page = browser.new_page()
    page.goto(address)
    page.wait_for_selector("#key-form:not([hidden])")
    assert not any(link.is_visible() for link in page.query_selector_all("a"))  # to what is hidden

    page.fill("#key", "gb_live_wrong")
    page.press("#key", "Enter")
    until(page, "document.getElementById('key-error').textContent.includes('not known')")
    page.fill("#key", key)
    page.press("#key", "Enter")
    page.wait_for_selector("#levels tr")
    page.reload()
    page.wait_for_selector("#price canvas")
    type_line(page, "flip btc")
    page.wait_for_selector("#talk .card")

    assert page.is_hidden("#key-form")
    assert key not in page.content() + page.evaluate("document.cookie")
    page.close()


def test_an_open_page_recovers_when_the_program_is_started_again(browser, program):
    port = free_port()
    first = program(API__PORT=str(port))
    page = browser.new_page()
    page.goto(first.address())
    until(page, f"{CONNECTION} === 'live'")
    page.wait_for_selector("#levels tr")

    first.stop()
    until(page, f"{CONNECTION}.includes('lost')")
    program(API__PORT=str(port)).address()

    until(page, f"{CONNECTION} === 'live'")
    type_line(page, "flip btc")
    page.wait_for_selector("#talk .card")
    assert page.inner_text("#trouble") == ""
    page.close()


def test_the_chat_comes_back_with_the_page_and_waits_no_longer(browser, program):
    port = str(free_port())
    first = program(API__PORT=port)
    page = browser.new_page()
    page.add_init_script(WITHOUT_PATIENCE)
    page.goto(first.address())
    page.wait_for_selector("#talk .welcome")
    until(page, f"{CONNECTION} === 'live'")

    first.stop()
    until(page, "document.getElementById('chat-state').textContent.includes('Not connected')")
    program(API__PORT=port).address()
    until(page, f"{CONNECTION} === 'live'")

    until(page, "document.getElementById('chat-state').textContent === ''")
    page.close()


# What the page would do after a second or more it never does.
WITHOUT_PATIENCE = """
const later = setTimeout;
window.setTimeout = (act, ms) => (ms < 1000 ? later(act, ms) : 0);
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as held:
        return held.getsockname()[1]
