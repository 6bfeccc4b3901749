"""What people see of us in a browser: the dashboard over the demo, with a day behind it."""

import asyncio
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.pictures.camera import WIDTH, small
from tests.pictures.market import BTC, heard
from tests.web.demo import Demo, store_in
from tests.web.past import remember

WIDE = 1_440  # CSS px
TALLEST = 1_900  # CSS px of a picture: more of a phone's page is no picture any more
PATIENCE_MS, SETTLING_MS = 60_000, 1_000
A_DAY, BETWEEN = timedelta(days=1), timedelta(hours=2)
LINES = ("levels btc", "alert add btc hvl cross down cooldown 30m")


@dataclass(frozen=True, slots=True)
class View:
    """The page as one person has it."""

    name: str  # of the picture's file
    caption: str
    width: int
    scheme: str


VIEWS = (
    View("dashboard-wide-light", "On a wide screen, light", WIDE, "light"),
    View("dashboard-wide-dark", "On a wide screen, dark", WIDE, "dark"),
    View("dashboard-phone-light", "On a phone, light", WIDTH, "light"),
    View("dashboard-phone-dark", "On a phone, dark", WIDTH, "dark"),
)
CHAT = View("dashboard-chat-phone", "The dashboard's chat on a phone", WIDTH, "light")
DOCS = View("docs-page", "`/docs`: the API's paths, to be tried out", WIDE, "light")


async def dashboard_pictures(browser):
    """Every view with its picture."""
    with tempfile.TemporaryDirectory() as folder:
        await remember(store_in(Path(folder)), await day_before(datetime.now(UTC)))
        demo = Demo(Path(folder))
        try:
            address = await asyncio.to_thread(demo.address)
            talk = await chat(browser, address)
            return [
                *[(view, await front(browser, address, view)) for view in VIEWS],
                (CHAT, talk),
                (DOCS, await docs(browser, address)),
            ]
        finally:
            await asyncio.to_thread(demo.stop)


async def day_before(now):
    """Snapshots and chains of BTC in the day before, as the demo would have heard them."""
    moments = [now - n * BETWEEN for n in reversed(range(A_DAY // BETWEEN))]
    return [(await heard(moment, [BTC]))[BTC] for moment in moments]


async def front(browser, address, view):
    """The page from its top, once everything has been drawn and someone has typed something."""
    page = await opened(browser, view)
    await page.goto(address)
    await page.wait_for_selector("#price canvas")
    await page.wait_for_selector("#profile [role=img]")
    await page.wait_for_selector("#history [role=img]")
    await say(page)
    whole = await page.evaluate("document.documentElement.scrollHeight")
    await page.set_viewport_size({"width": view.width, "height": min(whole, TALLEST)})
    await page.evaluate("scrollTo(0, 0)")
    await page.wait_for_timeout(SETTLING_MS)
    return await taken(page)


async def chat(browser, address):
    """The chat alone."""
    page = await opened(browser, CHAT)
    await page.goto(address)
    await say(page)
    return await taken(page.locator("#chat"))


async def docs(browser, address):
    """The first screen of the paths."""
    page = await opened(browser, DOCS)
    await page.goto(f"{address}/docs")
    await page.locator(".opblock").first.wait_for()
    return await taken(page)


async def opened(browser, view):
    """A page in that look."""
    context = await browser.new_context(
        viewport={"width": view.width, "height": 900}, color_scheme=view.scheme
    )
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    return page


async def say(page):
    """Type the lines, and wait for what is answered."""
    for number, line in enumerate(LINES, 1):
        await page.fill("#line", line)
        await page.press("#line", "Enter")
        await page.locator("#talk .card").nth(number - 1).wait_for()
    await page.wait_for_selector("#talk canvas")


async def taken(what, **options):
    """Its picture; whose page is then closed."""
    png = small(await what.screenshot(animations="disabled", **options))
    await (what.page if hasattr(what, "page") else what).context.close()
    return png
