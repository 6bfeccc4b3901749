"""A real browser before the running program; skipped where there is none."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes import make_chain, make_snapshot
from tests.web.demo import PATIENCE_SECONDS, QUIET, Demo, find_browser, store_in
from tests.web.past import remember

WATCH = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
"""


def pytest_collection_modifyitems(items):
    """The browser's tests come last: its event loop stays in this thread, and admits no other."""
    items.sort(key=lambda item: "browser" in item.fixturenames)


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """Where a demo with an hour's past listens; it ends as it should although pages are open."""
    folder = tmp_path_factory.mktemp("demo")
    past = [look_at(datetime.now(UTC) - timedelta(minutes=minutes)) for minutes in (60, 30)]
    with ThreadPoolExecutor() as apart:  # playwright's event loop may run in this thread
        apart.submit(asyncio.run, remember(store_in(folder), past)).result()
    program = Demo(folder)
    try:
        yield program.address()
    finally:
        code = program.stop()
    assert code == 0


@pytest.fixture
def program(tmp_path):
    """Starts demos over one database; what still runs at the end is stopped."""
    running = []

    def start(**settings):
        running.append(Demo(tmp_path, **settings))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def keyed(program):
    """Where a demo listens that wants a key, and the key."""
    demo = program()
    return demo.address(), demo.make_key()


def look_at(moment):
    """A snapshot of BTC, and its chain."""
    chain = make_chain(at=moment)
    return make_snapshot(chain, at=moment), chain


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="the extra `pictures`")
    path = find_browser()
    if path is None:
        pytest.skip("no chromium here")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=path, args=list(QUIET))
        yield opened
        opened.close()


class Watch:
    """What goes wrong in pages: words in the console, errors, requests that leave the host."""

    def __init__(self):
        self.trouble = []

    def over(self, page, address):
        """Listen to the page from now on."""
        own = (address, address.replace("http", "ws", 1))
        page.add_init_script(WATCH)
        page.on("console", lambda message: self.tell(message.type, message.text))
        page.on("pageerror", lambda error: self.tell("error", error.stack))
        page.on("request", lambda request: self.check(request.url, own))
        page.on("websocket", lambda socket: self.check(socket.url, own))

    def check(self, url, own):
        """Take down an address that is not ours; what begins with blob: is made by the page."""
        if not url.removeprefix("blob:").startswith(own):
            self.tell("request", url)

    def tell(self, *words):
        self.trouble.append(": ".join(words))


@pytest.fixture
def opened(browser):
    """Opens pages; at the end nothing may have gone wrong in them."""
    watch, contexts = Watch(), []

    def opened(address, width=1280, height=900, scheme="light", guest=None):
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, storage_state=guest
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_SECONDS * 1_000)
        watch.over(page, address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert watch.trouble == []


@pytest.fixture(scope="session")
def guest(browser, demo):
    """What the demo knows a browser by: few new ones are let into its chat at a time."""
    with browser.new_context() as context:
        page = context.new_page()
        with page.expect_websocket() as opening:
            page.goto(demo)
        opening.value.wait_for_event("framereceived")  # its cookie comes before its first word
        return context.storage_state()


@pytest.fixture
def visit(opened, demo, guest):
    """Opens the dashboard, as someone who has been there; `guest=None` is someone new."""

    def visit(**options):
        page = opened(demo, **{"guest": guest, **options})
        page.goto(demo)
        page.wait_for_selector("#levels tr")
        return page

    return visit
