"""A real browser before the running program; skipped where there is none."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
PATIENCE_SECONDS = 40
SPEED = "20"  # of the simulated market, so that something rings


class Demo:
    """The program on the simulated market."""

    def __init__(self, folder):
        self._log = folder / "stderr.log"
        settings = {
            "STORE__URL": f"sqlite+aiosqlite:///{folder / 'demo.db'}",
            "SYMBOLS__ALWAYS": "BTCUSDT,ETHUSDT",
            "API__PORT": "0",
            "LOG__LEVEL": "info",
        }
        known = {k: v for k, v in os.environ.items() if not k.startswith("GAMMABELL_")}
        own = {f"GAMMABELL_{k}": v for k, v in settings.items()}
        self._folder = folder
        self._environment = known | {"PYTHONPATH": str(ROOT)} | own
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bot", "run", "--source", "sim", "--speed", SPEED],
                cwd=folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def address(self):
        """Where it listens, once it does."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found = re.search(r"listening on (\S+)", self._log.read_text())
            if found:
                return found[1]
            assert self._process.poll() is None, self._log.read_text()
            time.sleep(0.05)
        raise AssertionError(self._log.read_text())

    def make_key(self):
        """A key, which everybody needs from now on."""
        command = [sys.executable, "-m", "bot", "keys", "create", "desk", "--per-minute", "600"]
        made = subprocess.run(
            command, cwd=self._folder, env=self._environment, capture_output=True, check=True
        )
        return re.search(rb"gb_live_\w+", made.stdout)[0].decode()

    def stop(self):
        """Its exit code, however it is asked to end."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(PATIENCE_SECONDS)
        finally:
            self._process.kill()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Where a demo listens; it ends as it should although pages are open."""
    program = Demo(tmp_path_factory.mktemp("demo"))
    try:
        yield program.address()
    finally:
        code = program.stop()
    assert code == 0


@pytest.fixture
def keyed(tmp_path):
    """Where a demo listens that wants a key, and the key."""
    program = Demo(tmp_path)
    try:
        yield program.address(), program.make_key()
    finally:
        program.stop()


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("no chromium here")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=path, args=list(QUIET))
        yield opened
        opened.close()


@pytest.fixture
def visit(browser, demo):
    """Opens the dashboard; at the end nothing may have gone wrong in its console."""
    said = []

    @contextmanager
    def visit(width=1280, scheme="light", height=900):
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        page = context.new_page()
        page.set_default_timeout(PATIENCE_SECONDS * 1_000)
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.goto(demo)
        page.wait_for_selector("#levels tr")
        yield page
        context.close()

    yield visit
    # A 404 is no mistake of the page: the program has been up for a moment, and says so.
    assert [one for one in said if "404" not in one] == []
