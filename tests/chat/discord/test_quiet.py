"""What the library's logs say once they are made quiet."""

import logging
import subprocess
import sys

import aiohttp

from bot.chat.discord.quiet import shorten


def record(message, error=None):
    info = (type(error), error, None) if error else None
    return logging.LogRecord("discord.client", logging.ERROR, "", 1, message, (), info)


def test_nobody_is_told_that_voice_is_not_there():
    assert not shorten(record("PyNaCl is not installed, voice will NOT be supported"))
    assert not shorten(record("davey is not installed, voice will NOT be supported"))


def test_a_lost_connection_is_one_line():
    lost = record("Attempting a reconnect", aiohttp.ServerDisconnectedError("a\nb"))

    assert shorten(lost)
    assert lost.getMessage() == "Attempting a reconnect (ServerDisconnectedError: a b)"
    assert lost.exc_info is None


def test_a_mistake_keeps_its_traceback():
    mistake = record("Ignoring exception in on_ready", ZeroDivisionError())

    assert shorten(mistake)
    assert mistake.exc_info is not None


DEBUGGING = """
import asyncio
import logging
from bot.log import set_up
from tests.chat.discord.world import running, town
from tests.fakes.discord_server import FakeDiscord

async def asking():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake):
            asked = await (await fake.invoke(anna, channel, "levels")).answered()
            await (await fake.press(anna, asked.message, "Profile")).answered()
        print(*fake.world.invocations, fake.token)

set_up("DEBUG")
logging.getLogger("aiohttp.access").disabled = True  # what the fake sees
asyncio.run(asking())
"""


def test_no_token_is_logged_at_debug_either():
    done = subprocess.run(
        [sys.executable, "-c", DEBUGGING], capture_output=True, text=True, check=True
    )
    tokens = done.stdout.split()

    assert len(tokens) == 3
    assert "connected" in done.stderr
    assert not [token for token in tokens if token in done.stderr]
