"""The paths as they are tried out in a real browser; skipped where nothing was fetched."""

import re
from contextlib import contextmanager

import pytest

from bot.api.docs import BROWSER
from bot.api.files import FILES

PATIENCE_SECONDS = 30

pytestmark = pytest.mark.skipif(
    not (FILES / BROWSER).is_file(), reason="swagger-ui is not here; `make web` fetches it"
)


@contextmanager
def docs(browser, address, **options):
    """The page, and what went wrong in it or was asked of others."""
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_SECONDS * 1_000)
    wrong = []
    page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("request", lambda request: wrong.append(request.url))
    page.goto(address)
    yield page, wrong
    own = re.match(r"https?://[^/]+/", address)[0]
    wrong[:] = [one for one in wrong if not one.startswith(own)]
    context.close()


def try_out(page, path):
    """The status that the path answers with."""
    page.click(f'.opblock-summary:has([data-path="{path}"])')
    page.click("button.try-out__btn")
    page.click("button.execute")
    return page.inner_text(".live-responses-table .response .response-col_status").strip()


@pytest.mark.parametrize(("width", "scheme", "place"), [(390, "light", ""), (1280, "dark", "/v2")])
def test_a_path_is_tried_out_and_nothing_is_asked_of_others(browser, demo, width, scheme, place):
    viewport = {"width": width, "height": 900}
    with docs(browser, f"{demo}{place}/docs", viewport=viewport, color_scheme=scheme) as (
        page,
        wrong,
    ):
        status = try_out(page, "/symbols")

        assert status == "200"
        assert page.inner_text(".request-url").endswith(f"{place}/symbols")
        assert "SIMULATED" in page.inner_text(".mark")
        assert page.is_hidden("#list")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert wrong == []


def test_a_key_that_is_entered_goes_along(browser, keyed):
    address, key = keyed
    with docs(browser, f"{address}/docs") as (page, wrong):
        page.click("button.authorize")
        page.fill(".modal-ux input", key)
        page.click(".modal-ux button.authorize")
        page.click(".modal-ux button.btn-done")
        status = try_out(page, "/symbols")

        assert status == "200"
        assert key not in page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
    assert wrong == []


def test_without_scripts_every_path_is_listed(browser, demo):
    with docs(browser, f"{demo}/docs", java_script_enabled=False) as (page, wrong):
        text = page.inner_text("#list")

    assert "GET /gex/levels" in text
    assert "GET /export/{symbol}/{format}" in text
    assert wrong == []


def test_every_path_that_is_listed_leads_to_an_answer(browser, demo):
    with docs(browser, f"{demo}/v2/docs", java_script_enabled=False) as (page, wrong):
        addresses = page.eval_on_selector_all("#list h2 a", "all => all.map(one => one.href)")
        answers = [page.request.get(address).status for address in addresses]

    assert len(addresses) > 10
    assert all(address.startswith(f"{demo}/v2/") for address in addresses)
    assert set(answers) == {200}
    assert wrong == []


def test_the_list_is_dark_where_the_reader_s_screen_is(browser, demo):
    options = {"java_script_enabled": False, "color_scheme": "dark"}
    with docs(browser, f"{demo}/docs", **options) as (page, _):
        background = page.locator("body").evaluate("it => getComputedStyle(it).backgroundColor")

    assert background == "rgb(28, 32, 34)"
