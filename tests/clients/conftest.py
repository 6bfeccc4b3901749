"""The running program that the clients ask."""

import os
import time
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.web.demo import ROOT, Demo, store_in

PATIENCE_SECONDS = 120


class Daemon:
    """Where it listens, a key for it, and what a command needs to use its database."""

    def __init__(self, program, folder):
        known = {k: v for k, v in os.environ.items() if not k.startswith("GAMMABELL_")}
        own = {"PYTHONPATH": str(ROOT), "GAMMABELL_STORE__URL": store_in(folder)}
        self.environment = known | own
        self.address = program.address()
        self.key = program.make_key("clients", "1000")
        self.make_key = program.make_key
        wait_for(lambda: refuses_strangers(self.address))


def refuses_strangers(address):
    """Whether the key that was made a moment ago counts already."""
    try:
        with urlopen(f"{address}/symbols"):
            return False
    except HTTPError as error:
        return error.code == 401


def wait_for(get):
    """What `get` gives, once it gives something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := get()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.1)
    return found


@pytest.fixture(scope="session")
def daemon(tmp_path_factory):
    """The program with data of both its symbols."""
    folder = tmp_path_factory.mktemp("daemon")
    program = Demo(folder)
    try:
        yield Daemon(program, folder)
    finally:
        program.stop()
