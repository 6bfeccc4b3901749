"""The whole page without a pointer."""

from tests.web.pages import until

NAME = """() => {
  const at = document.activeElement;
  return at === document.body ? "" : at.getAttribute("aria-label") ?? at.id
    + (at.closest("[id]")?.id ?? "") + at.textContent.trim().slice(0, 30);
}"""
MOST_STOPS = 60


def test_every_stop_of_the_tab_key_has_a_name_and_comes_once(visit):
    page = visit()
    page.wait_for_selector("#price canvas")
    page.wait_for_selector("#history [role=img]")
    stops = []

    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(NAME))
        if not stops[-1]:
            break

    assert stops.pop() == ""  # having been everywhere
    assert all(stops)
    assert "Skip to the levels" in stops[0]
    order = ["Price by time", "GEX by strike", "Levels over time"]
    assert [stop for stop in stops if stop in order] == order
    assert sum("tab-" in stop for stop in stops) == 1  # the chosen one; arrows lead on


def test_a_journey_by_keys_alone(visit):
    page = visit(guest=None)

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    skipped_to = page.evaluate("document.activeElement.id")
    page.focus("[role=tab][aria-selected=true]")
    page.keyboard.press("End")
    until(page, "document.title.includes('ETH $')")
    page.focus("#line")
    page.keyboard.type("levels eth")
    page.keyboard.press("Enter")
    page.wait_for_selector("#talk .card >> text=0DTE")
    while not page.evaluate("document.activeElement.textContent === '0DTE'"):
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")

    assert skipped_to == "levels-title"
    until(page, "document.querySelector('#talk .card h3').textContent.includes('0DTE')")


def test_where_the_focus_is_can_be_seen(visit):
    page = visit()

    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")

    outline = page.evaluate(
        "(() => { const s = getComputedStyle(document.activeElement);"
        " return [s.outlineStyle, parseFloat(s.outlineWidth), s.boxShadow]; })()"
    )
    assert (outline[0] != "none" and outline[1] >= 1) or outline[2] != "none"
