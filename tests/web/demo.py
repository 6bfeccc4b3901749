"""The program on the simulated market, as a process of its own."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
PATIENCE_SECONDS = 120
PAUSE_SECONDS = 0.05
SETTINGS = {"SYMBOLS__ALWAYS": "BTCUSDT,ETHUSDT", "API__PORT": "0", "LOG__LEVEL": "info"}


def find_browser():
    """The system's chromium, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def store_in(folder):
    """The address of the database in that folder."""
    return f"sqlite+aiosqlite:///{folder / 'demo.db'}"


class Demo:
    """Runs from its making until `stop`; its database and log are in the folder."""

    def __init__(self, folder, **settings):
        self._folder = folder
        self._log = folder / "stderr.log"
        own = SETTINGS | {"STORE__URL": store_in(folder)} | settings
        known = {k: v for k, v in os.environ.items() if not k.startswith("GAMMABELL_")}
        named = {f"GAMMABELL_{k}": v for k, v in own.items()}
        self._environment = known | {"PYTHONPATH": str(ROOT)} | named
        with self._log.open("wb") as log:
            self._process = self._start("run", "--source", "sim", stderr=log)

    def address(self):
        """Where it listens, once every symbol has levels there."""
        address = self._until(self._listening)
        self._until(lambda: _has_levels(address))
        return address

    def make_key(self, name="desk", per_minute="600"):
        """A key, which everybody needs from now on."""
        made = self._start(
            "keys", "create", name, "--per-minute", per_minute, stdout=subprocess.PIPE
        )
        told, _ = made.communicate(timeout=PATIENCE_SECONDS)
        return re.search(rb"gb_live_\w+", told)[0].decode()

    def stop(self):
        """Its exit code, however it is asked to end."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(PATIENCE_SECONDS)
        finally:
            self._process.kill()

    def _start(self, *words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        return subprocess.Popen(
            [sys.executable, "-m", "bot", *words],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )

    def _listening(self):
        found = re.search(r"listening on (\S+)", self._log.read_text())
        return found and found[1]

    def _until(self, find):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found = find()
            if found:
                return found
            assert self._process.poll() is None, self._log.read_text()
            time.sleep(PAUSE_SECONDS)
        raise AssertionError(self._log.read_text())


def _has_levels(address):
    try:
        with urlopen(f"{address}/symbols") as answer:
            return all(one["computed_at"] for one in json.load(answer)["data"]["symbols"])
    except HTTPError as refused:
        return refused.code == HTTPStatus.UNAUTHORIZED  # which only who has a key can see
