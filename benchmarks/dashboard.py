"""How soon the dashboard is there, and what it costs the wire: `python -m benchmarks.dashboard`.

The demo, the system's chromium, and each visit twice: by a browser that knows nothing, and by one
that has been there. Times count from the navigation's start, bytes are as they were sent, and a
request is what went over the wire: not what the browser had already.
"""

import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.web.demo import QUIET, Demo, find_browser

VISITS = 5
SETTLING_MS = 1_500  # for charts, history and what is asked in the background
WIDTH, HEIGHT = 1_280, 900
WATCH = """
window.seen = { largest: 0, levels: 0 };
new PerformanceObserver((list) => { seen.largest = list.getEntries().at(-1).startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });
new MutationObserver(() => {
  if (!seen.levels && document.querySelector("#levels tr")) seen.levels = performance.now();
}).observe(document, { childList: true, subtree: true });
"""
READ = """() => ({ ...seen,
  first: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0 })"""


@dataclass(frozen=True, slots=True)
class Visit:
    """What one visit took."""

    first_paint: float  # ms
    largest_paint: float  # ms
    levels: float  # ms, until the table of levels is filled
    kilobytes: float
    requests: int


def main() -> None:
    """Measure, print the table."""
    path = find_browser()
    if path is None:
        sys.exit("no chromium here: install it (Debian, Ubuntu: apt install chromium)")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        demo = Demo(Path(folder))
        try:
            address = demo.address()
            pairs = [visit_twice(browser, address) for _ in range(VISITS)]
        finally:
            demo.stop()
            browser.close()
    print(
        f"{'median of ' + str(VISITS):<14}{'FCP ms':>10}{'LCP ms':>10}{'levels ms':>11}{'kB':>8}"
        f"{'requests':>10}"
    )
    for name, visits in zip(("cold", "warm"), zip(*pairs, strict=True), strict=True):
        print(row(name, visits))


def visit_twice(browser: Browser, address: str) -> tuple[Visit, Visit]:
    """A new browser's first visit, and its next."""
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    context.add_init_script(WATCH)
    try:
        return visit(context, address), visit(context, address)
    finally:
        context.close()


def visit(context: BrowserContext, address: str) -> Visit:
    """One visit, until everything is drawn."""
    page = context.new_page()
    wire = context.new_cdp_session(page)
    sizes: list[float] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    wire.send("Network.enable")
    page.goto(address)
    page.wait_for_selector("#levels tr")
    page.wait_for_selector("#price canvas, #price img")
    page.wait_for_timeout(SETTLING_MS)
    seen = page.evaluate(READ)
    page.close()
    sent = [size for size in sizes if size]  # what was kept has none
    return Visit(seen["first"], seen["largest"], seen["levels"], sum(sent) / 1e3, len(sent))


def row(name: str, visits: Sequence[Visit]) -> str:
    """The medians."""
    first, largest, levels, size, requests = (
        statistics.median(getattr(one, field) for one in visits) for field in Visit.__slots__
    )
    return f"{name:<14}{first:>10.0f}{largest:>10.0f}{levels:>11.0f}{size:>8.0f}{requests:>10.0f}"


if __name__ == "__main__":
    main()
