"""Accessibility as axe-core judges it, once `make web` has fetched it."""

import pytest

from bot.api.docs import BROWSER
from bot.api.files import FILES
from tests.web.demo import ROOT
from tests.web.pages import type_line

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
LOOKS = [(width, scheme) for width in (390, 1_280) for scheme in ("light", "dark")]
SEVERE = {"serious", "critical"}
FINDINGS = """async () => {
  const { violations } = await axe.run();
  const told = (node) => `${node.target.join(" ")}: ${node.failureSummary}`;
  return violations.map(({ id, impact, nodes }) => [impact, id, nodes.map(told).join("; ")]);
}"""

pytestmark = pytest.mark.skipif(not AXE.exists(), reason="`make web` fetches axe-core")


def severe(page):
    page.evaluate(AXE.read_text(encoding="utf-8"))
    return [found for found in page.evaluate(FINDINGS) if found[0] in SEVERE]


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_dashboard_has_no_serious_finding(visit, width, scheme):
    page = visit(width=width, scheme=scheme, guest=None)
    type_line(page, "levels btc")
    page.wait_for_selector("#talk canvas")
    page.wait_for_selector("#price canvas")
    page.wait_for_selector("#history [role=img]")

    assert severe(page) == []


def test_the_form_of_a_command_and_its_error_have_no_serious_finding(visit):
    page = visit(guest=None)
    type_line(page, "alert add")
    page.wait_for_selector("#talk form")
    type_line(page, "levls btc")
    page.wait_for_selector("#talk .card:not(form)")

    assert severe(page) == []


def test_the_form_that_asks_for_a_key_has_no_serious_finding(browser, demo):
    refused = {"success": False, "error": {"code": "UNAUTHORIZED", "message": "a key is needed"}}
    page = browser.new_page()
    page.route("**/symbols", lambda route: route.fulfill(status=401, json=refused))
    page.goto(demo)
    page.wait_for_selector("#key-form:not([hidden])")

    assert severe(page) == []
    page.close()


# What swagger-ui itself is made of, which a style around it cannot mend.
OF_SWAGGER_UI = {"nested-interactive", "scrollable-region-focusable"}


@pytest.mark.skipif(not (FILES / BROWSER).is_file(), reason="`make web` fetches swagger-ui")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_around_swagger_ui_has_no_serious_finding(browser, demo, scheme):
    page = browser.new_page(color_scheme=scheme)
    page.goto(f"{demo}/docs")
    page.click('.opblock-summary:has([data-path="/symbols"])')
    page.wait_for_selector("table.headers")

    assert [found for found in severe(page) if found[1] not in OF_SWAGGER_UI] == []
    page.close()
