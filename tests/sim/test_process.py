"""The simulator as a child of the program, and of one that is killed."""

import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from bot.sim.process import started_simulator

ROOT = Path(__file__).parents[2]
PATH = "/api/v2/public/get_time"
PARENT = """
import asyncio
from bot.sim.process import started_simulator

async def main():
    async with started_simulator(7) as address:
        print(address, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def time_at(address):
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"http://{address}{PATH}") as reply,
    ):
        return (await reply.json())["result"]


async def test_it_serves_for_as_long_as_it_is_entered():
    async with started_simulator(7) as address:
        stamp = await time_at(address)

    assert stamp > 1_700_000_000_000
    with pytest.raises(aiohttp.ClientConnectorError):
        await time_at(address)


async def test_it_has_the_clock_that_it_is_given():
    async with started_simulator(7, "1.0", "2030-01-01T00:00:00+00:00", "0.0") as address:
        stamp = await time_at(address)

    assert stamp >= 1_893_456_000_000


async def test_it_does_not_outlive_a_parent_that_is_killed():
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(  # noqa: ASYNC220  the test waits for nothing else
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        address = parent.stdout.readline().strip()
        alive = await time_at(address)
        parent.kill()

    assert alive
    await gone(address)


async def gone(address):
    """Returns once nobody listens there."""
    while True:
        try:
            await time_at(address)
        except aiohttp.ClientError:
            return


def test_a_simulator_whose_parent_is_gone_before_it_starts_says_nothing():
    with subprocess.Popen(
        [sys.executable, "-m", "bot.sim", "7"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        child.stdout.close()
        child.stdin.close()
        said = child.stderr.read()

    assert (said, child.returncode) == (b"", 0)
