"""What tests do with a page."""

import re
import time

PATIENCE_SECONDS = 20


def number(text):
    """The number in it."""
    return float(re.sub(r"[^0-9.]", "", text))


def type_line(page, line):
    """Type the line into the chat."""
    page.fill("#line", line)
    page.press("#line", "Enter")


def until(page, expression):
    """Wait for it; the page's own policy forbids the way in which playwright would."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)


def live_spot(page):
    """A price that came just now: the one before it may be as old as the levels."""
    first = page.inner_text("#spot")
    until(page, f"document.getElementById('spot').textContent !== '{first}'")
    return number(page.inner_text("#spot"))


def colour(page, selector="body", what="background-color"):
    """The colour that the browser computes."""
    return page.eval_on_selector(
        selector, f"element => getComputedStyle(element).getPropertyValue('{what}')"
    )


def reader(page, name):
    """What takes the arrow keys of that chart, and says what is read."""
    return page.get_by_role("slider", name=name)


def overflow(page):
    """Pixels by which the page is wider than its window."""
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
