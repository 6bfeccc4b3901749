"""What the dashboard's scripts compute, tested by node's own test runner."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = sorted(Path(__file__).parent.glob("*.test.mjs"))
OLDEST = (20, 19)  # the first that takes a .js file with `export` for a module
ZONES = ("UTC", "Europe/Berlin")
PATIENCE_SECONDS = 60


def node():
    """Where a node is that is new enough."""
    path = shutil.which("node")
    if path is None:
        pytest.skip("no node here")
    said = subprocess.run([path, "--version"], capture_output=True, check=True, text=True).stdout
    if tuple(map(int, said.removeprefix("v").split(".")[:2])) < OLDEST:
        pytest.skip(f"node {said.strip()} is too old")
    return path


@pytest.mark.parametrize("zone", ZONES)
def test_the_scripts_pass_their_tests_in_every_zone(zone):
    ran = subprocess.run(
        [node(), "--test", *map(str, TESTS)],
        env={**os.environ, "TZ": zone},
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE_SECONDS,
    )

    assert ran.returncode == 0, ran.stdout
